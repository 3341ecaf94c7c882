"""The command line: transcripts over recordings of a real kubelet's node, and what a person may rely on."""
import contextlib
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import uuid

import pytest

from node.command import Command, environment, masked, same_as_golden, transcript
from node.contracts import ROOT
from node.daemon import binary, manifest
from node.user import as_user
from replay.recording import Runtime, cases


@contextlib.contextmanager
def forwarded(path):
    """The unix socket at `path`, reachable over TCP for clients that cannot do without."""
    class Forward(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(path)
                back = threading.Thread(target=self.copy, args=(server, self.request), daemon=True)
                back.start()
                self.copy(self.request, server)
                back.join()

        def copy(self, source, target):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_get(recorded):
    same_as_golden("get", transcript(recorded("22-six-pods/00-six"), [
        "get pods",
        "get pods -n default -o wide --no-headers",
        "get pods -o name --sort-by=.metadata.name",
        "get pods --show-labels -l app",
        "get pods -o custom-columns=NAME:.metadata.name,PHASE:.status.phase,IMAGES:.spec.containers[*].image",
        "get pods -o jsonpath={range␣.items[*]}{.metadata.name}={.status.phase}{'\\n'}{end}",
        "get pods -o jsonpath={.items[*].nothing",
        "get pods --field-selector=status.phase=Running -o name",
        "get pods --sort-by=.spec.nothing",
        "get pod none",
        "get pod none --ignore-not-found",
        "get -n none",
        "get -o xml",
    ]))


def test_describe(recorded):
    same_as_golden("describe", transcript(recorded("10-oomkilled/02-oomkilled-always-crashloop"), [
        "describe pod oom",
        "describe pod none",
    ]))


def test_wait(recorded):
    same_as_golden("wait", transcript(recorded("01-running-2c-init-cni/00-running"), [
        "wait --for=condition=Ready --all",
        "wait --for=phase=Running --all -n default --timeout=5s",
        "wait --for=phase=Failed --all --timeout=0s",
        "wait --for=condition=Ready none --timeout=0s",
        "wait --for=delete none",
        "wait --for=jsonpath={.status.phase}=Running --all",
        "wait --for=ready --all",
        "wait --for=condition=Ready",
    ]))


def test_what_needs_no_daemon(daemon):
    command = Command(f"{daemon.base}/none.sock")
    same_as_golden("no-daemon", transcript(command, [
        "get pods",
        "describe pod x",
        "watch",
        "logs x",
        "sources",
        "wait --for=delete x --timeout=0s",
        "version --client",
        "get pdos --ouptut=json",
        "gte",
    ]))


def test_sources(daemon):
    daemon.put("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: Broken}\nspec: {containers: []}\n")
    daemon.wait_log("broken.yaml")
    command = Command(daemon.socket)
    done = command.run("sources")
    assert done.returncode == 0 and "broken.yaml:" in done.stdout and "error" in done.stdout, done
    told = json.loads(command.run("sources", "-o", "json").stdout)
    assert {s["name"]: s["state"] for s in told["sources"]}["file"] == "Up"
    assert told["findings"] and told["initialized"] and told["node"]["name"] == "test-node"
    assert json.loads(command.run("version", "-o", "json").stdout)["daemon"]["pid"] == daemon.process.pid


def test_doctor(daemon):
    done = Command(daemon.socket).run("doctor", "-o", "json")
    checks = json.loads(done.stdout)["checks"]
    assert {c["subject"]: c["verdict"] for c in checks}["daemon"] == "ok", done.stdout
    assert all(c["advice"] for c in checks if c["verdict"] == "bad")
    without = Command(f"{daemon.base}/none.sock").run("doctor")
    assert without.returncode == 1 and "systemctl start nodepods" in without.stdout


def test_check_config(daemon):
    command = Command(daemon.socket)
    path = f"{daemon.base}/config.yaml"
    for text, code, says in [
        ("init-timeout: 30s\n", 0, "config.yaml: ok"),
        ("init-timeout: soon\n", 78, "config.yaml:1:1: init-timeout"),
        ("inti-timeout: 3s\n", 78, "did you mean init-timeout?"),
    ]:
        with open(path, "w") as f:
            f.write(text)
        done = command.run("check-config", path)
        assert (done.returncode, says in done.stdout + done.stderr) == (code, True), done


def test_watch_says_what_happens(node, runtime):
    uid = uuid.uuid4().hex
    node.put("p.yaml", manifest("p", uid=uid))
    node.watch().next("ADDED", "p-test-node")
    process = Command(node.socket).start("watch")
    assert "ADDED     default/p-test-node  ContainerCreating 0/1" in process.stdout.readline()
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    container = runtime.run_pod("p-test-node", uid=uid, annotations=annotations).run_container("main")
    said = ""
    for happens in ["main running", "main exit 3 (Error)"]:
        while happens not in said:
            line = process.stdout.readline()
            assert line and "DELETED" not in line, said
            said += line
        if happens == "main running":
            container.end(3)
    process.kill()
    process.communicate()


def test_wait_for_a_daemon_and_a_pod_that_come_later(make_daemon, base):
    daemon = make_daemon()
    process = Command(daemon.socket).start("wait", "--for=create", "pod/p-test-node", "--timeout=60s")
    daemon.start()
    daemon.put("p.yaml", manifest("p"))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "pod/p-test-node condition met\n"), err
    done = Command(daemon.socket).start("wait", "--for=delete", "pod/p-test-node", "--timeout=60s")
    os.remove(f"{daemon.manifests}/p.yaml")
    assert done.communicate(timeout=60)[0] == "pod/p-test-node deleted\n"


