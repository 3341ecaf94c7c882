"""What the running daemon has given up, and that its list of system calls is no longer than it must be.

That each measure bites is tested in tests/it/hardening.rs; that nothing is missing, by all other tests here, which
run with everything on.
"""
import http.client
import os
import platform
import re
import signal
import socket
import subprocess
import sys

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from node import contracts
from node.contracts import Pod
from node.daemon import binary, manifest
from node.user import as_user
from node.watch import Watch
from test_sockets import wait_until

# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
KEPT = 0b110


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def threads(pid):
    return [status(f"{pid}/task/{task}") for task in os.listdir(f"/proc/{pid}/task")]


def test_every_thread_has_given_up_what_it_does_not_need(make_daemon):
    daemon = make_daemon().start()
    for thread in threads(daemon.process.pid):
        name = thread["Name"]
        assert thread["NoNewPrivs"] == "1", name
        assert thread["Seccomp"] == "2", name
        assert int(thread["CapEff"], 16) == KEPT, name
        assert int(thread["CapBnd"], 16) == KEPT, name
    with open(f"/proc/{daemon.process.pid}/limits") as f:
        assert re.search(r"^Max core file size\s+0\s+0", f.read(), re.M)


def test_each_measure_has_a_switch(make_daemon):
    off = []
    for option in ("seccomp", "landlock", "drop-capabilities", "no-new-privileges", "no-core-dumps"):
        off += [f"--{option}", "off"]
    daemon = make_daemon(arguments=off).start()
    daemon.wait_log("files not confined, system calls not filtered")
    mine, its = status("self"), status(daemon.process.pid)
    for key in ("NoNewPrivs", "Seccomp", "CapEff", "CapBnd"):
        assert its[key] == mine[key], key


def test_landlock_alone_or_required(make_daemon):
    daemon = make_daemon(arguments=["--seccomp", "off", "--landlock", "require"])
    daemon.spawn()
    wait_until(lambda: "Landlock" in daemon.log() or daemon.process.poll() is not None, "the daemon has started or not")
    if daemon.process.poll() is None:
        daemon.wait_ready()
        assert status(daemon.process.pid)["Seccomp"] == "0"
    else:
        assert "--landlock off starts without that" in daemon.log()


def test_a_narrow_socket_shows_no_more_than_it_says(make_daemon, base):
    """Another user, in the socket's group, sees two fields of the selected pods and nothing else of the node."""
    gid = 4242
    narrow = f"{base}/logs/n.sock"
    os.chmod(base, 0o755)
    config = f"{base}/config.yaml"
    with open(config, "w") as f:
        f.write(
            f"narrow-socket:\n- path: {narrow}\n  group: {gid}\n  mode: 0660\n"
            "  fields: [metadata.name, spec.containers.env]\n  label-selector: app in (web)\n"
        )
    daemon = make_daemon(arguments=["--config", config])
    web = manifest("web", labels={"app": "web"}) + "    env: [{name: TOKEN, value: hunter2}]\n"
    daemon.put("web.yaml", web)
    daemon.put("db.yaml", manifest("db", labels={"app": "db"}))
    daemon.start()
    found = os.stat(narrow)
    assert (found.st_gid, found.st_mode & 0o777) == (gid, 0o660)
    assert os.stat(os.path.dirname(narrow)).st_gid == gid, "the directory that was made for it"

    [pod] = [Pod.FromString(p) for p in daemon.client(socket=narrow).ListPods().pods]
    assert pod.metadata.name == "web-test-node"
    assert (pod.metadata.uid, pod.metadata.labels, pod.spec.nodeName, pod.status.phase) == ("", {}, "", "")
    [variable] = pod.spec.containers[0].env
    assert (variable.name, variable.value) == ("TOKEN", "<redacted>")
    [full] = [p for p in daemon.list().values() if p.metadata.name == "web-test-node"]
    assert full.spec.containers[0].env[0].value == "hunter2"
    hidden = next(p for p in daemon.list().values() if p.metadata.name == "db-test-node")
    with pytest.raises(grpc.RpcError) as refused:
        daemon.client(socket=narrow).GetPod(podUID=hidden.metadata.uid)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND

    with contracts.channel(narrow) as channel:
        described = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {"Pods", "v1alpha1.Pods"} < set(described)
    assert not any(name.startswith(("nodepods.", "v1.")) for name in described)

    watch = Watch(daemon.client(socket=narrow).WatchPods(timeout=60))
    assert set(watch.synced()) == {"web-test-node"}
    daemon.put("web.yaml", web.replace("hunter2", "hunter3"))
    daemon.put("more.yaml", manifest("more", labels={"app": "web"}))
    event = watch.next("ADDED", "more-test-node")
    assert event.pod.status.phase == ""

    assert connects_as(4711, [gid], narrow), "a member of the group"
    assert not connects_as(4711, [], narrow), "anybody else"
    assert not connects_as(4711, [gid], daemon.socket), "the full socket"


