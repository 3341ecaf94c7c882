"""Clients that are not built on gRPC's C core."""
import json
import os
import shutil
import subprocess

import pytest

from node.contracts import ROOT
from node.daemon import manifest

PACKAGES = ["@grpc/grpc-js@1.12.5", "@grpc/proto-loader@0.7.13", "protobufjs@7.4.0"]


@pytest.fixture(scope="module")
def modules():
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on this machine")
    where = f"{ROOT}/target/node"
    os.makedirs(where, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", where, *PACKAGES]
    subprocess.run(npm, check=True, stdin=subprocess.DEVNULL)
    return f"{where}/node_modules"


def test_a_javascript_client_lists_gets_and_watches(daemon, modules):
    daemon.put("a.yaml", manifest("a"))
    daemon.watch().next("ADDED", "a-test-node")
    client = subprocess.Popen(
        ["node", f"{ROOT}/tests/clients/watch.js", daemon.socket, f"{ROOT}/proto"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "NODE_PATH": modules},
    )
    try:
        seen = []

        def until(line):
            while line not in seen:
                text = client.stdout.readline()
                assert text, f"the client ended; seen: {seen}"
                seen.append(json.loads(text))

        until({"list": ["a-test-node"]})
        until({"type": "ADDED", "name": "a-test-node"})
        until({"type": "INITIAL_SYNC_COMPLETE", "name": None})
        until({"code": 5, "details": "pod with UID nobody not found"})
        daemon.put("b.yaml", manifest("b"))
        until({"type": "ADDED", "name": "b-test-node"})
        os.unlink(f"{daemon.manifests}/b.yaml")
        until({"type": "DELETED", "name": "b-test-node"})
        daemon.stop()
        until({"ended": 14})
    finally:
        client.kill()
        client.wait()