def test_logs_of_a_real_container(node, runtime):
    node.put("p.yaml", manifest("p"))
    uid = uuid.uuid4().hex
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    pod = runtime.run_pod("p-test-node", uid=uid, annotations=annotations)
    said = pod.run_container("main", command=["sh", "-c", "echo one; echo two; read code </control/exit; echo three; exit $code"])
    node.watch().until(lambda e: e.name == "p-test-node" and e.pod.status.phase == "Running", what="it runs")
    command = Command(node.socket)
    logs = ["logs", "p-test-node", "--pod-logs-dir", runtime.containerd.logs]
    follow = command.start(*logs, "-f")
    assert [follow.stdout.readline(), follow.stdout.readline()] == ["one\n", "two\n"]
    said.end(0)
    assert follow.communicate(timeout=30)[0] == "three\n", "and it ends with the container"
    assert command.run(*logs).stdout == "one\ntwo\nthree\n"
    assert command.run(*logs, "--tail=1", "--prefix").stdout == "[pod/p-test-node/main] three\n"
    assert command.run(*logs, "--since=1h", "--timestamps").stdout.split()[1::2] == ["one", "two", "three"]
    previous = command.run(*logs, "-p")
    assert (previous.returncode, "no earlier instance" in previous.stderr) == (3, True)
    wrong = command.run(*logs, "-c", "side")
    assert (wrong.returncode, "it has main" in wrong.stderr) == (2, True)


NOBODY = as_user(65534)


@pytest.fixture
def reachable(base):
    """The program as somebody who is not root runs it: a copy where everybody may pass."""
    copy = f"{base}/nodepods"
    with open(binary(), "rb") as f:
        if f.read(2) == b"#!":
            pytest.skip("what starts qemu works in its own place only")
    shutil.copy(binary(), copy)
    os.chmod(base, 0o755)
    return [*NOBODY, copy]


