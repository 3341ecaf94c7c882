"""The unit under a real systemd."""
import ctypes
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from conftest import ROOT

PTRACE_SEIZE, PTRACE_INTERRUPT, ALL_THREADS = 0x4206, 0x4207, 0x40000000
MANIFEST = "etc/kubernetes/manifests"


@pytest.fixture
def service(node, debs):
    """A system with the service running."""
    node.run("dpkg", "-i", node.bring(debs[0]))
    return node


def drop_in(node, name, text):
    directory = node.root / "etc/systemd/system/nodepods.service.d"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.conf").write_text(text)
    node.run("systemctl", "daemon-reload")


def state(node):
    return node.show("nodepods", "ActiveState", "MainPID", "InvocationID", "NRestarts", "Result")


def status(node):
    return node.show("nodepods", "StatusText")["StatusText"]


def test_ready_means_that_it_answers_and_the_status_says_how_it_is(service):
    assert "web-" in service.pods()
    service.wait("a status", lambda: "1 pod on" in status(service))
    assert "file (/etc/kubernetes/manifests) up" in status(service)
    assert " serving on " in service.journal()


def test_a_node_without_anything_is_no_failure(service):
    service.run("rm", "-r", f"/{MANIFEST}")
    service.run("systemctl", "restart", "nodepods")
    assert state(service)["ActiveState"] == "active"
    service.wait("an empty node", lambda: "0 pods on" in status(service))


def test_root_without_capabilities_or_network_on_a_read_only_system(service):
    pid = service.host_pid()
    facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0
    assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2"
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits

    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "packet"):
        assert len(Path(f"/proc/{pid}/net/{table}").read_text().splitlines()) == 1, table
    interfaces = [line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]]
    assert interfaces == ["lo"]

    mounts = {m[4]: m[5].split(",") for m in (line.split() for line in open(f"/proc/{pid}/mountinfo"))}
    writable = {path for path, options in mounts.items() if "rw" in options}
    ours = {"/run/nodepods", "/var/lib/nodepods", "/var/lib/kubelet"}
    theirs = {p for p in writable if p.startswith(("/dev", "/tmp", "/var/tmp", "/proc", "/run/credentials"))}
    assert writable - theirs == ours


def test_it_writes_its_state_and_its_sockets_and_nothing_else(service):
    service.wait("a checkpoint", lambda: list((service.root / "var/lib/nodepods").iterdir()))
    pid = service.host_pid()
    written = {os.readlink(f) for f in Path(f"/proc/{pid}/fd").iterdir() if opened_for_writing(pid, f.name)}
    files = {w for w in written if w.startswith("/") and not w.startswith("/dev/null")}
    assert all(f.startswith(("/run/nodepods/", "/var/lib/nodepods/", "/var/lib/kubelet/pods/.kubelet.sock")) for f in files), files


def opened_for_writing(pid, fd):
    info = Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
    return int(info.split("flags:")[1].split()[0], 8) & (os.O_WRONLY | os.O_RDWR)


def test_it_sees_the_pods_of_a_real_runtime_through_all_of_it(system, runtime, debs):
    system.lend(runtime.containerd.dir, "srv/cri")
    system.boot()
    system.run("dpkg", "-i", system.bring(debs[0]))
    config = system.root / "etc/nodepods/config.yaml"
    config.write_text("container-runtime-endpoint: unix:///srv/cri/c.sock\n")
    system.run("systemctl", "restart", "nodepods")
    pod = runtime.run_pod("web")
    container = pod.run_container("main")
    system.wait("a running pod", lambda: "Running" in system.run("nodepods", "get", "pods", "-A", check=False).stdout)
    assert "cri (/srv/cri/c.sock) up" in status(system)
    container.end(3)
    system.wait("its end", lambda: "Error" in system.run("nodepods", "get", "pods", "-A", check=False).stdout)


