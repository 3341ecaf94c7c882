"""The example clients against the daemon that is shipped."""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import BINARY, ROOT

GOCODE = Path("/usr/share/gocode")


@pytest.fixture
def socket(tmp_path):
    """A daemon with one manifest."""
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    shutil.copy(ROOT / "examples/manifests/web.yaml", manifests)
    path = tmp_path / "p.sock"
    command = [BINARY, "serve", "--socket", path, "--http-socket", "none", "--state-dir", "none", "--hostname-override", "here",
               "--container-runtime-endpoint", "none", "--pod-manifest-path", manifests]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 10
        while not path.exists():
            assert process.poll() is None and time.monotonic() < end, "no daemon"
            time.sleep(0.05)
        yield path
        process.terminate()


def says(command, lines, **options):
    """Runs a client that never ends until it has printed `lines`."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, **options) as process:
        got = [process.stdout.readline().strip() for _ in lines]
        process.kill()
    assert got == lines


def test_python(socket, tmp_path):
    protos = ["pods_v1alpha1.proto"]
    protos += [str(p.relative_to(ROOT / "proto")) for d in ("k8s.io", "nodepods") for p in (ROOT / "proto" / d).rglob("*.proto")]
    make = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}/proto", f"--python_out={tmp_path}",
            f"--grpc_python_out={tmp_path}", *protos]
    subprocess.run(make, check=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    client = [sys.executable, ROOT / "examples/clients/watch.py", socket]
    says(client, ["ADDED default/web-here Pending", "SYNCED 1"], env=environment)


def test_go(socket, tmp_path):
    """Against Debian's gRPC for Go. Modules would have to be downloaded, so it is built as before these."""
    if not (shutil.which("go") and GOCODE.joinpath("src/google.golang.org/grpc").is_dir()):
        pytest.skip("no Go, or no golang-google-grpc-dev")
    shutil.copytree(ROOT / "examples/clients/go", tmp_path / "src/watch")
    shutil.copytree(ROOT / "tests/clients/k8s.io", tmp_path / "src/k8s.io")
    places = {"GOPATH": f"{tmp_path}:{GOCODE}", "GOCACHE": str(ROOT / "target/go")}
    environment = {**os.environ, "GO111MODULE": "off", **places}
    subprocess.run(["go", "build", "-o", "watch-pods", "."], cwd=tmp_path / "src/watch", env=environment, check=True)
    says([tmp_path / "src/watch/watch-pods", socket], ["ADDED default/web-here Pending", "INITIAL_SYNC_COMPLETE /"])


def test_rust(socket):
    client = ROOT / "target/debug/examples/watch"
    if not client.exists():
        build = ["cargo", "build", "--locked", "--example", "watch"]
        subprocess.run(build, cwd=ROOT, check=True, env={**os.environ, "GRPCIO_SYS_USE_PKG_CONFIG": "1"})
    says([client, socket], ["ADDED default/web-here Pending", "INITIAL_SYNC_COMPLETE /"])
