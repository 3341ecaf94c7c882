"""A recorded node: the manifests, the runtime's raw answers, and what the kubelet served, at one moment."""
import concurrent.futures
import glob
import json
import os
import shutil

import grpc

from node.contracts import Pod, message


class Snapshot:
    """One moment of a recorded case."""

    def __init__(self, case, directory, node):
        self.name, self.node = f"{os.path.basename(case)}/{directory}", node
        self.dir = f"{case}/{directory}"
        with open(f"{self.dir}/ListPodsResponse.pb", "rb") as f:
            reply = message("v1alpha1.ListPodsResponse").FromString(f.read())
        self.pods = by_name(reply)
        with open(f"{self.dir}/cri/index.json") as f:
            index = json.load(f)
        self.answers = {}
        for entry in index:
            with open(f"{self.dir}/cri/{entry['file']}", "rb") as f:
                self.answers[entry["rpc"], entry["id"]] = f.read()

    def runtime_mentions(self, text):
        """True if the runtime said `text` anywhere."""
        return any(text.encode() in answer for answer in self.answers.values())

    def lay_manifests(self, target):
        if os.path.isdir(f"{self.dir}/manifests"):
            shutil.copytree(f"{self.dir}/manifests", target, dirs_exist_ok=True)


def cases(directories):
    for case in directories:
        case = case.rstrip("/")
        with open(f"{case}/case.json") as f:
            about = json.load(f)
        for snapshot in about["snapshots"]:
            yield Snapshot(case, snapshot["dir"], about["node"])


def all_recordings(root):
    return sorted(glob.glob(f"{root}/tests/recordings/*/"))


def by_name(reply):
    pods = [Pod.FromString(p) for p in reply.pods]
    return {(p.metadata.namespace, p.metadata.name): p for p in pods}


class Runtime(grpc.GenericRpcHandler):
    """`runtime.v1.RuntimeService` that gives a snapshot's answers."""

    def __init__(self, snapshot, socket):
        self._answers = snapshot.answers
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((self,))
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()

    def stop(self):
        self._server.stop(0)

    def service(self, details):
        method = details.method.removeprefix("/runtime.v1.RuntimeService/")
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._answer(method, request, context))

    def _answer(self, method, request, context):
        if method == "Version":
            version = message("runtime.v1.VersionResponse")
            return version(
                version="0.1.0", runtime_name="containerd", runtime_version="1.6.20", runtime_api_version="v1"
            ).SerializeToString()
        if method == "Status":
            conditions = [{"type": t, "status": True} for t in ("RuntimeReady", "NetworkReady")]
            return message("runtime.v1.StatusResponse")(status={"conditions": conditions}).SerializeToString()
        subject = ""
        if method in ("PodSandboxStatus", "ContainerStatus"):
            asked = message(f"runtime.v1.{method}Request").FromString(request)
            subject = asked.pod_sandbox_id if method == "PodSandboxStatus" else asked.container_id
        answer = self._answers.get((method, subject))
        if answer is None:
            known = any(m == method for m, _ in self._answers)
            context.abort(grpc.StatusCode.NOT_FOUND if known or subject else grpc.StatusCode.UNIMPLEMENTED, "not recorded")
        return answer
