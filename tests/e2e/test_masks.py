"""Field masks, selections and pages, asked for in the metadata of a request."""
import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from node.contracts import Pod
from node.daemon import manifest

MASK = "x-kubernetes-fieldmask"


def names(reply):
    return sorted(Pod.FromString(p).metadata.name for p in reply.pods)


@pytest.fixture
def three(daemon):
    for name in ("a", "b", "c"):
        daemon.put(f"{name}.yaml", manifest(name, labels={"app": name, "all": "every"}))
        daemon.watch().next("ADDED", f"{name}-test-node")
    return daemon


def test_a_mask_gives_what_was_asked_and_nothing_else(three):
    for service in ("v1alpha1.Pods", "Pods"):
        reply = three.client(service).ListPods(metadata=[(MASK, "metadata.name, status.phase")])
        for raw in reply.pods:
            pod = raw if isinstance(raw, Pod) else Pod.FromString(raw)
            assert pod.metadata.name and pod.status.phase == "Pending"
            assert not pod.metadata.uid and not pod.HasField("spec")


def test_the_binary_form(three):
    fields = FieldMask(paths=["metadata.labels['app']"])
    metadata = [(f"{MASK}-bin", fields.SerializeToString())]
    pods = [Pod.FromString(p) for p in three.client().ListPods(metadata=metadata).pods]
    assert sorted(p.metadata.labels["app"] for p in pods) == ["a", "b", "c"]
    assert all(len(p.metadata.labels) == 1 and not p.metadata.name for p in pods)


@pytest.mark.parametrize("metadata, says", [
    ([(MASK, "status.fase")], "status.phase"),
    ([(MASK, "spec"), (MASK, "status")], "multiple field masks"),
    ([("x-nodepods-label-selector", "a in")], "expected: '('"),
    ([("x-nodepods-field-selector", "spec.color=red")], "field label not supported: spec.color"),
    ([("x-nodepods-continue", "rubbish")], "continue token"),
    # A message that repeats all of it would be larger than what clients take.
    ([(MASK, "long" * 1700)], "longlonglong"),
    ([(MASK + "-bin", b"\x0a\xa0\x1f" + "é".encode() * 2000)], "invalid field mask"),
])
def test_what_is_wrong_is_refused_on_an_empty_node(daemon, metadata, says):
    with pytest.raises(grpc.RpcError) as refused:
        daemon.client().ListPods(metadata=metadata)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert says in refused.value.details()


def test_selections(three):
    ask = lambda **what: names(three.client().ListPods(
        metadata=[(f"x-nodepods-{k.replace('_', '-')}", v) for k, v in what.items()]))
    assert ask(label_selector="app in (a,c)") == ["a-test-node", "c-test-node"]
    assert ask(label_selector="all=every,app!=a") == ["b-test-node", "c-test-node"]
    assert ask(field_selector="metadata.name=b-test-node") == ["b-test-node"]
    assert ask(namespace="nowhere") == []


def test_pages_come_from_one_moment(three):
    client, seen, token = three.client(), [], None
    for _ in range(3):
        metadata = [("x-nodepods-limit", "1")] + ([("x-nodepods-continue", token)] if token else [])
        reply, call = client.ListPods.whole(metadata=metadata)
        seen += names(reply)
        token = dict(call.initial_metadata()).get("x-nodepods-continue")
        if token and len(seen) == 1:
            three.put("d.yaml", manifest("d"))
            three.watch().next("ADDED", "d-test-node")
    assert sorted(seen) == ["a-test-node", "b-test-node", "c-test-node"] and token is None


def test_a_watch_under_a_selector_and_a_mask(three):
    watch = three.watch(metadata=[(MASK, "metadata.name,metadata.labels"), ("x-nodepods-label-selector", "app=a")])
    assert list(watch.synced()) == ["a-test-node"]
    three.put("b.yaml", manifest("b", uid="fixed-b", labels={"app": "a"}))
    entered = watch.next("ADDED", "b-test-node")
    assert not entered.pod.HasField("spec")
    three.put("b.yaml", manifest("b", uid="fixed-b", labels={"app": "z"}))
    left = watch.next("DELETED", "b-test-node")
    assert left.pod.metadata.uid == "fixed-b" and left.pod.metadata.namespace == "default"