def test_an_ordinary_day_of_a_node_through_all_of_it(system, runtime, debs):
    """What a hardening that is a little too tight would break: each way of reading, and each thing that goes and comes."""
    system.lend(runtime.containerd.dir, "srv/cri")
    system.boot()
    system.run("dpkg", "-i", system.bring(debs[0]))
    (system.root / "etc/nodepods/config.yaml").write_text(
        "container-runtime-endpoint: unix:///srv/cri/c.sock\npod-logs-dir: /srv/cri/logs\ninit-timeout: 1s\n"
        "downward-dir: /run/nodepods/tree\ncri-poll-interval: 200ms\n"
    )
    system.run("systemctl", "restart", "nodepods")
    pod = runtime.run_pod("web", labels={"app": "web"})
    container = pod.run_container("main")
    says = lambda words, *command: system.wait(words, lambda: words in system.run("nodepods", *command, check=False).stdout)
    says("Running", "get", "pods", "-A")

    for place in (container.id, pod.uid, container.id[:12]):
        says("web", "whois", place)
    says("Container ID:", "describe", "pod", "web")
    says("web", "query", "Namespace:default")
    system.run("nodepods", "logs", "web")
    system.wait("the tree", lambda: system.run("cat", "/run/nodepods/tree/default/web/phase", check=False).stdout.strip() == "Running")
    system.wait("a healthy node", lambda: system.run("nodepods", "doctor", check=False).returncode == 0)

    manifests = system.root / MANIFEST  # made while the service runs
    manifests.mkdir(parents=True)
    (manifests / "late.yaml").write_text((ROOT / "examples/manifests/web.yaml").read_text().replace("name: web", "name: late", 1))
    says("late-", "get", "pods", "-A")

    runtime.containerd.stop()
    system.wait("that the runtime is gone", lambda: "cri (/srv/cri/c.sock) down" in status(system))
    says("web", "get", "pods", "-A")
    system.run("systemctl", "restart", "nodepods")
    says("late-", "get", "pods", "-A")
    runtime.containerd.start()
    system.wait("that the runtime is back", lambda: "cri (/srv/cri/c.sock) up" in status(system))
    container.end(7)
    says("Error", "get", "pods", "-A")
    assert "Permission denied" not in system.journal() and "Operation not permitted" not in system.journal()


def test_a_reload_reads_the_manifests_again_and_keeps_the_process(service):
    before = state(service)
    service.run("systemctl", "reload", "nodepods")
    service.wait("the reload", lambda: "SIGHUP" in service.journal())
    assert state(service) == before


def test_a_restart_keeps_the_directory_that_clients_have_mounted(service):
    inode = service.out("stat", "-c", "%i %a", "/run/nodepods")
    service.run("systemctl", "restart", "nodepods")
    assert service.out("stat", "-c", "%i %a", "/run/nodepods") == inode
    service.run("systemctl", "stop", "nodepods")
    assert service.out("stat", "-c", "%i %a", "/run/nodepods") == inode
    assert not (service.root / "var/lib/kubelet/pods/kubelet.sock").exists()


def test_the_kubelets_directory_may_have_been_removed(service):
    """As the scripts that take away k3s and kubeadm do."""
    for path in ("/var/lib/kubelet/pods", "/run/nodepods/*", "/var/lib/nodepods/*"):
        service.run("sh", "-c", f"until rm -rf {path}; do :; done")  # the daemon makes anew what rm has just emptied
        service.wait("the pods", lambda: "web-" in service.pods("--socket", "/var/lib/kubelet/pods/kubelet.sock"))
    service.run("sh", "-c", "until rm -rf /var/lib/kubelet; do :; done")
    service.wait("the pods elsewhere", lambda: "web-" in service.pods())
    service.run("systemctl", "restart", "nodepods")
    assert "web-" in service.pods("--socket", "/var/lib/kubelet/pods/kubelet.sock")
    assert service.out("stat", "-c", "%a", "/var/lib/kubelet") == "755"


def test_a_killed_daemon_is_back(service):
    drop_in(service, "soon", "[Service]\nRestartSec=100ms\n")
    before = state(service)
    os.kill(service.host_pid(), signal.SIGKILL)
    service.wait("a restart", lambda: state(service)["NRestarts"] == "1" and state(service)["ActiveState"] == "active")
    assert state(service)["MainPID"] != before["MainPID"]
    assert "web-" in service.pods()


def test_a_wrong_configuration_is_not_tried_again(service):
    with open(service.root / "etc/nodepods/config.yaml", "a") as f:
        f.write("sokcet: /run/a.sock\n")
    assert service.run("systemctl", "restart", "nodepods", check=False).returncode
    service.wait("the failure", lambda: state(service)["ActiveState"] == "failed")
    assert state(service)["NRestarts"] == "0"
    assert "did you mean socket?" in service.journal()


def test_a_frozen_daemon_is_killed_and_started_again(service):
    drop_in(service, "watchdog", "[Service]\nWatchdogSec=1s\nRestartSec=100ms\n")
    service.run("systemctl", "restart", "nodepods")
    os.kill(service.host_pid(), signal.SIGSTOP)
    service.wait("the watchdog", lambda: state(service)["NRestarts"] == "1" and state(service)["ActiveState"] == "active")
    assert "watchdog" in service.journal().lower()


