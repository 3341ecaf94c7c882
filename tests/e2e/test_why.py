"""`nodepods why` over a real containerd: things that go wrong on a node, and the reason that it gives."""
import json
import os
import subprocess
import uuid

import grpc
import pytest

from node.daemon import NODE, binary

IMAGE = "test.local/busybox:1"
NAME = f"p-{NODE}"


def why(node, *words, code=1):
    """The answer in both forms; `code` is the exit code it has to have."""
    command = [binary(), "why", "--socket", node.socket, "--pod-logs-dir", f"{node.base}/logs", *words]
    text = subprocess.run(command, capture_output=True, text=True)
    assert text.returncode == code, f"exit code {text.returncode}\n{text.stdout}{text.stderr}"
    if code > 1:
        return text.stderr
    report = subprocess.run([*command, "-o", "json"], capture_output=True, text=True)
    assert report.returncode == code
    report = json.loads(report.stdout)
    assert report["trouble"] == bool(code)
    # Lines are broken where they are full.
    return " ".join(text.stdout.split()), report


def reasons(report, weight="problem"):
    return [r["reason"] for p in report["pods"] for r in p["remarks"] if r["weight"] == weight]


def put(node, spec, name="p"):
    head = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n"
    node.put(f"{name}.yaml", head + "".join(f"  {line}\n" for line in spec))


def sandbox(runtime, uid=None):
    uid = uid or uuid.uuid4().hex
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    return runtime.run_pod(NAME, uid=uid, annotations=annotations)


def status(node, true, what):
    return node.watch().until(lambda e: e.name == NAME and true(e.pod.status), what=what)


def ended(status):
    return any(c.state.HasField("terminated") for c in status.containerStatuses)


def test_a_pod_that_runs_has_no_reason(node, runtime):
    put(node, [f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    sandbox(runtime).run_container("main")
    status(node, lambda s: s.phase == "Running", "it runs")
    text, _ = why(node, "p", code=0)
    assert text.startswith(f"default/{NAME}: Running, 1/1 ready - ") and "runs as it should" in text
    assert why(node, "p.yaml", code=0)[0] == why(node, f"{node.manifests}/p.yaml", code=0)[0] == text
    assert "no pod" in why(node, "other", code=3)


@pytest.mark.parametrize("how, code, reason, words", [
    ("exit 3", 3, "Error", "itself reports"),
    ("/no/such/program", 127, "CommandNotFound", "a command was not found"),
    ("/bin", 126, "CannotExecute", "cannot be executed"),
    ("kill -9 $$", 137, "Killed", "SIGKILL"),
    ("kill -SEGV $$", 139, "Crash", "SIGSEGV"),
])
def test_exit_codes_and_their_meaning(node, runtime, how, code, reason, words):
    put(node, ["restartPolicy: OnFailure", f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    # A shell below a shell: a signal that init sends to itself is ignored.
    sandbox(runtime).run_container("main", command=["sh", "-c", f"sh -c '{how}'; exit $?"])
    status(node, ended, "it has ended")
    text, report = why(node, "p")
    assert f"exit code {code}" in text and words in text
    assert reasons(report) == [reason] and reasons(report, "fact") == ["Restarts"]


def test_a_crash_loop_with_the_end_of_its_log(node, runtime):
    put(node, [f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    pod = sandbox(runtime)
    pod.run_container("main").end(3)
    pod.run_container("main", attempt=1).end(3)
    logs = f"{node.base}/logs/default_{NAME}_{pod.uid}/main"
    os.makedirs(logs)
    with open(f"{logs}/1.log", "w") as f:
        f.writelines(f"2026-01-02T03:04:05.{i}Z stderr F line {i}\n" for i in range(9))
    status(node, lambda s: any(c.restartCount == 1 and c.state.HasField("terminated") for c in s.containerStatuses), "twice")
    text, report = why(node, "p", "--tail", "2")
    assert "had 1 restart" in text and "wrote at last: | line 7 | line 8 known from" in text and "line 6" not in text
    assert [r["known"] for r in report["pods"][0]["remarks"]][-1] == f"{logs}/1.log"
    everything, _ = why(node)
    assert everything.startswith("1 of 1 pod is not as it should be.") and "line 8" not in everything


def test_a_container_that_needs_more_memory_than_it_may(node, runtime):
    limits = "resources: {limits: {memory: 32Mi}}"
    put(node, ["restartPolicy: Never", f"containers: [{{name: main, image: '{IMAGE}', {limits}}}]"])
    eater = ["sh", "-c", "a=x; while :; do a=$a$a; done"]
    sandbox(runtime).run_container("main", command=eater, memory=32 << 20)
    reason = status(node, ended, "it has ended").pod.status.containerStatuses[0].state.terminated.reason
    if reason != "OOMKilled":
        pytest.skip(f"this machine's cgroups do not tell an OOM kill: {reason}")
    text, report = why(node, "p")
    assert reasons(report) == ["OOMKilled"] and "its limit is 32Mi" in text


def test_a_command_that_the_runtime_cannot_start(node, runtime):
    put(node, ["restartPolicy: Never", f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    with pytest.raises(grpc.RpcError):
        sandbox(runtime).run_container("main", command=["/no/such/binary"])
    status(node, lambda s: s.phase == "Failed", "the pod failed")
    text, report = why(node, "p")
    assert "could not be started" in text and "/no/such/binary" in text
    assert reasons(report) == ["StartError"]


def test_an_image_that_is_not_there(node, runtime):
    put(node, ["containers: [{name: main, image: 'test.local/none:1', imagePullPolicy: Never}]"])
    sandbox(runtime)
    status(node, lambda s: s.podIP != "", "the sandbox is there")
    text, report = why(node, "p")
    assert reasons(report) == ["ErrImageNeverPull"] and "test.local/none:1 is not on the node" in text


def test_manifests_that_are_refused(node):
    put(node, [f"containers: [{{name: main, image: '{IMAGE}', envFrom: [{{secretRef: {{name: s}}}}]}}]"], name="ref")
    node.put("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: b\n")
    node.wait_log("broken.yaml")
    node.wait_log("ref.yaml")
    text, report = why(node)
    manifests = {os.path.basename(m["about"].split(":")[0]): m for m in report["manifests"]}
    assert manifests["broken.yaml"]["reason"] == "InvalidYAML"
    assert manifests["ref.yaml"]["reason"] == "SecretReference"
    assert f"{node.manifests}/ref.yaml:5" in "".join(m["about"] for m in report["manifests"])
    for word in ("ref", f"default/ref-{NODE}", "ref.yaml", f"{node.manifests}/ref.yaml"):
        text, report = why(node, word)
        assert "static pods may not reference secrets" in text, word


def test_a_daemon_without_its_runtime(make_daemon):
    daemon = make_daemon(endpoint="unix:///nonexistent.sock", arguments=["--init-timeout", "1ms"]).start()
    text, report = why(daemon)
    assert "SourceStarting" in [r["reason"] for r in report["node"]] and "/nonexistent.sock" in text
