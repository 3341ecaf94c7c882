"""Who is behind a process, a port, an address, an id, a cgroup or a file: real containers, the kernel's own words."""
import json
import os
import socket
import subprocess

import grpc
import pytest

from node import contracts, golden
from node.daemon import NODE, binary, manifest


@pytest.fixture
def web(node, runtime):
    """A running pod with a container that listens on port 8080, known to the daemon."""
    watch = node.watch()
    pod = runtime.run_pod("web", namespace="shop", labels={"app": "web"})
    listens = "nc -l -p 8080 & read code </control/exit; exit $code"
    pod.main = pod.run_container("main", command=["sh", "-c", listens])
    pod.side = pod.run_container("side")
    running = lambda e: sum(c.state.HasField("running") for c in e.pod.status.containerStatuses) == 2
    event = watch.until(lambda e: e.name == "web" and running(e), what="web with two running containers")
    pod.ip = event.pod.status.podIP
    return pod


def whois(node, *words):
    command = [binary(), "whois", "--socket", node.socket, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def found(node, word):
    """What whois says, as namespace/name/container, and how it came to it."""
    done = whois(node, word, "-o", "json")
    assert done.returncode == 0, done.stderr
    return [
        (f"{one['namespace']}/{one['name']}", (one["container"] or {}).get("name"), one["by"])
        for one in json.loads(done.stdout)
    ]


def pids(container_id):
    """The processes whose cgroup names the container."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cgroup") as f:
                if container_id in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def test_every_process_of_a_container_and_of_the_sandbox(node, web):
    for container_id, name in ((web.main.id, "main"), (web.side.id, "side"), (web.id, "")):
        processes = pids(container_id)
        assert processes
        for pid in processes:
            [(pod, container, by)] = found(node, str(pid))
            assert (pod, container) == ("shop/web", name)
            assert container_id in by[0]


def test_what_is_in_no_pod_is_not_found_and_says_where_it_is(node, web):
    done = whois(node, str(os.getpid()))
    assert (done.returncode, done.stdout) == (3, "")
    assert f"process {os.getpid()}" in done.stderr and "cgroup" in done.stderr
    assert whois(node, "pid:4194304").returncode == 3


def test_by_id_address_uid_and_cgroup(node, web):
    pid = pids(web.main.id)[0]
    with open(f"/proc/{pid}/cgroup") as f:
        line = next(line for line in f if web.main.id in line)
    path = line.rstrip("\n").split(":", 2)[2]
    for word, container in [
        (web.main.id, "main"),
        (f"containerd://{web.main.id}", "main"),
        (f"id:{web.side.id[:12]}", "side"),
        (f"cgroup:{path}", "main"),
        (f"/sys/fs/cgroup{path}", "main"),
        (f"cgroup:{os.path.dirname(path)}", None),
        (web.ip, None),
        (web.uid, None),
    ]:
        got = found(node, word)
        assert [(pod, name) for pod, name, _ in got] == [("shop/web", container)], word


def test_by_port_and_by_network_namespace(node, web):
    got = found(node, "tcp:8080")
    assert [(pod, name) for pod, name, _ in got] == [("shop/web", "main")]
    assert "listens on tcp" in got[0][2][0] and "a network of its own" in got[0][2][0]
    assert whois(node, "udp:8080").returncode == 3
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        ours.listen()
        done = whois(node, f":{ours.getsockname()[1]}")
        assert done.returncode == 3
        assert f"process {os.getpid()}" in done.stderr and "the node's network" in done.stderr
    # A process of nobody's that joined the pod's network.
    pid = pids(web.id)[0]
    with subprocess.Popen(["nsenter", "--net", f"--target={pid}", "cat"], stdin=subprocess.PIPE) as guest:
        joined = os.readlink(f"/proc/{pid}/ns/net")
        while os.readlink(f"/proc/{guest.pid}/ns/net") != joined:
            assert guest.poll() is None
        [(pod, _, by)] = found(node, str(guest.pid))
        guest.stdin.close()
    assert pod == "shop/web" and "network namespace" in by[0]


def test_by_the_words_of_a_path(node, web, base):
    link = f"{base}/web.log"
    os.symlink(f"/var/log/pods/shop_web_{web.uid}/main/0.log", link)
    for path, container in [
        (f"/var/lib/kubelet/pods/{web.uid}/etc-hosts", None),
        (f"/var/log/containers/web_shop_main-{web.main.id}.log", "main"),
        (f"/proc/{pids(web.side.id)[0]}/root", "side"),
        (link, None),
    ]:
        assert [(pod, name) for pod, name, _ in found(node, path)] == [("shop/web", container)], path
    assert whois(node, "/etc/passwd").returncode == 3


def test_a_static_pod_by_the_host_port_of_its_manifest(daemon):
    watch = daemon.watch()
    ports = "    ports:\n    - containerPort: 80\n      hostPort: 18080\n"
    daemon.put("edge.yaml", manifest("edge") + ports)
    watch.next("ADDED", f"edge-{NODE}")
    [(pod, container, by)] = found(daemon, ":18080")
    assert (pod, container) == (f"default/edge-{NODE}", None)
    assert by == ["hostPort 18080 in its spec, for port 80 of container main"]


def test_what_it_prints(node, web):
    pid = str(min(pids(web.side.id)))
    golden.check("whois.txt", "\n".join(whois(node, word).stdout for word in (web.main.id, web.ip, pid)))
    golden.check("whois.json", whois(node, web.main.id, "-o", "json").stdout)
    assert whois(node, "???").returncode == 2


def test_without_a_daemon_the_cgroup_is_told(containerd, runtime, base):
    pod = runtime.run_pod("lonely")
    command = [binary(), "whois", "--socket", f"{base}/none.sock", str(pids(pod.id)[0])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 69
    assert f"pod UID {pod.uid}, container id {pod.id}" in done.stderr


def test_the_service_over_grpc(node, web):
    with contracts.channel(node.socket) as channel:
        request = contracts.message("nodepods.v1.FindRequest")
        reply = contracts.message("nodepods.v1.FindResponse")
        call = channel.unary_unary("/nodepods.v1.Lookup/Find", request.SerializeToString, reply.FromString)
        [match] = call(request(container_id=web.main.id, with_pod=True)).pods
        assert (match.namespace, match.name, match.pod_uid, match.phase) == ("shop", "web", web.uid, "Running")
        assert (match.container.name, match.container.id, match.container.kind) == ("main", web.main.id, 1)
        assert list(match.ips) == [web.ip]
        assert contracts.Pod.FromString(match.pod).metadata.labels["app"] == "web"
        for bad, code in [
            (request(), grpc.StatusCode.INVALID_ARGUMENT),
            (request(ip="10.0"), grpc.StatusCode.INVALID_ARGUMENT),
            (request(ip="203.0.113.1"), grpc.StatusCode.NOT_FOUND),
            (request(cgroup="0::/init.scope"), grpc.StatusCode.NOT_FOUND),
        ]:
            with pytest.raises(grpc.RpcError) as refused:
                call(bad)
            assert refused.value.code() == code
