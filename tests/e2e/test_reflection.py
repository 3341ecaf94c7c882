"""Server reflection: clients that have no proto files."""
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2 as asked
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from node import contracts
from node.daemon import NODE, manifest


def serialize(message):
    return message.SerializeToString()


@pytest.fixture
def channel(daemon):
    with contracts.channel(daemon.socket) as channel:
        yield channel


def test_the_services_are_listed(channel):
    assert sorted(ProtoReflectionDescriptorDatabase(channel).get_services()) == [
        "Pods",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "nodepods.v1.Lookup",
        "nodepods.v1.Node",
        "v1.PodService",
        "v1alpha1.Pods",
    ]


@pytest.mark.parametrize("service", ["v1alpha1.Pods", "Pods"])
def test_pods_are_read_with_messages_built_from_reflection(daemon, channel, service):
    watch = daemon.watch()
    daemon.put("web.yaml", manifest("web"))
    watch.next("ADDED", f"web-{NODE}")
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName(service).FindMethodByName("ListPods")
    call = channel.unary_unary(
        f"/{service}/ListPods", serialize, GetMessageClass(method.output_type).FromString
    )
    pods = list(call(GetMessageClass(method.input_type)()).pods)
    if service == "v1alpha1.Pods":
        pod = GetMessageClass(pool.FindMessageTypeByName("k8s.io.api.core.v1.Pod"))
        pods = [pod.FromString(p) for p in pods]
    assert [p.metadata.name for p in pods] == [f"web-{NODE}"]
    assert pods[0].spec.containers


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_one_stream_answers_all_questions_in_order(channel, version):
    ask = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        serialize,
        asked.ServerReflectionResponse.FromString,
    )
    question = asked.ServerReflectionRequest
    extension = asked.ExtensionRequest(containing_type="google.protobuf.FieldOptions", extension_number=50700)
    answers = ask(iter([
        question(host="node", file_by_filename="pods.proto"),
        question(file_containing_symbol="no.such.Thing"),
        question(file_containing_extension=extension),
        question(all_extension_numbers_of_type="google.protobuf.FieldOptions"),
        question(),
    ]), timeout=20)
    by_name, unknown, extending, numbers, nothing = answers
    assert by_name.valid_host == "node" and by_name.original_request.file_by_filename == "pods.proto"
    assert len(by_name.file_descriptor_response.file_descriptor_proto) > 1
    assert unknown.error_response.error_code == 5
    assert extending.file_descriptor_response.file_descriptor_proto
    assert list(numbers.all_extension_numbers_response.extension_number) == [50700]
    assert nothing.error_response.error_code == 3
