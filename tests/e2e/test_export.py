"""The pod query and export of StackRox, as its clients ask for it: curl and jq, a gRPC client, our own verbs."""
import json
import os
import re
import subprocess
import uuid

import grpc
import pytest

from node import contracts
from node.daemon import NODE, binary, manifest

UID = "0123456789abcdef0123456789abcdef"
NAME = f"web-{NODE}"
COMMANDS = """
curl -s --unix-socket $S http://x/v1/export/pods
curl -s --unix-socket $S http://x/v1/export/pods | jq -c '.result.pod | [.name, (.liveInstances | length), .terminatedInstances[].instances[].exitCode]'
curl -s --unix-socket $S 'http://x/v1/export/pods?query=Namespace:default%2BPod%20Name:web' | jq -r .result.pod.name
curl -s --unix-socket $S 'http://x/v1/export/pods?query=Namespace:default+Pod+Name:web' | jq -r .result.pod.name
curl -s --unix-socket $S 'http://x/v1/export/pods?timeout=60&query=Pod%20Name:!r/%5Eweb' | jq -r .result.pod.name
curl -s --unix-socket $S -w '%{http_code} %{content_type}\\n' 'http://x/v1/export/pods?query=Namespace:nowhere'
curl -s --unix-socket $S -w '%{http_code}\\n' 'http://x/v1/export/pods?query=Nmespace:default'
curl -s --unix-socket $S -w '%{http_code}\\n' 'http://x/v1/export/pods?timeout=soon'
curl -s --unix-socket $S 'http://x/v1/pods?query=Pod%20Label:app&pagination.limit=1&pagination.sortOption.field=Pod%20Name&pretty'
curl -s --unix-socket $S 'http://x/v1/pods?pagination.offset=1&pagination.sortOption.field=Pod%20Name&pagination.sortOption.reversed=true' | jq -r '.pods[].name'
curl -s --unix-socket $S -w '%{http_code}\\n' 'http://x/v1/pods?pagination.sortOption.aggregateBy.aggrFunc=COUNT'
curl -s --unix-socket $S -w '%{http_code}\\n' 'http://x/v1/pods?query=Pod%20ID:web'
curl -s --unix-socket $S -w '%{http_code}\\n' -X DELETE http://x/v1/pods
curl -s --unix-socket $S -w '%{http_code}\\n' http://x/v1/deployments
nodepods export 'Pod Name:web' --socket $P | jq -r .pod.namespace
nodepods query --sort-by 'Pod Name' --socket $P
nodepods query 'Pod Label:app=web,tier' -o json --socket $P | jq -c '.pods[0].liveInstances[0].containerName'
nodepods query Nmespace:default --socket $P
"""


@pytest.fixture
def served(make_daemon, containerd, base):
    """A daemon that serves HTTP too."""
    return make_daemon(endpoint=containerd.endpoint, arguments=["--http-socket", f"{base}/h.sock"]).start()


def sandbox(runtime, uid=None, labels=None):
    uid = uid or uuid.uuid4().hex
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    return runtime.run_pod(NAME, uid=uid, labels=labels, annotations=annotations)


def pods(daemon, base, query=""):
    """The exported pods by name."""
    url = "http://x/v1/export/pods"
    get = ["curl", "-sS", "-G", "--unix-socket", f"{base}/h.sock", url, "--data-urlencode", f"query={query}"]
    lines = subprocess.run(get, check=True, capture_output=True, text=True).stdout.splitlines()
    return {p["name"]: p for p in (json.loads(line)["result"]["pod"] for line in lines)}


def ended(pod):
    """Ids and exit codes of the instances that have ended, oldest first."""
    return [(i["instanceId"]["id"], i["exitCode"]) for b in pod["terminatedInstances"] for i in b["instances"]]


def runs(daemon, container):
    """Waits until the pod shows this instance as running."""
    return daemon.watch().until(
        lambda e: e.name == NAME and any(
            c.containerID.endswith(container.id) and c.state.HasField("running")
            for c in e.pod.status.containerStatuses
        ),
        what="the container runs",
    )


def ends(daemon, container, code):
    """Ends an instance and waits until the pod shows it."""
    container.end(code)
    daemon.watch().until(
        lambda e: e.name == NAME and any(
            c.state.terminated.containerID.endswith(container.id) for c in e.pod.status.containerStatuses
        ),
        what="the container has ended",
    )


