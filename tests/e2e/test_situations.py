"""Situations that the recordings do not have, made over a real containerd: what a kubelet's rules say of each.

The manifests are a node's own; the sandboxes and containers carry what a kubelet would have written on them.
"""
import uuid

import grpc
import pytest

from node.daemon import NODE

HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
IMAGE = "test.local/busybox:1"
NAME = f"p-{NODE}"


def put(node, spec):
    node.put("p.yaml", HEAD + "".join(f"  {line}\n" for line in spec))


def sandbox(runtime, uid=None, attempt=0):
    uid = uid or uuid.uuid4().hex
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    return runtime.run_pod(NAME, uid=uid, annotations=annotations, attempt=attempt)


def status(node, true, what):
    """The status of the pod, once it is as it should be."""
    return node.watch().until(lambda e: e.name == NAME and true(e.pod.status), what=what).pod.status


def by_name(statuses):
    return {s.name: s for s in statuses}


def conditions(status):
    return {c.type: (c.status, c.reason, c.message) for c in status.conditions}


def test_a_sidecar_counts_as_started(node, runtime):
    put(node, [
        f"initContainers: [{{name: side, image: '{IMAGE}', restartPolicy: Always}}]",
        f"containers: [{{name: main, image: '{IMAGE}'}}]",
    ])
    pod = sandbox(runtime)
    pod.run_container("side")
    waits = status(node, lambda s: any(c.state.HasField("running") for c in s.initContainerStatuses), "the sidecar runs")
    assert waits.phase == "Pending"
    assert by_name(waits.containerStatuses)["main"].state.waiting.reason == "PodInitializing"
    pod.run_container("main")
    runs = status(node, lambda s: s.phase == "Running", "both run")
    assert by_name(runs.initContainerStatuses)["side"].started and by_name(runs.initContainerStatuses)["side"].ready
    assert conditions(runs)["Initialized"][0] == "True"
    assert conditions(runs)["Ready"][0] == "True"


def test_a_failed_init_container_fails_the_pod_that_never_restarts(node, runtime):
    put(node, [
        "restartPolicy: Never",
        f"initContainers: [{{name: setup, image: '{IMAGE}'}}]",
        f"containers: [{{name: main, image: '{IMAGE}'}}]",
    ])
    sandbox(runtime).run_container("setup").end(2)
    failed = status(node, lambda s: s.phase == "Failed", "the pod failed")
    assert by_name(failed.initContainerStatuses)["setup"].state.terminated.exitCode == 2
    found = conditions(failed)
    assert found["Initialized"] == ("False", "ContainersNotInitialized", "containers with incomplete status: [setup]")
    assert found["Ready"][:2] == ("False", "PodFailed")
    assert found["ContainersReady"][:2] == ("False", "PodFailed")


def test_one_container_done_and_one_running(node, runtime):
    put(node, [
        "restartPolicy: OnFailure",
        f"containers: [{{name: b, image: '{IMAGE}'}}, {{name: a, image: '{IMAGE}'}}]",
    ])
    pod = sandbox(runtime)
    pod.run_container("a")
    pod.run_container("b").end(0)
    got = status(node, lambda s: any(c.state.HasField("terminated") for c in s.containerStatuses), "b has ended")
    assert got.phase == "Running"
    assert [c.name for c in got.containerStatuses] == ["a", "b"]
    message = "containers with unready status: [b]"
    assert conditions(got)["Ready"] == ("False", "ContainersNotReady", message)
    assert by_name(got.containerStatuses)["b"].state.terminated.reason == "Completed"


def test_a_container_that_cannot_start(node, runtime):
    put(node, ["restartPolicy: Never", f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    with pytest.raises(grpc.RpcError):
        sandbox(runtime).run_container("main", command=["/no/such/binary"])
    failed = status(node, lambda s: s.phase == "Failed", "the pod failed")
    ended = by_name(failed.containerStatuses)["main"].state.terminated
    assert (ended.exitCode, ended.reason) == (128, "StartError")
    assert "/no/such/binary" in ended.message
    assert ended.startedAt.seconds == 0


def test_a_container_that_was_created_and_not_started(node, runtime):
    put(node, [f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    container = sandbox(runtime).run_container("main", start=False)
    created = status(node, lambda s: any(c.containerID for c in s.containerStatuses), "the container is there")
    assert created.phase == "Pending"
    main = by_name(created.containerStatuses)["main"]
    assert main.state.HasField("waiting") and main.state.waiting.reason == ""
    assert not main.ready and not main.started
    container.start()
    assert status(node, lambda s: s.phase == "Running", "it runs").containerStatuses[0].ready


def test_a_second_sandbox_carries_the_history_on(node, runtime):
    put(node, [f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    first = sandbox(runtime)
    first.run_container("main")
    before = status(node, lambda s: s.phase == "Running", "the first sandbox runs")
    first.stop()
    second = sandbox(runtime, uid=first.uid, attempt=1)
    second.run_container("main", attempt=1)
    after = status(node, lambda s: any(c.restartCount == 1 for c in s.containerStatuses), "the second one runs")
    assert after.phase == "Running"
    assert after.podIP and after.podIP != before.podIP
    main = by_name(after.containerStatuses)["main"]
    assert main.lastState.terminated.containerID == by_name(before.containerStatuses)["main"].containerID
    assert conditions(after)["PodReadyToStartContainers"][0] == "True"


def test_all_done_is_succeeded(node, runtime):
    put(node, ["restartPolicy: OnFailure", f"containers: [{{name: main, image: '{IMAGE}'}}]"])
    pod = sandbox(runtime)
    pod.run_container("main").end(1)
    again = status(node, lambda s: any(c.state.HasField("terminated") for c in s.containerStatuses), "it failed once")
    assert again.phase == "Running", "it will be started again"
    pod.run_container("main", attempt=1).end(0)
    done = status(node, lambda s: s.phase == "Succeeded", "it is done")
    assert conditions(done)["Ready"][:2] == ("False", "PodCompleted")
    assert conditions(done)["Initialized"][:2] == ("True", "PodCompleted")
    assert done.containerStatuses[0].restartCount == 1


def test_probes_are_not_answered_for(node, runtime):
    put(node, [
        "containers:",
        f"- {{name: main, image: '{IMAGE}', readinessProbe: {{exec: {{command: ['true']}}}}}}",
    ])
    sandbox(runtime).run_container("main")
    runs = status(node, lambda s: s.phase == "Running", "it runs")
    assert not runs.containerStatuses[0].ready
    ready, reason, message = conditions(runs)["Ready"]
    assert ready == "Unknown" and reason == "ProbeResultUnknown" and "probe" in message