def test_a_wide_socket_lets_in_whom_it_names(make_daemon, base):
    os.chmod(base, 0o755)
    daemon = make_daemon(arguments=["--socket-mode", "0666", "--allow-uid", "4711", "--allow-gid", "4242"]).start()
    assert connects_as(4711, [], daemon.socket), "the user"
    assert connects_as(4712, [4242], daemon.socket), "a member of the group"
    assert connects_as(4242, [], daemon.socket), "whose own group it is"
    assert not connects_as(4712, [4243], daemon.socket), "anybody else"


def connects_as(uid, groups, path):
    """Whether a process of that user is answered there in HTTP/2."""
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.settimeout(10)\n"
        "s.connect(sys.argv[1])\n"
        "s.sendall(b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n' + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))\n"
        "sys.exit(0 if s.recv(9) else 1)\n"
    )
    # The system's own: the one of the tests may be in a directory that only root can enter.
    command = ["/usr/bin/python3", "-I", "-c", program, path]
    done = subprocess.run([*as_user(uid, groups), *command], cwd="/", capture_output=True, timeout=60)
    return done.returncode == 0


# --- the list -----------------------------------------------------------------------------------------------------


def is_static(binary):
    with open(binary, "rb") as f:
        return b"ld-linux" not in f.read(4096)


def listed(binary):
    """Calls that are on the list for this binary, without the rare ones."""
    other = "[glibc]" if is_static(binary) else "[musl]"
    calls = set()
    for name in ("common", platform.machine()):
        with open(f"{contracts.ROOT}/src/harden/seccomp/{name}.list") as f:
            lines = [line for line in f if line.strip() and not line.startswith("#")]
        calls |= {line.split()[0] for line in lines if other not in line and "[rare]" not in line}
    return calls


def test_every_call_on_the_list_is_needed(make_daemon, runtime, base):
    """A node's ordinary day under strace: each call that is not marked as rare has to show."""
    trace = f"{base}/trace"
    http_socket = f"{base}/h.sock"
    daemon = make_daemon(
        endpoint=runtime.containerd.endpoint,
        arguments=["--http-socket", http_socket, "--seccomp", "off"],
        wrapper=("strace", "-D", "-f", "-qq", "-o", trace),
    )
    daemon.put("a.yaml", manifest("a"))
    daemon.start()
    watch = daemon.watch()
    watch.synced()
    made = runtime.run_pod("web")
    made.run_container("main")
    watch.until(lambda e: e.name == "web" and e.pod.status.phase == "Running", what="web running")
    read(http_socket, "/api/v1/pods")
    read(http_socket, "/api/v1/namespaces/default/pods/web/log")
    daemon.process.send_signal(signal.SIGHUP)
    os.unlink(daemon.socket)
    wait_until(lambda: os.path.exists(daemon.socket), "the socket is made again")
    os.rename(daemon.manifests, f"{base}/elsewhere")
    watch.next("DELETED", f"a-{'test-node'}")
    os.rename(f"{base}/elsewhere", daemon.manifests)
    watch.until(lambda e: e.name == "a-test-node" and e.type == "ADDED", what="the manifests again")
    watch.cancel()
    daemon.stop()
    wait_until(lambda: "exit_group" in open(trace).read(), "strace has written all")
    with open(trace) as f:
        seen = set(re.findall(r"^\d+\s+(\w+)\(", f.read(), re.M))
    unneeded = listed(binary()) - seen
    assert not unneeded, f"on the list, but nothing asks for them: {sorted(unneeded)}"


# What stands for the old calls where an architecture has none of them, as musl spells it there.
NEWER = {
    "open": "openat", "stat": "newfstatat", "lstat": "newfstatat", "access": "faccessat", "unlink": "unlinkat",
    "rename": "renameat", "mkdir": "mkdirat", "rmdir": "unlinkat", "symlink": "symlinkat", "readlink": "readlinkat",
    "chmod": "fchmodat", "poll": "ppoll", "epoll_wait": "epoll_pwait", "pipe": "pipe2", "dup2": "dup3",
    "time": "clock_gettime", "lchown": "fchownat",
}  # fmt: skip


def test_the_other_architecture_has_what_stands_for_each_old_call():
    """aarch64 is tested under qemu-user, which filters nothing: its list follows from that of x86_64."""
    calls = {}
    for name in ("common", "x86_64", "aarch64"):
        with open(f"{contracts.ROOT}/src/harden/seccomp/{name}.list") as f:
            calls[name] = {line.split()[0] for line in f if line.strip() and not line.startswith("#")}
    assert set(NEWER) == calls["x86_64"]
    assert set(NEWER.values()) <= calls["common"] | calls["aarch64"]
    assert calls["aarch64"] <= set(NEWER.values()), "no more than that"


def read(path, what):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.request("GET", what)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