def test_logs_of_somebody_who_is_not_root(make_daemon, runtime, reachable):
    """The daemon reads the runtime's files for those whom its socket for HTTP lets in."""
    served = ["--pod-logs-dir", runtime.containerd.logs, "--socket-mode", "0666", "--allow-uid", "65534"]
    daemon = make_daemon(endpoint=runtime.containerd.endpoint, arguments=served, http=True).start()
    pod = runtime.run_pod("p")
    writes = "echo {0} one; echo {0} two; read code </control/exit; echo {0} three; exit $code"
    containers = [pod.run_container(name, command=["sh", "-c", writes.format(name)]) for name in ("main", "side")]

    def both_run(e):
        return e.pod and sum(c.state.HasField("running") for c in e.pod.status.containerStatuses) == 2

    daemon.watch().until(both_run, what="both containers run")
    command = Command(daemon.socket, program=reachable)

    def logs(*words):
        return command.run("logs", "p", *words)

    assert logs("-c", "main").stdout == "main one\nmain two\n"
    assert logs("main").stdout == "main one\nmain two\n", "kubectl's old spelling"
    assert logs("--tail=1", "--prefix", "--all-containers").stdout.splitlines() == [
        "[pod/p/main] main two", "[pod/p/side] side two"]
    assert logs("side", "--since=1h", "--timestamps").stdout.split()[2::3] == ["one", "two"]
    assert logs("side", "--limit-bytes=6").stdout == "side o"
    previous = logs("-p", "main")
    assert (previous.returncode, "previous terminated container" in previous.stderr) == (3, True)
    follow = command.start("logs", "-f", "--tail=1", "--all-containers", "--prefix", "p")
    assert sorted([follow.stdout.readline(), follow.stdout.readline()]) == [
        "[pod/p/main] main two\n", "[pod/p/side] side two\n"]
    containers[1].end(0)
    assert follow.stdout.readline() == "[pod/p/side] side three\n"
    containers[0].end(0)
    assert follow.communicate(timeout=30) == ("[pod/p/main] main three\n", "")


def test_a_socket_that_lets_everybody_connect_and_a_daemon_that_does_not(make_daemon, reachable):
    daemon = make_daemon(arguments=["--socket-mode", "0666"], http=True).start()
    command = Command(daemon.socket, program=reachable)
    for line in ["get", "logs p", "kubectl get pods", "wait --for=create pod/p", "watch"]:
        done = command.run(*line.split())
        assert done.returncode == 77 and "does not admit user id 65534" in done.stderr, (line, done)


def test_logs_where_only_the_socket_for_http_lets_one_in(make_daemon, runtime, reachable):
    served = ["--pod-logs-dir", runtime.containerd.logs, "--allow-uid", "65534"]
    daemon = make_daemon(endpoint=runtime.containerd.endpoint, arguments=served, http=True).start()
    runtime.run_pod("p").run_container("main", command=["sh", "-c", "echo hello; read code </control/exit"])
    daemon.watch().until(lambda e: e.pod and e.pod.status.phase == "Running", what="it runs")
    command = Command(daemon.socket, program=reachable)
    refused = command.run("logs", "p")
    assert (refused.returncode, "try sudo" in refused.stderr) == (77, True), refused
    os.chmod(daemon.http_socket, 0o666)
    assert command.run("logs", "p").stdout == "hello\n"


def test_a_terminal_of_80_columns(recorded):
    command = recorded("22-six-pods/00-six")
    for args in [("get", "-o", "wide"), ("get",), ("sources",)]:
        lines = command.on_terminal(*args, NO_COLOR="1").splitlines()
        assert lines and not [line for line in lines if len(line) > 80 and args[0] == "get"], lines
        assert "\x1b" not in "".join(lines)
    assert "\x1b[" in command.on_terminal("get")
    assert "\x1b" not in command.on_terminal("get", TERM="dumb")
    assert "\x1b" not in command.run("get").stdout
    for page in [(), ("help", "get"), ("help", "serve"), ("help", "wait")]:
        assert all(len(line) <= 80 for line in command.on_terminal(*page).split("Examples:")[0].splitlines()), page


def test_head_takes_one_line_and_nobody_complains(recorded):
    command = recorded("22-six-pods/00-six")
    for line in ["get -o json", "get -o yaml", "describe", "watch -o json", "get -w"]:
        process = command.start(*line.split())
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 0, line
        assert process.stderr.read() == "", line


def test_a_terminal_obeys_no_name(daemon):
    daemon.put("ev\x1b[31mil.yaml", "kind: Pod\n")
    daemon.put("p.yaml", manifest("p").replace("spec:", '  annotations: {a: "\\e[31m"}\nspec:'))
    daemon.wait_log("il.yaml")
    command = Command(daemon.socket)
    for line in ["sources", "why", "describe", f"lint {daemon.manifests}", "whois /\x1b[31m", "get \x1b[31m", "\x1b[31m"]:
        done = command.run(*line.split(" "))
        assert done.stdout + done.stderr and "\x1b" not in done.stdout + done.stderr, (line, done)


