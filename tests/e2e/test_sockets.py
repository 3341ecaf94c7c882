"""The socket: its mode from birth, whose it is, and what happens to it."""
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from node.daemon import NODE, manifest


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def wait_until(true, what, timeout=15):
    end = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_mode_0600_from_birth(make_daemon, base, umask):
    """strace tells the order: no bind of a path before the descriptor's mode was set, no chmod of a path after."""
    trace = f"{base}/trace"
    # The sockets' directory lies outside of what the umask makes unreadable for others.
    os.mkdir(f"{base}/run")
    calls = "trace=bind,fchmod,chmod,fchmodat,rename,renameat,renameat2,exit_group"
    # -D: the daemon is our child, and strace is not between us.
    wrapper = ("strace", "-D", "-f", "-qq", "-y", "-o", trace, "-e", calls)
    before = os.umask(umask)
    try:
        os.makedirs(f"{base}/a", mode=0o755, exist_ok=True)
        os.chmod(f"{base}/a", 0o755)
        d = make_daemon(wrapper=wrapper, sockets=[f"{base}/run/p.sock"])
        os.chmod(d.manifests, 0o755)
        d.spawn()
    finally:
        os.umask(before)
    d.wait_ready()
    assert mode(d.socket) == 0o600
    assert d.stop() == 0
    wait_until(lambda: "exit_group" in open(trace).read(), "strace has written all")
    lines = open(trace).read().splitlines()
    binds = [i for i, line in enumerate(lines) if "bind(" in line and f"{base}/run/" in line]
    assert binds, "the daemon binds in the directory of its socket"
    for i in binds:
        fd = re.search(r"bind\((\d+)<", lines[i]).group(1)
        path = re.search(r'sun_path="([^"]+)"', lines[i]).group(1)
        assert any(re.search(rf"fchmod\({fd}<.*>, 0600\)\s+= 0", line) for line in lines[:i]), "0600 before bind"
        later = [line for line in lines[i:] if "chmod" in line and path in line]
        assert later == [], f"no mode is set once the path can be seen: {later}"
        assert path != d.socket and any("rename" in line and path in line for line in lines[i:]), "renamed into place"


def test_the_directory_is_made_closed_to_others(make_daemon, base):
    d = make_daemon(sockets=[f"{base}/new/deep/p.sock"]).start()
    assert mode(f"{base}/new/deep") == 0o750
    assert mode(d.socket) == 0o600


def test_several_sockets(make_daemon, base):
    d = make_daemon(sockets=[f"{base}/one.sock", f"{base}/two.sock"]).start()
    d.put("web.yaml", manifest("web"))
    d.watch().next("ADDED", f"web-{NODE}")
    for s in d.sockets:
        assert mode(s) == 0o600
        assert len(d.client(socket=s).ListPods().pods) == 1
    assert d.stop() == 0
    assert not any(os.path.exists(s) for s in d.sockets)


def test_a_live_server_is_refused(make_daemon, daemon):
    second = make_daemon("second", sockets=[daemon.socket]).spawn()
    assert second.process.wait(10) not in (0, None)
    assert daemon.socket in second.log()
    daemon.client().ListPods()


def test_a_foreign_live_server_is_refused(make_daemon, base):
    path = f"{base}/p.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen(8)
        inode = os.stat(path).st_ino
        d = make_daemon(sockets=[path]).spawn()
        assert d.process.wait(10) not in (0, None)
        assert path in d.log()
        assert os.stat(path).st_ino == inode


def test_a_stale_socket_is_replaced(make_daemon, base):
    path = f"{base}/p.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    d = make_daemon(sockets=[path]).start()
    assert mode(path) == 0o600
    assert d.list() == {}
    assert d.stop() == 0
    assert not os.path.exists(path)


def test_a_file_that_is_no_socket_is_left_alone(make_daemon, base):
    path = f"{base}/p.sock"
    with open(path, "w") as f:
        f.write("precious")
    d = make_daemon(sockets=[path]).spawn()
    assert d.process.wait(10) not in (0, None)
    assert path in d.log()
    assert open(path).read() == "precious"


