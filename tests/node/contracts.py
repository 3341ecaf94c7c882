"""Messages and clients from the .proto files, made at run time.

protoc writes one descriptor set; everything else comes from that, so that no generated module shadows another
(`grpc/health/v1` would hide the package grpc).
"""
import os
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = [
    "pods_v1alpha1.proto",
    "pods.proto",
    "api/v1/pod_service.proto",
    "nodepods/v1/lookup.proto",
    "nodepods/v1/node.proto",
    "grpc/health/v1/health.proto",
    "runtime/v1/runtime.proto",
    "runtime/v1/lifecycle.proto",
]
MAX_REPLY = 64 << 20


def _pool():
    include = [f"-I{ROOT}/proto", f"-I{ROOT}/tests/proto"]
    include.append("-I" + os.path.join(os.path.dirname(protoc.__file__), "_proto"))
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        code = protoc.main(["protoc", *include, "--include_imports", f"--descriptor_set_out={out.name}", *FILES])
        if code:
            raise RuntimeError(f"protoc refused proto/: exit code {code}")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read()).file
    pool = descriptor_pool.DescriptorPool()
    for f in files:
        pool.Add(f)
    return pool


POOL = _pool()


def message(name):
    """The class of a message, by its full name."""
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(name))


Pod = message("k8s.io.api.core.v1.Pod")


def channel(path):
    """A channel to a unix socket. Several in one process do not share a connection."""
    return grpc.insecure_channel(
        f"unix:{path}",
        options=[
            ("grpc.max_receive_message_length", MAX_REPLY),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 50),
            # how long an attempt may take: on a busy machine even a handshake does
            ("grpc.min_reconnect_backoff_ms", 5000),
            ("grpc.max_reconnect_backoff_ms", 200),
        ],
    )


class Client:
    """Calls the methods of one service by name: `Client(channel, "Pods").GetPod(podUID="x")`."""

    def __init__(self, over, service):
        for method in POOL.FindServiceByName(service).methods:
            make = over.unary_stream if method.server_streaming else over.unary_unary
            request = message_factory.GetMessageClass(method.input_type)
            reply = message_factory.GetMessageClass(method.output_type)
            setattr(self, method.name, self._call(make, service, method.name, request, reply))

    @staticmethod
    def _call(make, service, method, request, reply):
        rpc = make(f"/{service}/{method}", request.SerializeToString, reply.FromString)

        def call(timeout=10, metadata=None, **fields):
            return rpc(request(**fields), timeout=timeout, metadata=metadata)

        # the reply of a unary call, and the call with its metadata
        call.whole = lambda timeout=10, metadata=None, **fields: rpc.with_call(
            request(**fields), timeout=timeout, metadata=metadata
        )
        return call