@pytest.mark.parametrize("thread", ["manifests", "grpc-0"])
def test_one_stuck_thread_is_enough_for_the_watchdog(service, thread):
    drop_in(service, "watchdog", "[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
    (service.root / "etc/nodepods/config.yaml").write_text("file-check-frequency: 1s\n")
    service.run("systemctl", "restart", "nodepods")
    before = state(service)
    stop_thread(service.host_pid(), thread)
    service.wait("the watchdog", lambda: state(service)["NRestarts"] == "1" and state(service)["ActiveState"] == "active")
    assert state(service)["MainPID"] != before["MainPID"]
    assert "web-" in service.pods()


def stop_thread(pid, name):
    """Keeps one thread from running for good, as a debugger does."""
    tids = [int(t.name) for t in Path(f"/proc/{pid}/task").iterdir() if (t / "comm").read_text().strip() == name]
    assert len(tids) == 1, f"{len(tids)} threads are called {name}"
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(PTRACE_SEIZE, tids[0], None, None) == 0, os.strerror(ctypes.get_errno())
    assert libc.ptrace(PTRACE_INTERRUPT, tids[0], None, None) == 0, os.strerror(ctypes.get_errno())
    # A process with a traced thread is not gone until its tracer has heard of the thread's end.
    threading.Thread(target=wait_for_its_end, args=(tids[0],), daemon=True).start()


def wait_for_its_end(tid):
    while os.WIFSTOPPED(os.waitpid(tid, ALL_THREADS)[1]):
        pass


def test_systemd_holds_the_sockets_where_it_is_asked_to(service):
    service.run("systemctl", "stop", "nodepods")
    service.run("systemctl", "enable", "--now", "nodepods.socket")
    sockets = ["/run/nodepods/pods.sock", "/var/lib/kubelet/pods/kubelet.sock"]
    inodes = [service.out("stat", "-c", "%i %a", s) for s in sockets]
    assert all(i.endswith(" 600") for i in inodes)
    assert state(service)["ActiveState"] == "inactive"

    assert "web-" in service.pods()
    assert state(service)["ActiveState"] == "active"
    service.run("systemctl", "restart", "nodepods")
    assert [service.out("stat", "-c", "%i %a", s) for s in sockets] == inodes
    assert "web-" in service.pods("--socket", sockets[1])

    service.run("systemctl", "stop", "nodepods.socket", "nodepods.service")
    assert service.run("ls", *sockets, check=False).returncode


def test_the_network_drop_in_lets_a_manifest_url_be_asked(service):
    config = service.root / "etc/nodepods/config.yaml"
    config.write_text("manifest-url: http://127.0.0.1:8099/pods\nhttp-check-frequency: 1s\n")
    body = (ROOT / "examples/manifests/web.yaml").read_bytes().replace(b"name: web", b"name: remote", 1)
    serving = serve_pods(service, 8099, body)
    drop_in(service, "network", (ROOT / "packaging/systemd/drop-ins/network.conf").read_text())
    service.run("systemctl", "restart", "nodepods")
    service.wait("the remote pod", lambda: "remote-" in service.pods())
    serving.close()


def test_the_drop_in_for_other_users_lets_them_in_and_they_stay_in(service):
    (service.root / "etc/nodepods/config.yaml").write_text("allow-uid: [65534]\nsocket-mode: 0666\n")
    ask = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
           "nodepods", "get", "pods", "-A", "--socket", "/run/nodepods/pods.sock"]
    service.run("systemctl", "restart", "nodepods")
    assert "web-" in service.pods() and service.run(*ask, check=False).returncode == 77
    drop_in(service, "other-users", (ROOT / "packaging/systemd/drop-ins/other-users.conf").read_text())
    service.run("systemctl", "restart", "nodepods")
    assert "web-" in service.pods() and "web-" in service.out(*ask)
    service.run("systemd-tmpfiles", "--create", check=False)  # as rpm does after each installation, of anything
    assert "web-" in service.out(*ask)


def serve_pods(node, port, body):
    """Serves `body` on the loopback address of the system; the listening socket."""
    made = []

    def listen():  # a thread of its own: entering a network namespace is for the thread that does it
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{node.init}/ns/net") as ns:
            assert libc.setns(ns.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
        made.append(socket.create_server(("127.0.0.1", port)))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()

    def serve():
        while True:
            try:
                connection, _ = made[0].accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                connection.sendall(head + body)

    threading.Thread(target=serve, daemon=True).start()
    return made[0]
