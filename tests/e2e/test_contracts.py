"""The two contracts: the one that kubelets ship, and the one that the documentation prints."""
import os
import socket
import time

import grpc
import pytest

from node.contracts import Pod, message
from node.daemon import NODE, manifest

WEB = f"web-{NODE}"


def test_both_services_list_and_get_the_same_bytes(daemon):
    watch = daemon.watch()
    for i in range(5):
        daemon.put(f"web{i}.yaml", manifest(f"web{i}"))
        watch.next("ADDED", f"web{i}-{NODE}")
    shipped, documented = daemon.client(), daemon.client("Pods")
    listed = shipped.ListPods()
    pods = [Pod.FromString(p) for p in listed.pods]
    uids = [p.metadata.uid for p in pods]
    assert len(uids) == 5 and uids == sorted(uids)
    assert list(documented.ListPods().pods) == pods
    for raw, pod in zip(listed.pods, pods):
        assert shipped.GetPod(podUID=pod.metadata.uid).pod == raw
        assert documented.GetPod(podUID=pod.metadata.uid).pod == pod


@pytest.mark.parametrize("service", ["v1alpha1.Pods", "Pods"])
@pytest.mark.parametrize("uid", ["no-such-uid", ""])
def test_an_unknown_uid_is_not_found(daemon, service, uid):
    with pytest.raises(grpc.RpcError) as e:
        daemon.client(service).GetPod(podUID=uid)
    assert e.value.code() == grpc.StatusCode.NOT_FOUND
    assert e.value.details() == f"pod with UID {uid} not found"


def test_a_watch_has_a_burst_a_mark_and_then_changes(daemon):
    first = daemon.watch()
    daemon.put("web.yaml", manifest("web"))
    first.next("ADDED", WEB)
    watch = daemon.watch()
    watch.synced()
    assert [(e.type, e.name) for e in watch.seen] == [("ADDED", WEB), ("INITIAL_SYNC_COMPLETE", None)]
    daemon.put("more.yaml", manifest("more"))
    watch.next("ADDED", f"more-{NODE}")
    assert len(watch.seen) == 3


def test_the_documented_watch_sends_bare_pods(daemon):
    stream = daemon.client("Pods").WatchPods(timeout=30)
    daemon.put("web.yaml", manifest("web", uid="6f3a"))
    added = next(stream).pod
    assert added.metadata.name == WEB and added.spec.containers
    os.unlink(f"{daemon.manifests}/web.yaml")
    for reply in stream:
        gone = reply.pod
        if gone.metadata.annotations.get("nodepods.io/event") == "DELETED":
            break
    assert (gone.metadata.name, gone.metadata.namespace, gone.metadata.uid) == (WEB, "default", "6f3a")
    assert gone.metadata.HasField("deletionTimestamp")
    assert not gone.HasField("spec") and not gone.HasField("status")
    stream.cancel()


def test_many_watchers_see_the_same(daemon):
    watches = [daemon.watch() for _ in range(20)]
    for w in watches:
        w.synced()
    daemon.put("web.yaml", manifest("web"))
    pods = [w.next("ADDED", WEB).pod for w in watches]
    assert all(p == pods[0] for p in pods)


def test_nothing_is_answered_before_the_node_is_known(make_daemon, base):
    """A runtime that accepts and says nothing: not known yet, on every method of both services."""
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(f"{base}/silent.sock")
    silent.listen(16)
    d = make_daemon(endpoint=f"unix://{base}/silent.sock", arguments=("--init-timeout", "0")).spawn()
    d.put("web.yaml", manifest("web"))
    for service in ("v1alpha1.Pods", "Pods"):
        client = d.client(service)
        calls = [lambda: client.ListPods(), lambda: client.GetPod(podUID="x"), lambda: next(client.WatchPods())]
        for call in calls:
            end = time.monotonic() + 15
            while True:
                with pytest.raises(grpc.RpcError) as e:
                    call()
                if e.value.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
                    break
            assert e.value.code() == grpc.StatusCode.FAILED_PRECONDITION, e.value.details()
    silent.close()


def test_a_silent_runtime_is_waited_for_only_so_long(make_daemon, base):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{base}/silent.sock")
        silent.listen(16)
        d = make_daemon(endpoint=f"unix://{base}/silent.sock", arguments=("--init-timeout", "1s"))
        d.put("web.yaml", manifest("web"))
        d.start()
        assert list(d.list()) == [WEB]
        # Initial metadata says that these pods are not the whole truth.
        rpc = grpc.insecure_channel(f"unix:{d.socket}").unary_unary("/v1alpha1.Pods/ListPods")
        _, call = rpc.with_call(b"", timeout=5)
        assert ("x-nodepods-incomplete", "cri") in [(k, v) for k, v in call.initial_metadata()]


def test_a_field_mask_cuts(daemon):
    watch = daemon.watch()
    daemon.put("web.yaml", manifest("web", labels={"app": "web"}))
    watch.next("ADDED", WEB)
    mask = (("x-kubernetes-fieldmask", "metadata.name, status.phase"),)
    (raw,) = daemon.client().ListPods(metadata=mask).pods
    pod = Pod.FromString(raw)
    assert pod.metadata.name == WEB and pod.status.phase
    assert not pod.metadata.uid and not pod.metadata.labels and not pod.HasField("spec")
    with pytest.raises(grpc.RpcError) as e:
        daemon.client().ListPods(metadata=(("x-kubernetes-fieldmask", "metadata.nmae"),))
    assert e.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "nmae" in e.value.details()


def test_an_unknown_request_field_is_accepted(daemon):
    rpc = grpc.insecure_channel(f"unix:{daemon.socket}").unary_unary("/v1alpha1.Pods/ListPods")
    message("v1alpha1.ListPodsResponse").FromString(rpc(b"\x3a\x03abc", timeout=5))
