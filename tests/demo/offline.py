#!/usr/bin/env python3
"""A node loses its API server, and its pods stay known. A demonstration over a real containerd that checks itself.

    tests/demo/offline.py        as root; NODEPODS_BIN names the binary

Prints what happens and what the daemon answers; ends with an error as soon as anything is not as it should be.
The kubelet's part (making sandboxes and containers) is played over CRI; the API server is the stand-in of
tests/standins, which kubectl works with.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from node.containerd import Containerd, clean_abandoned  # noqa: E402
from node.contracts import message  # noqa: E402
from node.cri import Runtime  # noqa: E402
from node.daemon import Daemon, binary, manifest  # noqa: E402
from standins.apiserver import ApiServer  # noqa: E402
from standins.cluster import CERTIFICATE, TLS, kubeconfig, pod  # noqa: E402
from standins.web import Web  # noqa: E402

NODE = "edge-7"
Source = message("nodepods.v1.Source")
STARTED = time.monotonic()


def say(text):
    print(f"\n{text}")


def show(text):
    for line in text.rstrip().splitlines():
        print(f"    {line}")


def check(true, what):
    if not true:
        raise SystemExit(f"\nFAILED: {what}")
    print(f"  ok: {what}")


def ago(ms):
    return f"{ms / 1000:.1f} s ago"


class Node:
    """A node: manifests in a directory, more behind a URL, an API server, a runtime, and a kubelet played by us."""

    def __init__(self, base):
        self.base = base
        self.containerd = Containerd()
        self.containerd.start()
        self.containerd.load_images()
        self.runtime = Runtime(self.containerd)
        self.web = Web()
        self.api = ApiServer(tls=TLS)
        arguments = ["--manifest-url", self.web.url, "--http-check-frequency", "1s", "-v"]
        arguments += ["--runtime-state-dir", f"{self.containerd.dir}/state"]
        arguments += ["--kubeconfig", kubeconfig(base, self.api, CERTIFICATE)]
        self.daemon = Daemon(base, endpoint=self.containerd.endpoint, node=NODE, arguments=arguments)
        self.containers = {}

    def kubelet_runs(self, name, uid, source):
        """What a kubelet does once it has seen a pod."""
        annotations = {"kubernetes.io/config.source": source}
        if source != "api":
            annotations["kubernetes.io/config.hash"] = uid
        sandbox = self.runtime.run_pod(name, uid=uid, annotations=annotations)
        self.containers[name] = sandbox.run_container("main")

    def kill(self, name):
        """SIGKILL for the container's first process."""
        self.runtime.call("StopContainer", container_id=self.containers[name].id, timeout=0)

    def pods(self):
        """The table of `nodepods get`, as a person sees it."""
        done = subprocess.run(
            [binary(), "get", "-A", "--socket", self.daemon.socket], capture_output=True, text=True, timeout=20
        )
        show(done.stdout + done.stderr)
        check(done.returncode == 0, "nodepods get answers")

    def sources(self):
        """The state of each source, by its name."""
        told, by_name = self.daemon.sources()
        for s in told.sources:
            if s.state != Source.ABSENT:
                heard = ago(told.now_unix_ms - s.last_success_unix_ms) if s.last_success_unix_ms else "never"
                show(f"{s.name:10} {Source.State.Name(s.state):8} {s.pods} pods, heard {heard:11} {s.error}")
        return told, by_name

    def close(self):
        self.daemon.close()
        self.runtime.close()
        self.web.close()
        self.api.close()
        self.containerd.destroy()


def state_of(pod_, container="main"):
    """`running`, `terminated 137` and the like."""
    status = next((c for c in pod_.status.containerStatuses if c.name == container), None)
    if status is None:
        return "nothing"
    if status.state.HasField("terminated"):
        return f"terminated {status.state.terminated.exitCode}"
    return "running" if status.state.HasField("running") else "waiting"


def wait_for(true, what, timeout=20):
    end = time.monotonic() + timeout
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"\nFAILED: {what} took more than {timeout} s")
        time.sleep(0.02)


def running(name, uid):
    """An API pod as the kubelet reported it: running and ready."""
    made = pod(name, node=NODE, image="test.local/busybox:1", namespace="default")
    made["metadata"]["uid"] = uid
    return made


def finished(name, uid):
    """A job's pod that has done its work; its sandbox is long gone."""
    made = running(name, uid)
    made["spec"]["restartPolicy"] = "Never"
    made["status"]["phase"] = "Succeeded"
    return made


def everything(names):
    return {f"{n}-{NODE}" if n in ("web", "proxy") else n for n in names}