def masked(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", text)
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:DIGEST", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
    text = re.sub(r"\b\d+\.\d+\.\d+\.\d+\b", "IP", text)
    text = re.sub(r"\bf{8}[0-9a-f]{24}\b", "OWN-UID", text)  # made of the manifest's path
    text = re.sub(r"\"id\":( ?)\"[0-9a-f]{8}-[0-9a-f-]{27}\"(?=.{0,9}\"name\": ?\"idle)", r'"id":\1"POD-ID"', text, flags=re.S)
    text = re.sub(r"\b\d+m?s( ago\b|$)", r"AGE\1", text, flags=re.M)
    return re.sub(r"(?<=\S) {2,}", "  ", text)  # columns are as wide as the ages


def test_the_commands_of_the_reference(served, base, runtime):
    served.put("web.yaml", manifest("web", labels={"app": "web"}))
    served.put("idle.yaml", manifest("idle", namespace="batch", labels={"tier": "x"}))
    pod = sandbox(runtime, UID, {"app": "web"})
    first = pod.run_container("main")
    runs(served, first)
    ends(served, first, 3)
    runs(served, pod.run_container("main", attempt=1))
    served.watch().until(lambda e: e.name == f"idle-{NODE}", what="the other pod")
    script = 'PATH="$1:$PATH" S="$2" P="$3"; eval "$4"'
    os.mkdir(f"{base}/bin")
    os.symlink(binary(), f"{base}/bin/nodepods")
    transcript = []
    for command in COMMANDS.strip().splitlines():
        run = ["bash", "-c", script, "-", f"{base}/bin", f"{base}/h.sock", served.socket, command]
        done = subprocess.run(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        transcript += [f"$ {command}", done.stdout.rstrip("\n")] + ([f"[exit code {done.returncode}]"] if done.returncode else [])
    text = masked("\n".join(transcript) + "\n")
    golden = os.path.join(os.path.dirname(__file__), "golden", "export.txt")
    if os.environ.get("UPDATE_GOLDEN"):
        with open(golden, "w") as f:
            f.write(text)
    assert text == open(golden).read(), "if this is meant, run again with UPDATE_GOLDEN=1"


def test_a_grpc_client(served, base, runtime):
    served.put("web.yaml", manifest("web"))
    made = sandbox(runtime)
    container = made.run_container("main")
    runs(served, container)
    client = served.client("v1.PodService")
    [pod] = client.GetPods(query="Pod Name:web", pagination={"limit": 5}).pods
    assert (pod.name, pod.namespace, pod.deployment_id) == (NAME, "default", made.uid)
    [live] = pod.live_instances
    assert (live.instance_id.id, live.instance_id.node, live.container_name) == (container.id, NODE, "main")
    assert live.containing_pod_id == f"{NAME}.default@{made.uid}"
    assert live.started.seconds > 0 and not live.HasField("finished")
    [exported] = list(client.ExportPods(query="Namespace:default"))
    assert exported.pod == pod
    for bad, what in [("Nmespace:x", "unknown label"), ("Pod Name:r/(", "invalid regular expression"), ("x", "no colon")]:
        for call in (lambda: client.GetPods(query=bad), lambda: list(client.ExportPods(query=bad))):
            with pytest.raises(grpc.RpcError) as refused:
                call()
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert what in refused.value.details()
    served.client("nodepods.v1.Node").GetSources()
    with pytest.raises(grpc.RpcError):
        served.client("nodepods.v1.Lookup").Find(container_id="0000")
    get = ["curl", "-sS", "--unix-socket", f"{base}/h.sock", "http://x/metrics"]
    metrics = subprocess.run(get, check=True, capture_output=True, text=True).stdout.splitlines()
    for method, code, n in [
        ("v1.PodService/GetPods", "OK", 1),
        ("v1.PodService/GetPods", "InvalidArgument", 3),
        ("v1.PodService/ExportPods", "OK", 1),
        ("v1.PodService/ExportPods", "InvalidArgument", 3),
        ("nodepods.v1.Node/GetSources", "OK", 1),
        ("nodepods.v1.Lookup/Find", "NotFound", 1),
    ]:
        assert f'nodepods_grpc_requests_total{{method="/{method}",status_code="{code}"}} {n}' in metrics


def test_ended_instances_outlive_the_runtime_and_a_restart(served, base, runtime):
    served.put("web.yaml", manifest("web"))
    pod = sandbox(runtime)
    instances = []
    for attempt in range(3):
        container = pod.run_container("main", attempt=attempt)
        runs(served, container)
        instances.append(container)
        if attempt < 2:
            ends(served, container, attempt + 1)
    want = [(instances[0].id, 1), (instances[1].id, 2)]
    assert ended(pods(served, base)[NAME]) == want
    # what a kubelet does with dead containers
    for dead in instances[:2]:
        runtime.call("RemoveContainer", container_id=dead.id)
    runs(served, instances[2])
    assert ended(pods(served, base)[NAME]) == want
    served.stop()
    served.start()
    exported = pods(served, base)[NAME]
    assert ended(exported) == want
    assert [i["instanceId"]["id"] for i in exported["liveInstances"]] == [instances[2].id]


def memory(daemon, line):
    with open(f"/proc/{daemon.process.pid}/status") as f:
        return next(int(row.split()[1]) for row in f if row.startswith(line))


def test_an_export_of_a_thousand_pods_takes_little_memory(make_daemon, base):
    daemon = make_daemon(arguments=["--http-socket", f"{base}/h.sock"])
    for n in range(1000):
        daemon.put(f"p{n}.yaml", manifest(f"p{n}"))
    daemon.start()
    assert len(pods(daemon, base, "Pod Name:p1,p2")) == 222  # and the threads have their stacks
    with open(f"/proc/{daemon.process.pid}/clear_refs", "w") as f:
        f.write("5")  # forget the peak
    before = memory(daemon, "VmRSS")
    assert len(pods(daemon, base)) == 1000
    grown = memory(daemon, "VmHWM") - before
    assert grown < 4096, f"{grown} KiB"
