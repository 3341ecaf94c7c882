"""Figures of the reads over HTTP."""
import os
import socket
import subprocess
import time

import pods
from bench import TICK, Bench, memory
from node.daemon import binary

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class OverHttp(Bench):
    """A daemon with 110 pods and everything that it has for readers."""

    def __enter__(self):
        self.daemon.http = f"{self.daemon.base}/h.sock"
        self.daemon.command += ["--http-socket", self.daemon.http, "--metrics-listen", "127.0.0.1:0"]
        for i in range(110):
            self.daemon.put(f"{i:03}.json", pods.manifest(i))
        return self.daemon.start()


def ask(stream, accept):
    """One list on a connection that stays; its body."""
    request = f"GET /api/v1/pods?limit=500 HTTP/1.1\r\nHost: node\r\nAccept: {accept}\r\n\r\n"
    stream.write(request.encode())
    stream.flush()
    headers = {}
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    if "content-length" in headers:
        return stream.read(int(headers["content-length"]))
    body = b""
    while length := int(stream.readline(), 16):
        body += stream.read(length)
        stream.readline()
    stream.readline()
    return body


def used(daemon):
    """CPU time of the process and of all its threads that have ended, in steps of 10 ms."""
    with open(f"/proc/{daemon.process.pid}/stat") as f:
        return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13]) / TICK


def of_lists(accept, what, limit):
    """One client on one connection asks 500 times for the same pods."""

    def measure(_):
        with OverHttp() as daemon, socket.socket(socket.AF_UNIX) as connection:
            connection.connect(daemon.http)
            stream = connection.makefile("rwb")
            size = len(ask(stream, accept))
            before = used(daemon)
            for _ in range(500):
                ask(stream, accept)
            return f"{what} of 110 pods, {size // 1024} KiB, CPU of the daemon", (used(daemon) - before) / 500 * 1000, "ms", limit

    return measure


def http_rss(containerd):
    """Lists and tables over HTTP, a watch, gRPC: at the peak, and after ten idle seconds with all of them connected."""
    with OverHttp(containerd.endpoint) as daemon, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(daemon.http)
        stream = connection.makefile("rwb")
        for accept in ("application/json", TABLE) * 5:
            ask(stream, accept)
        watch = daemon.watch()
        watch.synced()
        time.sleep(10)
        peak = memory(daemon.process.pid, "VmHWM") / 1024
        return f"idle RSS with readers on HTTP and gRPC, 110 pods (peak {peak:.1f})", memory(daemon.process.pid) / 1024, "MiB", 10


def kubectl(_):
    """Best of ten of each."""

    def best(*command):
        taken = []
        for _ in range(10):
            before = time.monotonic()
            subprocess.run(command, env={**os.environ, "NODEPODS_HTTP_SOCKET": daemon.http}, capture_output=True, check=True)
            taken.append(time.monotonic() - before)
        return min(taken) * 1000

    with OverHttp() as daemon:
        bare = best("kubectl", "version", "--client")
        return f"kubectl get pods -A, beyond the {bare:.0f} ms of its start", best(binary(), "kubectl", "get", "pods", "-A") - bare, "ms", 60


FIGURES = {
    "http-list": of_lists("application/json", "GET /api/v1/pods", 2),
    "http-table": of_lists(TABLE, "the same as a table", 1),
    "http-rss": http_rss,
    "kubectl": kubectl,
}
