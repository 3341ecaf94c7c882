"""The daemon under test: `$NODEPODS_BIN serve` with directories and sockets of its own."""
import os
import signal
import subprocess
import time

import grpc

from . import contracts
from .contracts import Pod
from .watch import Watch

NODE = "test-node"
_NOT_YET = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.FAILED_PRECONDITION)


def binary():
    path = os.environ.get("NODEPODS_BIN", f"{contracts.ROOT}/target/debug/nodepods")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"no binary at {path}: build it, or say where it is in NODEPODS_BIN")
    return os.path.abspath(path)


class Daemon:
    """Manifests in `manifests`, a socket at `socket`, state in `state`, with `http` another at `http_socket`, where
    commands look for it; all below `base`."""

    def __init__(self, base, endpoint="none", sockets=None, node=NODE, arguments=(), wrapper=(), http=False):
        self.base = str(base)
        self.manifests = f"{self.base}/manifests"
        self.sockets = sockets or [f"{self.base}/p.sock"]
        self.socket = self.sockets[0]
        self.http_socket = f"{os.path.dirname(self.socket)}/http.sock"
        self.state = f"{self.base}/state"
        os.makedirs(self.manifests, exist_ok=True)
        self._log_path = f"{self.base}/log"
        self.command = [*wrapper, binary(), "serve"]
        self.command += ["--pod-manifest-path", self.manifests, "--container-runtime-endpoint", endpoint]
        self.command += ["--hostname-override", node, "--state-dir", self.state]
        for s in self.sockets:
            self.command += ["--socket", s]
        self.command += ["--http-socket", self.http_socket] if http else []
        self.command += arguments
        self.process = None
        self._channels = []

    def spawn(self):
        """Starts the process and does not wait for it."""
        with open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def start(self):
        """Starts the process and waits until it answers with pods: `first`."""
        self.spawn()
        self.first = self.wait_ready()
        return self

    def wait_ready(self, socket=None, timeout=20):
        client = self.client(socket=socket)
        end = time.monotonic() + timeout
        while True:
            try:
                return client.ListPods(timeout=5)
            except grpc.RpcError as e:
                if self.process.poll() is not None:
                    raise AssertionError(f"exit code {self.process.returncode}:\n{self.log()}") from e
                if e.code() not in _NOT_YET or time.monotonic() > end:
                    raise AssertionError(f"not ready: {e.code()} {e.details()}\n{self.log()}") from e
            time.sleep(0.01)

    def client(self, service="v1alpha1.Pods", socket=None):
        """A client on a connection of its own."""
        channel = contracts.channel(socket or self.socket)
        self._channels.append(channel)
        return contracts.Client(channel, service)

    def list(self):
        """The pods as decoded messages by name, and in their order."""
        pods = [Pod.FromString(p) for p in self.client().ListPods().pods]
        return {p.metadata.name: p for p in pods}

    def watch(self, metadata=None):
        return Watch(self.client().WatchPods(timeout=300, metadata=metadata))

    def sources(self):
        """What the daemon says about its sources, and the sources by name."""
        told = self.client("nodepods.v1.Node").GetSources()
        return told, {s.name: s for s in told.sources}

    def log(self):
        with open(self._log_path, errors="replace") as f:
            return f.read()

    def wait_log(self, text, timeout=15):
        """Waits until the log says `text`, beginning where this process began; the line that does."""
        end = time.monotonic() + timeout
        while True:
            for line in self.log().splitlines():
                if text in line:
                    return line
            assert time.monotonic() < end, f"the log never says {text!r}:\n{self.log()}"
            time.sleep(0.02)

    def put(self, name, text):
        """Writes a manifest beside the directory and moves it into place, as careful tools do."""
        staged = f"{self.base}/.{name}.new"
        with open(staged, "w" if isinstance(text, str) else "wb") as f:
            f.write(text)
        os.rename(staged, f"{self.manifests}/{name}")

    def stop(self, how=signal.SIGTERM, timeout=10):
        """Ends the process; its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"alive {timeout} s after {how!r}:\n{self.log()}") from None

    def close_channels(self):
        """Leaves the daemon without a client."""
        while self._channels:
            self._channels.pop().close()

    def close(self):
        self.close_channels()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def manifest(name, namespace=None, image="test.local/busybox:1", uid=None, labels=None):
    """A small static pod in YAML."""
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", f"  name: {name}"]
    lines += [f"  namespace: {namespace}"] if namespace else []
    lines += [f"  uid: {uid}"] if uid else []
    if labels:
        lines += ["  labels:"] + [f"    {k}: {v}" for k, v in labels.items()]
    lines += ["spec:", "  containers:", "  - name: main", f"    image: {image}", ""]
    return "\n".join(lines)
