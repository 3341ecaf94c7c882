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

    def __init__(self, case, directory, node, t_ns=0):
        self.name, self.node, self.t_ns = f"{os.path.basename(case)}/{directory}", node, t_ns
        self.dir = f"{case}/{directory}"
        with open(f"{self.dir}/ListPodsResponse.pb", "rb") as f:
            reply = message("v1alpha1.ListPodsResponse").FromString(f.read())
        self.pods = by_name(reply)
        with open(f"{self.dir}/pods.json") as f:
            items = json.load(f)["items"] or []
        self.printed = {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in items}
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
            yield Snapshot(case, snapshot["dir"], about["node"], snapshot["t_ns"])


def all_recordings(root):
    return sorted(glob.glob(f"{root}/tests/recordings/*/"))


def by_name(reply):
    pods = [Pod.FromString(p) for p in reply.pods]
    return {(p.metadata.namespace, p.metadata.name): p for p in pods}


def moved(method, answer, later_ns):
    """An answer of the runtime with all its times moved."""
    reply = message(f"runtime.v1.{method}Response").FromString(answer)
    for of in [*getattr(reply, "items", []), *getattr(reply, "containers", []), getattr(reply, "status", None)]:
        for field in ("created_at", "started_at", "finished_at"):
            if getattr(of, field, 0) > 0:
                setattr(of, field, getattr(of, field) + later_ns)
    return reply.SerializeToString()


class Runtime(grpc.GenericRpcHandler):
    """`runtime.v1.RuntimeService` that gives a snapshot's answers; with `now_ns`, as if they were of that moment.

    The image service was not recorded: it has the images that containers of the snapshot run.
    """

    def __init__(self, snapshot, socket, now_ns=0):
        self._answers = snapshot.answers
        if now_ns:
            later = now_ns - snapshot.t_ns
            self._answers = {key: moved(key[0], answer, later) for key, answer in snapshot.answers.items()}
        self._runs = snapshot.runtime_mentions
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
        if method == "/runtime.v1.ImageService/ImageStatus":
            # ImageStatusRequest{image: ImageSpec{image}}, in short strings; the answer has an image or nothing.
            return b"\x0a\x00" if self._runs(request[4:].decode()) else b""
        subject = ""
        if method in ("PodSandboxStatus", "ContainerStatus"):
            asked = message(f"runtime.v1.{method}Request").FromString(request)
            subject = asked.pod_sandbox_id if method == "PodSandboxStatus" else asked.container_id
        answer = self._answers.get((method, subject))
        if answer is None:
            known = any(m == method for m, _ in self._answers)
            context.abort(grpc.StatusCode.NOT_FOUND if known or subject else grpc.StatusCode.UNIMPLEMENTED, "not recorded")
        return answer
