#!/usr/bin/env python3
"""Measures what docs/promises.md promises, on the binary in $NODEPODS_BIN, and prints a table. Needs root and quiet.

    figures.py [--only NAME,...]     names: size get rss manifest exit cpu lint kill start event allcpu allrss
                                     http-list http-table http-rss kubectl
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import over_http  # noqa: E402
import pods  # noqa: E402
import remote  # noqa: E402
from bench import Bench, cpu_seconds, memory  # noqa: E402
from node.containerd import Containerd, clean_abandoned  # noqa: E402
from node.cri import Runtime  # noqa: E402
from node.daemon import binary  # noqa: E402


def size(_):
    n = os.path.getsize(binary())
    return "static binary with everything", n / 1e6, "MB", 8


def rss(containerd):
    """110 manifests, a runtime to be polled, one list and one watch served before, then ten idle seconds."""
    with Bench(containerd.endpoint) as daemon:
        for i in range(110):
            daemon.put(f"{i:03}.json", pods.manifest(i))
        daemon.start()
        listed = daemon.client().ListPods().pods
        assert len(listed) == 110, len(listed)
        watch = daemon.watch()
        watch.synced()
        time.sleep(10)
        watch.cancel()
        daemon.close_channels()
        sent = sum(map(len, listed))
        peak = memory(daemon.process.pid, "VmHWM") / 1024
        return f"idle RSS, 110 pods of {sent // 1024} KiB (peak {peak:.1f})", memory(daemon.process.pid) / 1024, "MiB", 6


def manifest_to_added(_):
    """From the return of rename() to the event in a watching Python client, which takes about a millisecond itself."""
    with Bench() as daemon:
        daemon.start()
        watch = daemon.watch()
        watch.synced()
        taken = []
        for i in range(101):
            staged = f"{daemon.base}/staged"
            with open(staged, "w") as f:
                f.write(pods.manifest(i))
            before = time.time()
            os.rename(staged, f"{daemon.manifests}/{i}.json")
            taken.append(watch.until(lambda e: e.type == "ADDED").at - before)
        low, high = min(taken) * 1000, max(taken) * 1000
        return f"manifest in place to ADDED, median (from {low:.1f} to {high:.1f})", statistics.median(taken) * 1000, "ms", 5


def exit_to_modified(containerd):
    """From the runtime's own finished_at to the event; the poll interval is one second."""
    runtime = Runtime(containerd)
    try:
        with Bench(containerd.endpoint) as daemon:
            daemon.start()
            watch = daemon.watch()
            taken = []
            for i in range(12):
                pod = runtime.run_pod(f"exit-{i}")
                container = pod.run_container("main")
                watch.until(
                    lambda e: e.name == pod.name and any(c.state.HasField("running") for c in e.pod.status.containerStatuses)
                )
                time.sleep(0.083 * i)  # so that exits fall into all parts of the poll interval
                container.end(0)
                event = watch.until(
                    lambda e: e.name == pod.name and any(c.state.HasField("terminated") for c in e.pod.status.containerStatuses)
                )
                taken.append(event.at - container.status().finished_at / 1e9)
            median = statistics.median(taken) * 1000
            return f"container exit to MODIFIED, worst of 12 (median {median:.0f})", max(taken) * 1000, "ms", 1050
    finally:
        runtime.close()


def idle_cpu(containerd):
    """50 running pods with a container each, polled every second, nobody connected, over one minute."""
    runtime = Runtime(containerd)
    try:
        for i in range(50):
            runtime.run_pod(f"idle-{i}").run_container("main")
        with Bench(containerd.endpoint) as daemon:
            daemon.start()
            assert len(daemon.list()) == 50
            daemon.close_channels()
            time.sleep(5)
            before, start = cpu_seconds(daemon.process.pid), time.monotonic()
            time.sleep(60)
            used = cpu_seconds(daemon.process.pid) - before
            return "idle CPU, 50 pods, one core", 100 * used / (time.monotonic() - start), "%", 0.3
    finally:
        runtime.close()


def lint(_):
    """1,000 manifests in YAML, the pods of the corpus as `lint -o yaml` prints them; best of three."""
    with tempfile.TemporaryDirectory(prefix="npf-", dir="/var/tmp") as base:
        for i in range(1000):
            command = [binary(), "lint", "--hostname-override", "n", "-o", "yaml", "-"]
            with open(f"{base}/{i:03}.yaml", "wb") as out:
                subprocess.run(command, input=pods.manifest(i).encode(), stdout=out, stderr=subprocess.DEVNULL, check=True)
        taken = []
        for _ in range(3):
            before = time.monotonic()
            subprocess.run([binary(), "lint", base], stdout=subprocess.DEVNULL, check=True)
            taken.append(time.monotonic() - before)
        size = sum(e.stat().st_size for e in os.scandir(base))
        return f"lint of 1,000 manifests, {size // 1024} KiB of YAML", min(taken), "s", 1


def get(_):
    """The whole process, `nodepods get` into a pipe; median of 21."""
    with Bench() as daemon:
        for i in range(110):
            daemon.put(f"{i:03}.json", pods.manifest(i))
        daemon.start()
        taken = []
        for _ in range(21):
            before = time.monotonic()
            printed = subprocess.run([binary(), "get", "--socket", daemon.socket], capture_output=True, check=True).stdout
            taken.append(time.monotonic() - before)
            assert printed.count(b"\n") == 111, printed
        return f"get of 110 pods, median of 21 (best {min(taken) * 1000:.1f})", statistics.median(taken) * 1000, "ms", 15


FIGURES = {"size": size, "get": get, "rss": rss, "manifest": manifest_to_added, "exit": exit_to_modified, "cpu": idle_cpu, "lint": lint}
FIGURES |= remote.FIGURES
FIGURES |= over_http.FIGURES


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda s: s.split(","), default=list(FIGURES))
    only = parser.parse_args().only
    clean_abandoned()
    containerd = Containerd()
    missed = 0
    try:
        containerd.start()
        containerd.load_images()
        print(f"| {'figure':64} | {'measured':>12} | {'promised':>11} |\n| {'-' * 64} | {'-' * 11}: | {'-' * 10}: |")
        for name in only:
            what, value, unit, most = FIGURES[name](containerd)
            missed += value > most
            verdict = "" if value <= most else "  <-- missed"
            print(f"| {what:64} | {value:9.2f} {unit:>2} | {most:>8} {unit:>2} |{verdict}", flush=True)
    finally:
        containerd.destroy()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
