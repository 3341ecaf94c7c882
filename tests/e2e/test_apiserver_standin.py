"""Whether the API server that tests use is honest: a real kubectl has to work with it."""
import json
import shutil
import subprocess

import pytest
from standins.apiserver import ApiServer

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(not KUBECTL, reason="no kubectl here")


def pod(name, node="n1", phase="Running"):
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": "i:1"}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.fixture
def api():
    server = ApiServer()
    for name in ("a", "b", "c"):
        server.put(pod(name, "n2" if name == "c" else "n1"))
    yield server
    server.close()


@pytest.fixture
def kubectl(api, tmp_path):
    def run(*arguments, check=True):
        command = [KUBECTL, "--server", api.url, "--kubeconfig", "/dev/null", "--cache-dir", str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=check)

    return run


def test_lists_and_selectors(kubectl):
    names = lambda *a: kubectl("get", "pods", "-o", "name", *a).stdout.split()  # noqa: E731
    assert names() == ["pod/a", "pod/b", "pod/c"]
    assert names("-A", "--field-selector", "spec.nodeName=n1") == ["pod/a", "pod/b"]
    assert names("-l", "app=c") == ["pod/c"]
    assert names("--chunk-size", "1") == ["pod/a", "pod/b", "pod/c"]
    got = json.loads(kubectl("get", "pod", "b", "-o", "json").stdout)
    assert got["metadata"]["uid"].startswith("uid-b") and got["status"]["phase"] == "Running"


def test_describe_reads_protobuf(kubectl):
    told = kubectl("describe", "pod", "a").stdout
    assert "Node:" in told and "i:1" in told


def test_watch_and_wait(api, kubectl):
    kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=20s")
    command = [KUBECTL, "--server", api.url, "--kubeconfig", "/dev/null", "get", "pods", "-w", "-o", "name"]
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert [watch.stdout.readline().strip() for _ in range(3)] == ["pod/a", "pod/b", "pod/c"]
        while not any("watch=true" in r for r in api.requests):
            pass
        api.put(pod("d"))
        assert watch.stdout.readline().strip() == "pod/d"
    finally:
        watch.kill()
        watch.wait()


def test_errors_are_read(kubectl):
    missing = kubectl("get", "pod", "x", check=False)
    assert 'pods "x" not found' in missing.stderr
    denied = kubectl("delete", "pod", "a", check=False)
    assert "MethodNotAllowed" in denied.stderr
    field = kubectl("get", "pods", "--field-selector", "spec.x=y", check=False)
    assert "field label not supported: spec.x" in field.stderr