def test_without_permission(daemon, reachable):
    """Somebody who is not root is told what to do."""
    run = Command(daemon.socket, program=reachable).run("get")
    assert (run.returncode, run.stdout) == (77, ""), run
    assert "try sudo" in run.stderr and daemon.socket in run.stderr


def test_a_wrong_socket(make_daemon, containerd, base):
    daemon = make_daemon(arguments=["--http-socket", f"{base}/http.sock"]).start()
    daemon.put("p.yaml", manifest("p"))
    http = Command(f"{base}/http.sock").run("get")
    assert (http.returncode, "is a socket for HTTP" in http.stderr) == (1, True), http
    other = Command(containerd.endpoint.removeprefix("unix://")).run("get")
    assert (other.returncode, "does not serve v1alpha1.Pods" in other.stderr) == (1, True), other
    grpc = Command(daemon.socket)
    for line in ["kubectl get pods", "proxy --port 0", "describe p"]:
        done = grpc.run(*line.split(), env={"NODEPODS_HTTP_SOCKET": daemon.socket})
        expected = (0, False) if line.startswith("describe") else (69, True)
        assert (done.returncode, "does not speak HTTP" in done.stderr) == expected, done
    with open(f"{base}/file", "w"):
        pass
    assert Command(f"{base}/file").run("get").returncode == 69


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
@pytest.mark.parametrize("case, directory", [("19-qos-resources", "00-"), ("29-volumes-downward", "00-")])
def test_describe_is_laid_out_as_kubectls(make_daemon, base, case, directory):
    """kubectl over our HTTP socket, and ours: the same lines, but for findings."""
    snapshot = next(s for s in cases([f"{ROOT}/tests/recordings/{case}"]) if f"/{directory}" in s.dir)
    runtime = Runtime(snapshot, f"{base}/cri.sock")
    daemon = make_daemon(endpoint=f"unix://{base}/cri.sock", node=snapshot.node, http=True)
    snapshot.lay_manifests(daemon.manifests)
    daemon.start()
    with forwarded(daemon.http_socket) as address:
        for namespace, name in snapshot.pods:
            kubectl = ["kubectl", "--server", address, "-n", namespace, "describe", "pod", name]
            theirs = subprocess.run(kubectl, capture_output=True, text=True, check=True, env=environment(TZ="UTC")).stdout
            ours = Command(daemon.socket).run("describe", f"{namespace}/{name}").stdout
            ours, theirs = (masked(text).splitlines() for text in (ours.split("\nFindings:")[0] + "\n", theirs))
            assert ours == theirs
    runtime.stop()


def test_completion_and_manual(daemon, base):
    command = Command(daemon.socket)
    assert command.run("generate", "man", f"{base}/man").returncode == 0
    assert command.run("generate", "completions", f"{base}/completions").returncode == 0
    assert sorted(os.listdir(f"{base}/man")) == ["nodepods.1", "nodepods.8", "nodepods.yaml.5"]
    if shutil.which("mandoc"):
        for page in os.listdir(f"{base}/man"):
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", f"{base}/man/{page}"], capture_output=True,
                                  text=True, check=False)
            assert lint.stdout == "", lint.stdout
    ask = "source {}; COMP_WORDS=(nodepods {}); COMP_CWORD={}; _nodepods; echo ${{COMPREPLY[*]}}"
    for words, cword, want in [("ge", 1, "get"), ("get -o ''", 3, "wide json yaml name jsonpath="), ("wait --for ''", 3, "condition= phase=")]:
        line = ask.format(f"{base}/completions/nodepods", words, cword)
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert done.stdout.startswith(want), done
    for shell, name in [("zsh", "_nodepods"), ("fish", "nodepods.fish")]:
        if shutil.which(shell):
            subprocess.run([shell, "-n", f"{base}/completions/{name}"], check=True)
