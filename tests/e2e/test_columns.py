"""`kubectl get pods -o wide` of the pods that a real kubelet was recorded with: every cell, as an API server prints it.

No API server's table was recorded. The cells are judged by tests/node/printer.py, which is written after the API
server's printer and judged by examples of that printer's own test.
"""
import copy
import glob
import json
import os
import re
import shutil
import subprocess
import time

import pytest
from node import printer
from node.contracts import ROOT
from node.daemon import binary
from standins.apiserver import ApiServer

NODE = "anchor-node"
TABLE = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"


def recorded():
    """Every pod that the kubelet showed, with a name of its own and with the time that an API server gives it."""
    for path in sorted(glob.glob(f"{ROOT}/tests/recordings/*/*/pods.json")):
        with open(path) as f:
            items = json.load(f)["items"] or []
        for pod in items:
            meta = pod["metadata"]
            case, snapshot = path.split("/")[-3:-1]
            meta["name"] = f"{case.split('-')[0]}-{snapshot.split('-')[0]}-{meta['name']}"
            meta["uid"] = f"{meta['namespace']}-{meta['name']}"
            if started := pod["status"].get("startTime"):
                meta["creationTimestamp"] = started
            # A manifest's pod would be folded into one that the daemon does not have.
            meta["annotations"] = {k: v for k, v in meta["annotations"].items() if "kubernetes.io/config" not in k}
            yield pod


def made_up():
    """States that no recording shows."""
    base = {"metadata": {"namespace": "made-up"}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    ready = {"name": "c", "image": "i:1", "imageID": "", "restartCount": 0, "ready": True, "state": {"running": {}}}
    sidecar = {"initContainers": [{"name": "s", "image": "i:1", "restartPolicy": "Always"}]}
    earlier = {"lastState": {"terminated": {"exitCode": 1, "finishedAt": "2020-03-04T05:06:07Z"}}}
    started = {**ready, "name": "s", "started": True, "restartCount": 2, **earlier}
    conditions = lambda **c: [{"type": k, "status": v} for k, v in c.items()]  # noqa: E731
    gated = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
    gates = {"readinessGates": [{"conditionType": "Gate"}, {"conditionType": "Other"}]}
    killed = {**ready, "ready": False, "state": {"terminated": {"exitCode": 137, "signal": 9}}}
    for name, meta, spec, status in [
        ("evicted", {}, {}, {"phase": "Failed", "reason": "Evicted"}),
        ("gated", {}, {}, {"phase": "Pending", "conditions": gated}),
        ("going", {"deletionTimestamp": "2026-01-02T03:04:05Z"}, {}, {"phase": "Running", "containerStatuses": [ready]}),
        ("sidecar", {}, sidecar, {"phase": "Running", "initContainerStatuses": [started], "containerStatuses": [ready]}),
        ("gates", {}, gates, {"phase": "Running", "conditions": conditions(Gate="True", Other="False")}),
        ("signal", {}, {}, {"phase": "Failed", "containerStatuses": [killed]}),
        ("nominated", {}, {}, {"phase": "Pending", "nominatedNodeName": "n2", "podIPs": [{"ip": "fd00::1"}]}),
    ]:
        pod = copy.deepcopy(base)
        pod["metadata"] |= {"name": name, "uid": name, "creationTimestamp": "2026-01-02T03:04:05Z", **meta}
        pod["spec"] |= {"nodeName": NODE, **spec}
        yield {**pod, "status": status}


@pytest.fixture
def node(make_daemon, base):
    """A daemon that has these pods from an API server, as they are."""
    api = ApiServer()
    pods = [*recorded(), *made_up()]
    for pod in pods:
        api.put(pod)
    named = lambda kind, value: [{"name": "it", kind: value}]  # noqa: E731
    config = {"clusters": named("cluster", {"server": api.url}), "users": named("user", {}), "current-context": "it"}
    with open(f"{base}/kubeconfig", "w") as f:
        json.dump({**config, "contexts": named("context", {"cluster": "it", "user": "it"})}, f)
    arguments = ["--kubeconfig", f"{base}/kubeconfig", "--require", "apiserver", "--http-socket", f"{base}/h.sock"]
    daemon = make_daemon(node=NODE, arguments=arguments)
    daemon.http, daemon.pods = f"{base}/h.sock", {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in pods}
    yield daemon.start()
    api.close()


def differences(node, got, before):
    """Cells that are none of those that the printer printed while they were asked for."""
    assert got.keys() == node.pods.keys() and len(got) > 80
    for key, pod in node.pods.items():
        rows = [printer.row(pod, now) for now in range(before, int(time.time()) + 1)]
        for column, ours, *theirs in zip(printer.COLUMNS, got[key], *rows):
            if ours not in theirs:
                yield f"{'/'.join(key)} {column}: {ours!r}, an API server: {theirs[0]!r}"


def test_the_printer_prints_what_its_own_test_says():
    for pod, want in printer.EXAMPLES:
        assert printer.row(pod, 0)[1:4] == want
    for elapsed, want in [(-5, "<invalid>"), (119, "119s"), (120, "2m"), (601, "10m"), (3 * 3600, "3h"), (90061, "25h")]:
        assert printer.age(elapsed) == want


def test_every_cell_of_every_recorded_pod(node):
    before = int(time.time())
    get = ["curl", "-sS", "--unix-socket", node.http, "-H", TABLE, "http://x/api/v1/pods"]
    table = json.loads(subprocess.run(get, capture_output=True, check=True).stdout)
    assert [c["name"].upper() for c in table["columnDefinitions"]] == printer.COLUMNS
    assert [c["priority"] for c in table["columnDefinitions"]] == [0] * 5 + [1] * 4
    rows = {(r["object"]["metadata"]["namespace"], r["cells"][0]): r for r in table["rows"]}
    assert not [*differences(node, {key: r["cells"] for key, r in rows.items()}, before)]
    for key, pod in node.pods.items():
        done = pod["status"]["phase"] in ("Succeeded", "Failed")
        assert [c["type"] for c in rows[key].get("conditions", [])] == ["Completed"] * done


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
def test_and_as_kubectl_prints_it(node):
    before = int(time.time())
    environment = {**os.environ, "NODEPODS_HTTP_SOCKET": node.http}
    get = [binary(), "kubectl", "get", "pods", "-A", "-o", "wide"]
    head, *lines = subprocess.run(get, env=environment, capture_output=True, check=True, text=True).stdout.splitlines()
    cells = [re.split(r"\s{2,}", line.strip()) for line in lines]
    assert re.split(r"\s{2,}", head.strip()) == ["NAMESPACE", *printer.COLUMNS]
    assert not [*differences(node, {(c[0], c[1]): c[1:] for c in cells}, before)]