def test_a_foreign_socket_is_not_removed_at_exit(daemon):
    theirs = f"{daemon.base}/theirs"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(theirs)
        other.listen(8)
        inode = os.stat(theirs).st_ino
        os.rename(theirs, daemon.socket)
        assert daemon.stop() == 0
        assert os.stat(daemon.socket).st_ino == inode


def test_a_deleted_socket_comes_back(daemon):
    inode = os.stat(daemon.socket).st_ino
    keep = daemon.watch()
    keep.synced()
    # Held open, so that the number is not used again.
    held = os.open(daemon.socket, os.O_PATH)
    os.unlink(daemon.socket)
    wait_until(lambda: os.path.exists(daemon.socket), "the socket is made again", 30)
    os.close(held)
    assert os.stat(daemon.socket).st_ino != inode
    assert mode(daemon.socket) == 0o600
    daemon.client().ListPods()
    daemon.put("web.yaml", manifest("web"))
    keep.next("ADDED", f"web-{NODE}")


def test_only_unix_sockets_are_listened_on(daemon):
    daemon.client().ListPods()
    inodes = set()
    for fd in os.listdir(f"/proc/{daemon.process.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{daemon.process.pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with open(f"/proc/net/{table}") as f:
            ours = [line for line in f.readlines()[1:] if line.split()[9] in inodes]
        assert ours == [], table


def test_kill_9_leaves_nothing_that_stops_the_next_start(make_daemon):
    d = make_daemon()
    d.put("web.yaml", manifest("web"))
    d.start()
    before = d.list()
    d.stop(signal.SIGKILL)
    assert os.path.exists(d.socket), "a killed process removes nothing"
    d.start()
    assert set(d.list()) == set(before)
    assert mode(d.socket) == 0o600


def test_two_starts_at_once_leave_one_server(make_daemon, base):
    path = f"{base}/p.sock"
    both = [make_daemon(n, sockets=[path]).spawn() for n in ("one", "two")]
    wait_until(lambda: any(d.process.poll() is not None for d in both), "one of two gives way")
    (winner,) = [d for d in both if d.process.poll() is None]
    winner.wait_ready()


def activated(*arguments):
    """systemd's own way to pass sockets on, without systemd as the first process."""
    return ("systemd-socket-activate", *arguments)


def test_a_socket_that_systemd_passes_on_as_http_serves_http(make_daemon, base):
    grpc, http = f"{base}/grpc.sock", f"{base}/http.sock"
    d = make_daemon(wrapper=activated("-l", grpc, "-l", http, "--fdname=pods:http"))
    d.put("web.yaml", manifest("web"))
    d.spawn()
    wait_until(lambda: os.path.exists(http), "systemd listens")
    inodes = [os.stat(path).st_ino for path in (grpc, http)]
    # The first connection starts the daemon, and waits for it.
    assert len(d.wait_ready(socket=grpc).pods) == 1
    get = ["curl", "-sS", "--unix-socket", http, "http://node/api/v1/namespaces/default/pods", "-H", "Accept: application/yaml"]
    assert f"name: web-{NODE}\n" in subprocess.run(get, check=True, capture_output=True, text=True).stdout
    not_grpc = subprocess.run([*get[:3], grpc, *get[4:]], capture_output=True, check=False)
    assert not_grpc.returncode and b"web" not in not_grpc.stdout
    assert d.stop() == 0
    assert [os.stat(path).st_ino for path in (grpc, http)] == inodes, "they are systemd's, and stay"


def test_what_is_no_stream_socket_is_not_served(make_daemon, base):
    path = f"{base}/http.sock"
    d = make_daemon(wrapper=activated("-d", "-l", path, "--fdname=http")).spawn()
    wait_until(lambda: os.path.exists(path), "systemd listens")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", path)
    assert d.process.wait(10) not in (0, None)
    assert "descriptor 3 is no " in d.log() and "stream socket" in d.log()
