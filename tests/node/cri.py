"""Makes and ends pods over CRI with the labels and annotations that a kubelet gives them."""
import os
import uuid

from . import contracts, images

_SERVICE = "runtime.v1."


class Runtime:
    """`runtime.v1.RuntimeService`, reading and writing."""

    def __init__(self, containerd):
        self.containerd = containerd
        self._channel = contracts.channel(containerd.socket)
        self.pods = []

    def call(self, method, **fields):
        """One unary call; waits for a runtime that is only just coming up."""
        request = contracts.message(f"{_SERVICE}{method}Request")
        reply = contracts.message(f"{_SERVICE}{method}Response")
        path = f"/{_SERVICE}RuntimeService/{method}"
        rpc = self._channel.unary_unary(path, request.SerializeToString, reply.FromString)
        return rpc(request(**fields), timeout=60, wait_for_ready=True)

    def run_pod(self, name, namespace="default", uid=None, labels=None, annotations=None, attempt=0):
        """Runs a sandbox. Static pods are told by the annotations `kubernetes.io/config.*`."""
        pod = Sandbox(self, name, namespace, uid or str(uuid.uuid4()), labels or {}, annotations or {}, attempt)
        self.pods.append(pod)
        return pod

    def close(self):
        for pod in list(self.pods):
            pod.remove()
        self._channel.close()


class Sandbox:
    """A pod in the runtime."""

    def __init__(self, runtime, name, namespace, uid, labels, annotations, attempt):
        self.runtime, self.name, self.namespace, self.uid = runtime, name, namespace, uid
        self.identity = {
            "io.kubernetes.pod.name": name,
            "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.uid": uid,
        }
        self.config = {
            "metadata": {"name": name, "uid": uid, "namespace": namespace, "attempt": attempt},
            "hostname": name,
            "log_directory": f"{runtime.containerd.logs}/{namespace}_{name}_{uid}",
            "labels": {**labels, **self.identity},
            "annotations": annotations,
            "linux": {"cgroup_parent": f"{runtime.containerd.cgroup}/pod{uid}"},
        }
        os.makedirs(self.config["log_directory"], exist_ok=True)
        self.id = runtime.call("RunPodSandbox", config=self.config).pod_sandbox_id

    def run_container(self, name, attempt=0, **how):
        """Starts a container that runs until `Container.end` says how it ends. `start=False` only creates it, another
        `command` runs that instead, `memory` limits it to so many bytes."""
        return Container(self, name, attempt, **how)

    def stop(self):
        self.runtime.call("StopPodSandbox", pod_sandbox_id=self.id)

    def remove(self):
        """Stops and removes the sandbox with its containers."""
        self.stop()
        self.runtime.call("RemovePodSandbox", pod_sandbox_id=self.id)
        self.runtime.pods.remove(self)


class Container:
    """A shell that waits for its exit code at a named pipe."""

    def __init__(self, pod, name, attempt, command=None, start=True, memory=0):
        self.pod, self.name = pod, name
        control = f"{pod.runtime.containerd.dir}/control/{pod.uid}-{name}-{attempt}"
        os.makedirs(control)
        self._pipe = f"{control}/exit"
        os.mkfifo(self._pipe)
        config = {
            "metadata": {"name": name, "attempt": attempt},
            "image": {"image": images.BUSYBOX},
            "command": command or ["sh", "-c", "read code </control/exit; exit $code"],
            "mounts": [{"container_path": "/control", "host_path": control}],
            "labels": {**pod.identity, "io.kubernetes.container.name": name},
            "annotations": {
                "io.kubernetes.container.restartCount": str(attempt),
                "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
                "io.kubernetes.container.terminationMessagePolicy": "File",
                "io.kubernetes.pod.terminationGracePeriod": "30",
            },
            "log_path": f"{name}/{attempt}.log",
        }
        os.makedirs(f"{pod.config['log_directory']}/{name}", exist_ok=True)
        if memory:
            config["linux"] = {"resources": {"memory_limit_in_bytes": memory}}
        self.id = pod.runtime.call(
            "CreateContainer", pod_sandbox_id=pod.id, config=config, sandbox_config=pod.config
        ).container_id
        if start:
            self.start()

    def start(self):
        self.pod.runtime.call("StartContainer", container_id=self.id)

    def end(self, code):
        """Ends the container with an exit code."""
        with open(self._pipe, "w") as f:
            f.write(f"{code}\n")

    def status(self):
        return self.pod.runtime.call("ContainerStatus", container_id=self.id).status


