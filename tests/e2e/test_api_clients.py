"""Clients of the Kubernetes API through `nodepods proxy`: Python's, JavaScript's, and the commands of the handbook."""
import json
import os
import re
import shutil
import subprocess
import threading

import kubernetes
import pytest

from node.contracts import ROOT
from node.daemon import binary, manifest

PACKAGE = "@kubernetes/client-node@1.4.0"
UID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def node(make_daemon, base):
    """A daemon on manifests, with a log that a runtime might have written, and a proxy to it."""
    logs = f"{base}/logs/default_web-test-node_{UID}/main"
    os.makedirs(logs)
    with open(f"{logs}/0.log", "w") as f:
        f.write("2026-01-02T03:04:05.000000001Z stdout P on\n2026-01-02T03:04:05.000000002Z stdout F e\n")
        f.write("2026-01-02T03:04:06.000000003Z stderr F two\n")
    http = f"{base}/h.sock"
    daemon = make_daemon(arguments=["--http-socket", http, "--pod-logs-dir", f"{base}/logs"])
    daemon.put("web.yaml", manifest("web", uid=UID, labels={"app": "web"}))
    daemon.start()
    command = [binary(), "proxy", "--port", "0", "--http-socket", http]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    daemon.http, daemon.url = http, re.search(r"http://\S+", proxy.stdout.readline()).group()
    yield daemon
    proxy.kill()
    proxy.wait()


def test_pythons_client_lists_gets_watches_and_reads_logs(node):
    configuration = kubernetes.client.Configuration(host=node.url)
    api = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
    pods = api.list_pod_for_all_namespaces(label_selector="app=web")
    assert [p.metadata.name for p in pods.items] == ["web-test-node"]
    pod = api.read_namespaced_pod("web-test-node", "default")
    assert (pod.metadata.uid, pod.spec.containers[0].name, pod.status.phase) == (UID, "main", "Pending")
    assert api.read_namespaced_pod_log("web-test-node", "default") == "one\ntwo\n"
    assert api.read_namespaced_pod_log("web-test-node", "default", tail_lines=1) == "two\n"
    assert api.list_node().items[0].metadata.name == "test-node"
    with pytest.raises(kubernetes.client.ApiException) as missing:
        api.read_namespaced_pod("nobody", "default")
    assert missing.value.status == 404
    with pytest.raises(kubernetes.client.ApiException) as refused:
        api.delete_namespaced_pod("web-test-node", "default")
    assert refused.value.status == 405
    version = kubernetes.client.VersionApi(api.api_client).get_code()
    assert version.git_version.startswith("v1.")

    seen, synced = [], threading.Event()

    def watch():
        stream = kubernetes.watch.Watch()
        for event in stream.stream(api.list_pod_for_all_namespaces, timeout_seconds=60):
            seen.append((event["type"], event["object"].metadata.name))
            synced.set()
            if seen[-1] == ("DELETED", "db-test-node"):
                stream.stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert synced.wait(30)
    changes = node.watch()
    node.put("db.yaml", manifest("db"))
    changes.next("ADDED", "db-test-node")
    os.unlink(f"{node.manifests}/db.yaml")
    watcher.join(30)
    assert seen[0] == ("ADDED", "web-test-node")
    assert ("ADDED", "db-test-node") in seen and seen[-1] == ("DELETED", "db-test-node")


@pytest.fixture(scope="module")
def modules():
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on this machine")
    where = f"{ROOT}/target/node-kubernetes"
    os.makedirs(where, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", where, PACKAGE]
    subprocess.run(npm, check=True, stdin=subprocess.DEVNULL)
    return where


def test_a_javascript_informer_and_a_streaming_list(node, modules):
    program = f"{modules}/informer.mjs"  # modules are looked for beside the program
    shutil.copy(f"{ROOT}/tests/clients/informer.mjs", program)
    client = subprocess.Popen(["node", program, node.url], stdout=subprocess.PIPE, text=True)
    try:
        seen = []

        def until(line):
            while line not in seen:
                text = client.stdout.readline()
                assert text, f"the client ended; seen: {seen}"
                seen.append(json.loads(text))

        until({"streamed": "ADDED", "name": "web-test-node"})
        until({"streamed": "BOOKMARK", "end": "true"})
        until({"informer": "add", "name": "web-test-node"})
        node.put("db.yaml", manifest("db"))
        until({"informer": "add", "name": "db-test-node"})
        until({"streamed": "ADDED", "name": "db-test-node"})
        os.unlink(f"{node.manifests}/db.yaml")
        until({"informer": "delete", "name": "db-test-node"})
    finally:
        client.kill()
        client.wait()


def test_the_handbooks_curl_commands(node):
    """https://kubernetes.io/docs/tasks/administer-cluster/access-cluster-api and the API concepts, but for the server."""

    def curl(path, *arguments, code=0):
        command = ["curl", "-s", "--unix-socket", node.http, *arguments, f"http://node{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == code, done
        return done.stdout

    assert json.loads(curl("/api/"))["versions"] == ["v1"]
    assert json.loads(curl("/api/v1/namespaces/default/pods?limit=500"))["items"][0]["metadata"]["name"] == "web-test-node"
    assert json.loads(curl("/version"))["major"] == "1"
    assert "[+]ping ok" in curl("/livez?verbose")
    table = curl("/api/v1/pods", "-H", "Accept: application/json;as=Table;g=meta.k8s.io;v=v1")
    assert json.loads(table)["kind"] == "Table"
    assert curl("/api/v1/pods", "-H", "Accept: application/yaml").startswith("apiVersion: v1\nitems:")
    # -m ends the watch: exit code 28.
    watched = curl("/api/v1/pods?watch=1&allowWatchBookmarks=true", "-m", "1", code=28)
    assert json.loads(watched.splitlines()[0])["type"] == "ADDED"
    head = curl("/api/v1/pods", "-D", "-", "-o", "/dev/null")
    tag = re.search(r"(?im)^etag: (\S+)", head).group(1)
    again = curl("/api/v1/pods", "-H", f"If-None-Match: {tag}", "-o", "/dev/null", "-w", "%{http_code}")
    assert again == "304"
