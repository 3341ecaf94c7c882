#!/usr/bin/env python3
"""Writes packaging/order.list: the functions that a daemon at work runs, so that the linker can put them together.

    order.py SYMBOLS LIST      SYMBOLS is the static binary with its symbols (target/static/nodepods-ARCH.symbols)

Runs the daemon under valgrind's callgrind, which knows each function that ran, through what a node's day holds. Needs
root, valgrind and a few minutes. The order is that of how many need it: what every daemon runs comes first, so that a
daemon without HTTP or an API server never touches the pages of those.
"""
import glob
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import over_http  # noqa: E402
import pods  # noqa: E402
import remote  # noqa: E402
from bench import Bench  # noqa: E402
from node.containerd import Containerd, clean_abandoned  # noqa: E402
from node.cri import Runtime  # noqa: E402

HEAD = """# Functions in the order in which the linker lays them out; written by `make order`, read by packaging/build/link.
# Without the hashes of crates, which differ between compilers. Names that are gone cost nothing.
"""


def under_callgrind(daemon):
    """Has the daemon run under callgrind, which does not know the calls that confine a process."""
    options = ["--tool=callgrind", "--vgdb=no", f"--callgrind-out-file={daemon.base}/callgrind.%p"]
    options += ["--demangle=no", "--compress-strings=no"]
    daemon.command = ["valgrind", *options, *daemon.command, "--seccomp", "off", "--landlock", "off"]
    daemon.spawn()
    daemon.wait_ready(timeout=120)


def short(name):
    """The name without what differs between compilers, as packaging/build/link has it."""
    return re.sub(r"\.llvm\.[0-9]+$", "", re.sub(r"Cs[0-9A-Za-z]+_", "C_", name))


def ended(daemon):
    """Ends the daemon; what ran in it."""
    daemon.close_channels()
    daemon.stop(timeout=60)
    names = {"_start", "__libc_start_main", "__clone"}  # callgrind has other names for them
    for dump in glob.glob(f"{daemon.base}/callgrind.*"):
        with open(dump, errors="replace") as f:
            names.update(line[3:].strip() for line in f if line.startswith("fn="))
        os.remove(dump)
    return {short(n.split("'")[0]) for n in names if not n.startswith(("(", "0x", "???"))}


def confinement(symbols):
    """What callgrind could not see: all that confines the process at its start, by name."""
    listed = subprocess.run(["nm", "-P", "--defined-only", symbols], check=True, capture_output=True, text=True).stdout
    mine = re.compile(r"nodepods6harden|11seccompiler|8landlock")
    names = (line.split()[:2] for line in listed.splitlines() if mine.search(line))
    return {short(name) for name, kind in names if kind in "tTwW"}


def node(containerd):
    """Manifests, a runtime, a list, a watch, a container that ends."""
    runtime = Runtime(containerd)
    try:
        for i in range(3):
            runtime.run_pod(f"idle-{i}").run_container("main")
        with Bench(containerd.endpoint, ["--runtime-state-dir", f"{containerd.dir}/state"]) as daemon:
            for i in range(110):
                daemon.put(f"{i:03}.json", pods.manifest(i))
            under_callgrind(daemon)
            watch = daemon.watch()
            watch.synced()
            one = next(iter(daemon.list().values()))
            daemon.client().GetPod(podUID=one.metadata.uid)
            pod = runtime.run_pod("ended")
            container = pod.run_container("main")
            watch.until(remote.shows(pod, "running"), timeout=60)
            container.end(0)
            watch.until(remote.shows(pod, "terminated"), timeout=60)
            time.sleep(10)  # polls with nothing new
            watch.cancel()
            return ended(daemon)
    finally:
        runtime.close()


def readers(_):
    """The same over HTTP."""
    with Bench() as daemon:
        daemon.http = f"{daemon.base}/h.sock"
        daemon.command += ["--http-socket", daemon.http]
        for i in range(10):
            daemon.put(f"{i:03}.json", pods.manifest(i))
        under_callgrind(daemon)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(daemon.http)
            stream = connection.makefile("rwb")
            for accept in ("application/json", over_http.TABLE):
                over_http.ask(stream, accept)
        return ended(daemon)


def cluster(containerd):
    """With an API server over TLS and a manifest URL, and a start from the checkpoint."""
    with remote.everything(containerd, 10) as (daemon, api):
        command = list(daemon.command)
        under_callgrind(daemon)
        end = time.monotonic() + 60
        while len(daemon.list()) != 10:
            if time.monotonic() > end:
                raise TimeoutError(daemon.log())
            time.sleep(0.2)
        changed = pods.of_api(1, remote.NODE)
        changed["metadata"]["labels"]["round"] = "1"
        watch = daemon.watch()
        api.put(changed)
        watch.until(lambda e: e.pod and e.pod.metadata.labels["round"] == "1", timeout=60)
        before = ended(daemon)
        daemon.command = command
        api.stop()
        under_callgrind(daemon)
        return before | ended(daemon)


def main():
    symbols, target = sys.argv[1:]
    os.environ["NODEPODS_BIN"] = symbols
    clean_abandoned()
    containerd = Containerd()
    try:
        containerd.start()
        containerd.load_images()
        seen, lines = set(), []
        for what in (node, readers, cluster):
            new = (what(containerd) | (confinement(symbols) if what is node else set())) - seen
            print(f"{what.__name__}: {len(new)} functions more", flush=True)
            seen |= new
            lines += [f"# {what.__doc__.strip()}", *sorted(new)]
    finally:
        containerd.destroy()
    with open(target, "w") as f:
        f.write(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
