"""Figures with all sources on: files, a manifest URL, an API server over TLS and a runtime with hints."""
import contextlib
import json
import signal
import socket
import statistics
import tempfile
import time

import pods
from bench import Bench, cpu_seconds, memory
from node.cri import Runtime
from node.daemon import NODE
from standins.apiserver import ApiServer
from standins.cluster import CERTIFICATE, TLS, kubeconfig
from standins.web import Web


def milliseconds(what, taken, most):
    """A row: the median, with the best and the worst."""
    low, high = min(taken) * 1000, max(taken) * 1000
    what = f"{what}, median of {len(taken)} (from {low:.0f} to {high:.0f})"
    return what, statistics.median(taken) * 1000, "ms", most


def shows(pod, field):
    """Whether an event shows a container of the pod in that state."""
    return lambda e: e.name == pod.name and any(c.state.HasField(field) for c in e.pod.status.containerStatuses)


def killed_to_modified(containerd):
    """SIGKILL for the container's first process; from the runtime's own finished_at to the event, with hints."""
    runtime = Runtime(containerd)
    try:
        with Bench(containerd.endpoint, ["--runtime-state-dir", f"{containerd.dir}/state"]) as daemon:
            daemon.start()
            watch = daemon.watch()
            taken, theirs = [], []
            for i in range(21):
                pod = runtime.run_pod(f"kill-{i}")
                container = pod.run_container("main")
                watch.until(shows(pod, "running"))
                time.sleep(0.4 + 0.037 * i)  # the hints of the start have passed; then all parts of the poll interval
                runtime.call("StopContainer", container_id=container.id, timeout=0)
                known = time.time()  # it returns when the runtime itself knows
                event = watch.until(shows(pod, "terminated"))
                ended = container.status().finished_at / 1e9
                taken.append(event.at - ended)
                theirs.append(known - ended)
                pod.remove()
            own = statistics.median(theirs) * 1000
            return milliseconds(f"container killed to MODIFIED (runtime alone {own:.0f})", taken, 60)
    finally:
        runtime.close()


@contextlib.contextmanager
def everything(containerd, api_pods):
    """A daemon with every source, not started yet, and the API server."""
    web, api = Web(), ApiServer(tls=TLS)
    web.body = json.dumps({"apiVersion": "v1", "kind": "PodList", "items": []}).encode()
    for i in range(api_pods):
        api.put(pods.of_api(i, NODE))
    try:
        with tempfile.TemporaryDirectory(prefix="npf-", dir="/var/tmp") as base:
            arguments = ["--manifest-url", web.url, "--kubeconfig", kubeconfig(base, api, CERTIFICATE)]
            arguments += ["--runtime-state-dir", f"{containerd.dir}/state"]
            with Bench(containerd.endpoint, arguments) as daemon:
                yield daemon, api
    finally:
        with contextlib.suppress(OSError):
            api.close()
        web.close()


def start(daemon, n):
    """Starts it and waits until all pods are there."""
    daemon.start()
    end = time.monotonic() + 20
    while len(daemon.list()) != n:
        if time.monotonic() > end:
            raise TimeoutError(f"{len(daemon.list())} pods:\n{daemon.log()}")
        time.sleep(0.05)
    daemon.close_channels()


def accepted(path):
    """Waits until somebody takes connections there."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as attempt:
            if attempt.connect_ex(path) == 0:
                return
        time.sleep(0.001)
    raise TimeoutError(path)


def start_from_checkpoint(containerd):
    """From fork to the first list of all pods, with a checkpoint of 110 API pods and the API server away."""
    with everything(containerd, 110) as (daemon, api):
        start(daemon, 110)
        daemon.stop()
        api.stop()
        taken = []
        for _ in range(11):
            before = time.monotonic()
            daemon.spawn()
            accepted(daemon.socket)  # gRPC's client would rest for 100 ms after an attempt that came too early
            first = daemon.wait_ready()
            taken.append(time.monotonic() - before)
            assert len(first.pods) == 110, len(first.pods)
            daemon.close_channels()
            daemon.stop(signal.SIGKILL)
        return milliseconds("start from a checkpoint of 110 pods to the list", taken, 100)


def api_event_to_watcher(containerd):
    """From the change in the API server's stand-in, in this process, to the event in a watching client, also here."""
    with everything(containerd, 20) as (daemon, api):
        start(daemon, 20)
        watch = daemon.watch()
        watch.synced()
        taken = []
        for i in range(101):
            changed = pods.of_api(i % 20, NODE)
            changed["metadata"]["labels"]["round"] = str(i)
            before = time.time()
            api.put(changed)
            event = watch.until(lambda e: e.pod.metadata.labels["round"] == str(i))
            taken.append(event.at - before)
        return milliseconds("API event to watcher", taken, 20)


def idle_cpu(containerd):
    """50 running pods that the API server has too, all sources on, nobody connected, over one minute."""
    runtime = Runtime(containerd)
    try:
        with everything(containerd, 0) as (daemon, api):
            for i in range(50):
                made = pods.of_api(i, NODE)
                meta, spec = made["metadata"], made["spec"]
                del spec["containers"][1:], made["status"]["containerStatuses"]
                runtime.run_pod(meta["name"], meta["namespace"], meta["uid"]).run_container(spec["containers"][0]["name"])
                api.put(made)
            start(daemon, 50)
            time.sleep(15)
            before, since = cpu_seconds(daemon.process.pid), time.monotonic()
            time.sleep(60)
            used = cpu_seconds(daemon.process.pid) - before
            return "idle CPU, all sources, 50 pods, one core", 100 * used / (time.monotonic() - since), "%", 0.3
    finally:
        runtime.close()


def rss(containerd):
    """110 pods of the API server, all sources on, one list and one watch served before, then ten idle seconds."""
    with everything(containerd, 110) as (daemon, _):
        start(daemon, 110)
        sent = sum(map(len, daemon.client().ListPods().pods))
        watch = daemon.watch()
        watch.synced()
        time.sleep(10)
        watch.cancel()
        daemon.close_channels()
        pid = daemon.process.pid
        what = f"idle RSS, all sources, 110 API pods of {sent // 1024} KiB (anonymous {memory(pid, 'RssAnon') / 1024:.1f})"
        return what, memory(pid) / 1024, "MiB", 9


FIGURES = {
    "kill": killed_to_modified,
    "start": start_from_checkpoint,
    "event": api_event_to_watcher,
    "allcpu": idle_cpu,
    "allrss": rss,
}
