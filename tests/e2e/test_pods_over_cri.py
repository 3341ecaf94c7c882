"""Pods of a real containerd, as clients see them come, change and go."""
import os
import uuid

from node.contracts import Pod
from node.daemon import NODE, manifest

# A pod known from the runtime alone stays listed for 60 s after its last sandbox.
LINGER = 60


def container(pod, name="main"):
    return next(c for c in pod.status.containerStatuses if c.name == name)


def static(runtime, name):
    """The sandbox that a kubelet would have made for the manifest `name`."""
    uid = uuid.uuid4().hex
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    return runtime.run_pod(f"{name}-{NODE}", uid=uid, annotations=annotations)


def test_a_pod_made_over_cri_is_in_list_get_and_watch(node, runtime):
    watch = node.watch()
    assert watch.synced() == {}
    made = runtime.run_pod("web", labels={"app": "web"})
    ctr = made.run_container("main")
    running = lambda e: e.name == "web" and any(c.state.HasField("running") for c in e.pod.status.containerStatuses)
    seen = watch.until(running, what="web with a running container").pod

    listed = node.list()["web"]
    got = Pod.FromString(node.client().GetPod(podUID=made.uid).pod)
    assert listed == got
    for pod in (seen, got):
        assert pod.metadata.uid == made.uid
        assert pod.metadata.namespace == "default"
        assert pod.metadata.labels["app"] == "web"
        assert pod.spec.nodeName == NODE
    assert container(got).containerID == f"containerd://{ctr.id}"
    assert container(got).state.HasField("running")
    assert got.status.phase == "Running"
    assert got.status.podIP.startswith("10.213.")


def test_an_exit_is_a_modified(node, runtime):
    pod = runtime.run_pod("job")
    ctr = pod.run_container("main")
    watch = node.watch()
    watch.until(
        lambda e: e.name == "job" and any(c.state.HasField("running") for c in e.pod.status.containerStatuses),
        what="job running",
    )
    ctr.end(3)
    event = watch.next("MODIFIED", "job", lambda p: container(p).state.HasField("terminated"))
    assert container(event.pod).state.terminated.exitCode == 3
    assert container(event.pod).state.terminated.reason == "Error"
    assert not container(event.pod).ready


def test_a_restarted_container_counts(node, runtime):
    pod = runtime.run_pod("flaky")
    pod.run_container("main").end(1)
    watch = node.watch()
    second = pod.run_container("main", attempt=1)

    def both(event):
        if event.name != "flaky" or not event.pod.status.containerStatuses:
            return False
        status = container(event.pod)
        return status.state.HasField("running") and status.lastState.HasField("terminated")

    status = container(watch.until(both, what="the second one running, the first one ended").pod)
    assert status.restartCount == 1
    assert status.containerID == f"containerd://{second.id}"
    assert status.lastState.terminated.exitCode == 1


def test_a_static_pod_is_deleted_with_its_last_container(node, runtime):
    node.put("web.yaml", manifest("web"))
    watch = node.watch()
    name = f"web-{NODE}"
    watch.next("ADDED", name)
    made = static(runtime, "web")
    made.run_container("main")
    watch.until(
        lambda e: e.name == name and e.pod.metadata.uid == made.uid and e.pod.status.phase == "Running",
        what="the manifest's pod with the sandbox's UID, running",
    )
    node_list = node.list()
    assert [p.metadata.uid for p in node_list.values()] == [made.uid], "one pod from two sources"

    os.unlink(f"{node.manifests}/web.yaml")
    leaving = watch.next("MODIFIED", name, lambda p: p.metadata.HasField("deletionTimestamp"))
    assert leaving.pod.metadata.uid == made.uid
    assert leaving.pod.metadata.deletionGracePeriodSeconds == 30, "kubectl describe crashes without"
    made.remove()
    gone = watch.next("DELETED", name)
    assert (gone.pod.metadata.namespace, gone.pod.metadata.uid) == ("default", made.uid)
    assert node.list() == {}


def test_a_pod_of_the_runtime_alone_is_deleted_after_its_removal(node, runtime):
    pod = runtime.run_pod("gone")
    watch = node.watch()
    watch.until(lambda e: e.name == "gone", what="gone")
    pod.remove()
    event = watch.next("DELETED", "gone", timeout=LINGER + 15)
    assert event.pod.metadata.uid == pod.uid
    assert "gone" not in node.list()
    types = [e.type for e in watch.seen if e.name == "gone"]
    assert types.count("DELETED") == 1 and types[-1] == "DELETED"


def test_containerd_restarts_under_running_pods(node, containerd, runtime):
    pods = [runtime.run_pod(f"steady-{i}") for i in range(3)]
    containers = [p.run_container("main") for p in pods]
    watch = node.watch()
    for p in pods:
        if not any(e.name == p.name and e.pod.status.phase == "Running" for e in watch.seen):
            watch.until(
                lambda e: e.name == p.name and e.pod.status.phase == "Running", what=f"{p.name} running"
            )
    before = node.list()

    containerd.stop()
    node.wait_log(f"{containerd.socket} does not answer")
    during = node.list()
    containerd.start()
    # The exit of a container proves that the runtime is being read again.
    containers[0].end(0)
    watch.next(
        "MODIFIED", "steady-0", lambda p: any(c.state.HasField("terminated") for c in p.status.containerStatuses), 30
    )
    after = node.list()
    assert set(before) == set(during) == set(after)
    assert [e for e in watch.seen if e.type == "DELETED"] == []
    for name in ("steady-1", "steady-2"):
        assert after[name].status.containerStatuses == before[name].status.containerStatuses


def test_a_runtime_that_comes_later_is_taken_up(make_daemon, containerd, runtime):
    pod = runtime.run_pod("early")
    d = make_daemon(endpoint=containerd.endpoint)
    containerd.stop()
    try:
        d.spawn()
        d.wait_log(containerd.socket)
    finally:
        containerd.start()
    d.wait_ready(timeout=30)
    assert d.list()["early"].metadata.uid == pod.uid
