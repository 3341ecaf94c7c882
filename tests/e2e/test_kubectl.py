"""What `get` prints is a Pod to kubectl."""
import json
import os
import re
import shutil
import subprocess

import pytest

from node.daemon import binary

SPEC = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  hostNetwork: yes
  containers:
  - name: main
    image: test.local/busybox:1
    ports: [{containerPort: 80}]
    resources: {limits: {memory: 65536Ki, cpu: 0.5}}
    livenessProbe: {httpGet: {port: 80}}
  volumes: [{name: v, emptyDir: {}}]
"""


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_kubectl_takes_what_get_prints(daemon, form):
    daemon.put("web.yaml", SPEC)
    daemon.watch().next("ADDED", "web-test-node")
    get = [binary(), "get", "pod", "web-test-node", "-o", form, "--socket", daemon.socket]
    printed = subprocess.run(get, check=True, capture_output=True).stdout
    local = ["kubectl", "label", "--local", "-f", "-", "checked=yes", "-o", "json"]
    taken = json.loads(subprocess.run(local, input=printed, check=True, capture_output=True).stdout)
    ours = json.loads(subprocess.run([*get[:5], "json", *get[6:]], check=True, capture_output=True).stdout)
    assert taken["metadata"]["labels"].pop("checked") == "yes"
    assert (taken["kind"], taken["apiVersion"]) == ("Pod", "v1")
    assert taken["spec"] == ours["spec"]
    assert taken["metadata"]["labels"] == ours["metadata"]["labels"]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_get_prints_what_it_always_printed(daemon, form):
    daemon.put("web.yaml", SPEC)
    daemon.watch().next("ADDED", "web-test-node")
    get = [binary(), "get", "pod", "web-test-node", "-o", form, "--socket", daemon.socket]
    printed = subprocess.run(get, check=True, capture_output=True, text=True).stdout
    # what differs from run to run: times, and the UID of our own, which is made from the manifest's path
    masked = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", printed)
    masked = re.sub(r"\bf{8}[0-9a-f]{24}\b", "UID", masked)
    golden = os.path.join(os.path.dirname(__file__), "golden", f"get.{form}")
    if os.environ.get("UPDATE_GOLDEN"):
        with open(golden, "w") as f:
            f.write(masked)
    assert masked == open(golden).read(), "if this is meant, run again with UPDATE_GOLDEN=1"