def story(node):
    daemon, api = node.daemon, node.api

    say("1. A node with pods from a manifest file, a manifest URL and the API server")
    daemon.put("web.yaml", manifest("web", uid="0f11e000"))
    item = {"metadata": {"name": "proxy", "uid": "0a110000"}, "spec": {"containers": [{"name": "main", "image": "test.local/busybox:1"}]}}
    node.web.body = json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [{"apiVersion": "v1", "kind": "Pod", **item}]}).encode()
    api.put(running("cart", "ca270000"))
    api.put(running("mail", "3a110000"))
    api.put(finished("backup-28391", "bac00000"))
    node.kubelet_runs(f"web-{NODE}", "0f11e000", "file")
    node.kubelet_runs(f"proxy-{NODE}", "0a110000", "http")
    node.kubelet_runs("cart", "ca270000", "api")
    node.kubelet_runs("mail", "3a110000", "api")
    all_pods = everything(["web", "proxy", "cart", "mail", "backup-28391"])
    daemon.start()
    wait_for(lambda: set(daemon.list()) == all_pods, "the first list with all pods")
    node.pods()
    node.sources()
    origins = {n: p.metadata.annotations["nodepods.io/sources"] for n, p in daemon.list().items()}
    show(", ".join(f"{n}: {s}" for n, s in sorted(origins.items())))
    check(origins[f"web-{NODE}"] == "cri,file", "one pod comes from the file")
    check(origins[f"proxy-{NODE}"] == "cri,http", "one from the URL")
    check(origins["cart"] == "apiserver,cri" and origins["backup-28391"] == "apiserver", "and three from the API server")

    say("2. The checkpoint is written within 10 s of a change")
    path = f"{daemon.state}/checkpoint"

    def written():
        return os.path.exists(path) and all(n.encode() in open(path, "rb").read() for n in all_pods)

    wait_for(written, "the checkpoint")
    mode = os.stat(path).st_mode & 0o777
    check(mode == 0o600, f"{os.path.getsize(path)} bytes in it, mode {mode:04o}")

    say("3. The API server goes away, and the URL with it")
    api.stop()
    node.web.close()
    wait_for(lambda: daemon.sources()[1]["apiserver"].state == Source.DOWN, "the notice that the API server is away")
    wait_for(lambda: daemon.sources()[1]["http"].state == Source.DOWN, "the notice that the URL is away")
    node.sources()
    check(set(daemon.list()) == all_pods, "every pod is still answered")

    say("4. The daemon is killed with -9; while it is dead, the container of the pod mail is killed too")
    daemon.stop(signal.SIGKILL)
    daemon.close_channels()
    node.kill("mail")
    before = time.monotonic()
    daemon.start()
    print(f"  started again, {1000 * (time.monotonic() - before):.0f} ms to the first answer")
    node.pods()
    told, by_name = node.sources()
    pods = daemon.list()
    check(set(pods) == all_pods, "every pod is answered, without API server and URL")
    kept = by_name["checkpoint"]
    check(kept.state == Source.DOWN and kept.pods == 4, "four of them come out of the checkpoint")
    age = told.now_unix_ms - kept.last_success_unix_ms
    check(0 < age < 1000 * (time.monotonic() - STARTED), f"with their age: last known to be true {ago(age)}")
    _, call = daemon.client().ListPods.whole()
    stale = [v for k, v in call.initial_metadata() if k == "x-nodepods-stale"]
    show("\n".join(f"x-nodepods-stale: {v}" for v in stale))
    check(any(v.startswith("checkpoint since=") for v in stale), "each answer of the Pods API says so beside the pods")
    check(state_of(pods["mail"]) == "terminated 137", "the container that was killed meanwhile shows its end, exit code 137")
    check(state_of(pods["cart"]) == "running", "the others run")
    check(pods["backup-28391"].status.phase == "Succeeded", "and the job that was done is done")

    say("5. A client watches, and the container of the pod cart is killed")
    watch = daemon.watch()
    check(set(watch.synced()) == all_pods, "the watch begins with every pod")
    node.kill("cart")
    killed = node.containers["cart"].status().finished_at / 1e9
    event = watch.next("MODIFIED", "cart", lambda p: state_of(p) == "terminated 137")
    check(True, f"MODIFIED cart: terminated 137, {1000 * (event.at - killed):.0f} ms after its end")
    marker(daemon, watch, "first", expect=None)

    say("6. The API server comes back; meanwhile backup-28391 was deleted there and mail got a label")
    api.delete("backup-28391")
    changed = running("mail", "3a110000")
    changed["metadata"]["labels"] = {"maintenance": "planned"}
    api.put(changed)
    api.forget()
    api.start()
    wait_for(lambda: daemon.sources()[1]["apiserver"].state == Source.UP, "the return of the API server")
    seen = marker(daemon, watch, "second", expect=2)
    show("\n".join(str(e) for e in seen))
    events = sorted((e.type, e.name) for e in seen)
    check(events == [("DELETED", "backup-28391"), ("MODIFIED", "mail")], "the watch sees exactly these two changes")
    check(daemon.list()["mail"].metadata.labels["maintenance"] == "planned", "and the label")
    node.sources()
    node.pods()
    watch.cancel()


def marker(daemon, watch, name, expect):
    """All events up to that of a new static pod; the daemon has come to rest before. Fewer than expected are waited
    for."""
    seen, end = [], time.monotonic() + 20
    while expect is not None and len(seen) < expect and time.monotonic() < end:
        watch.until(lambda e: True, what="of the return")
        seen.append(watch.seen[-1])
    time.sleep(1.5)  # one more poll of the runtime, and one of the URL: what comes late is seen too
    daemon.put(f"{name}.yaml", manifest(name))
    first = len(watch.seen)
    watch.next("ADDED", f"{name}-{NODE}")
    return seen + [e for e in watch.seen[first:-1]]


def main():
    if os.geteuid():
        raise SystemExit("a container runtime needs root")
    clean_abandoned()
    base = tempfile.mkdtemp(prefix="npt-", dir="/var/tmp")
    node = None
    try:
        node = Node(base)
        story(node)
        print("\nAll of it is as it should be.")
    except BaseException:
        if node:
            print(f"\n--- log of the daemon\n{node.daemon.log()}")
        raise
    finally:
        if node:
            node.close()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
