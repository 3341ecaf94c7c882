"""What a real kubectl prints of pods in a real containerd, command by command, as a golden file.

UPDATE_GOLDEN=1 writes it anew. kubectl 1.20 (Debian 12) and 1.32 print the same but for colours and blanks.
"""
import os
import re
import shutil
import subprocess

import pytest

from node.daemon import NODE, binary, manifest
from node.user import as_user

WEB, JOB = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
OLD = "77777777-2222-4333-8444-555555555555"
HERE = os.path.dirname(os.path.abspath(__file__))

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")


def masked(text):
    """Without what differs from run to run: times, addresses, ids, and the width of columns that holds them."""
    for pattern, word in [
        (r"\x1b\[[0-9;]*m", ""),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}", "TIME"),
        (r"\b[0-9a-f]{64}\b", "ID"),
        (r"\b10\.213\.\d+\.\d+\b", "IP"),
        (r"(127\.0\.0\.1:)\d+", r"\1PORT"),
        (r'(resourceVersion"?: ")\d+', r"\1RV"),
        (r"(?<![\w.-])\d+[smh](\d+[smh])?(?![\w.-])", "AGE"),
        (r"(?<=\S)  +", "  "),
    ]:
        text = re.sub(pattern, word, text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    # What happened within one second has no order.
    head, events, rows = text.partition("  ----  ------  ----  ----  -------\n")
    return head + events + "".join(sorted(rows.splitlines(keepends=True)))


class Kubectl:
    """`nodepods kubectl` on one daemon; what it printed is written down."""

    def __init__(self, http):
        self.command = [binary(), "kubectl"]
        self.environment = {**os.environ, "NODEPODS_HTTP_SOCKET": http, "TZ": "UTC"}
        self.transcript = []

    def start(self, *arguments):
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.command, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        self.note(arguments, out + err, process.returncode)

    def note(self, arguments, text, code=0):
        words = " ".join(f"'{a}'" if re.search(r"[{}<>*\\ ]", a) else a for a in arguments)
        end = f"exit code {code}\n" if code else ""
        self.transcript.append(f"$ kubectl {words}\n{masked(text)}{end}")


@pytest.fixture
def node(make_daemon, containerd, base):
    http = f"{base}/http.sock"
    arguments = ["--http-socket", http, "--pod-logs-dir", containerd.logs]
    daemon = make_daemon(endpoint=containerd.endpoint, arguments=arguments)
    daemon.http = http
    return daemon.start()


def state(pod, which):
    return any(c.state.HasField(which) for c in pod.status.containerStatuses)


def test_what_kubectl_prints(node, runtime):
    watch = node.watch()
    node.put("web.yaml", manifest("web", uid=WEB, labels={"app": "web", "tier": "front"}))
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": WEB}
    web = runtime.run_pod(f"web-{NODE}", uid=WEB, annotations=annotations)
    lines = "echo one; echo two; echo three; read code </control/exit; echo last; exit $code"
    main = web.run_container("main", command=["sh", "-c", lines])
    watch.until(lambda e: e.name == f"web-{NODE}" and state(e.pod, "running"), what="web running")
    job = runtime.run_pod("job", namespace="batch", uid=JOB, labels={"app": "job"})
    job.run_container("work").end(3)
    watch.until(lambda e: e.name == "job" and state(e.pod, "terminated"), what="job ended")

    kubectl = Kubectl(node.http)
    run = kubectl.run
    run("get", "pods", "-A")
    run("get", "pods", "-A", "-o", "wide")
    run("get", "pods", "-A", "--show-labels")
    run("get", "pods", "-o", "name")
    run("get", "pod", f"web-{NODE}", "-o", "yaml")
    run("get", "pod", "job", "-n", "batch", "-o", "json")
    run("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.name}")
    run("get", "pods", "-A", "-l", "app=web")
    run("get", "pods", "-A", "-l", "app in (job, db),!tier")
    run("get", "pods", "-A", "--field-selector", "metadata.namespace!=default")
    run("get", "pods", "-A", "--sort-by", ".metadata.uid")
    run("get", "pod", "nobody")
    run("get", "pods", "--field-selector", "spec.color=red")
    run("describe", "pod", f"web-{NODE}")
    run("get", "events", "-A")
    run("get", "namespaces")
    run("get", "nodes")
    run("logs", f"web-{NODE}")
    run("logs", f"web-{NODE}", "--tail", "1")
    run("logs", f"web-{NODE}", "-c", "nothing")
    run("wait", "--for=condition=Ready", f"pod/web-{NODE}", "--timeout", "20s")
    run("api-resources")
    run("cluster-info")
    run("delete", "pod", f"web-{NODE}")
    run("label", "pod", f"web-{NODE}", "a=b")
    run("exec", f"web-{NODE}", "--", "true")

    watching = ("get", "pods", "-w")
    watcher = kubectl.start(*watching)
    seen = watcher.stdout.readline() + watcher.stdout.readline()  # the head and the pod that is there
    following = ("logs", "-f", f"web-{NODE}")
    follower = kubectl.start(*following)
    followed = "".join(follower.stdout.readline() for _ in range(3))
    main.end(0)
    kubectl.note(following, followed + follower.communicate(timeout=30)[0], follower.returncode)
    while "Completed" not in seen:
        line = watcher.stdout.readline()
        assert line, f"the watch ended: {seen}"
        seen += line
    watcher.terminate()
    watcher.communicate(timeout=30)
    last = [*seen.splitlines(keepends=True)[:2], seen.splitlines(keepends=True)[-1]]
    kubectl.note(watching, "".join(last))

    node.put("old.yaml", manifest("old", uid=OLD))
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": OLD}
    runtime.run_pod(f"old-{NODE}", uid=OLD, annotations=annotations).run_container("main")
    watch.until(lambda e: e.name == f"old-{NODE}" and state(e.pod, "running"), what="old running")
    os.unlink(f"{node.manifests}/old.yaml")
    watch.until(lambda e: e.name == f"old-{NODE}" and e.pod.metadata.HasField("deletionTimestamp"), what="old leaving")
    run("describe", "pod", f"old-{NODE}")

    golden = f"{HERE}/golden/kubectl.txt"
    transcript = "\n".join(kubectl.transcript)
    if os.environ.get("UPDATE_GOLDEN"):
        with open(golden, "w") as f:
            f.write(transcript)
    assert transcript == open(golden).read(), "if this is meant, run again with UPDATE_GOLDEN=1"
    assert not [d for d in os.listdir("/tmp") if d.startswith("nodepods-kubectl-")], "nothing is left behind"


def test_the_node_as_far_as_it_is_known(node):
    """Kernel, system and runtime; without a capacity, kubectl divides by nothing and prints nonsense."""
    kubectl = Kubectl(node.http)
    wide = kubectl.start("get", "nodes", "-o", "wide").communicate(timeout=30)[0]
    assert os.uname().release in wide and "containerd://" in wide, wide
    described = kubectl.start("describe", "node").communicate(timeout=30)[0]
    assert re.search(r"^Capacity:\n +cpu: +\d+\n +memory: +\d+Ki$", described, re.M), described
    assert "-9223372036854775808%" not in described


def test_a_proxy_serves_its_own_user_alone(node):
    proxy = subprocess.Popen(
        [binary(), "proxy", "--port", "0", "--http-socket", node.http], stdout=subprocess.PIPE, text=True,
        env={k: v for k, v in os.environ.items() if k != "SUDO_UID"},
    )
    try:
        url = re.search(r"http://\S+", proxy.stdout.readline()).group()

        def ask(*arguments, user=None):
            curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *arguments, f"{url}/api/v1/pods"]
            who = as_user(user) if user else []
            return subprocess.run([*who, *curl], check=True, capture_output=True, text=True).stdout

        assert ask() == "200"
        assert ask("-H", "Host: evil.example") == "403"
        assert ask("-H", "Origin: http://evil.example") == "403"
        assert ask("-X", "POST", "-d", "{}") == "405"
        assert ask(user=65534) == "403"
        told = subprocess.run(["curl", "-s", f"{url}/version"], user=65534, group=65534, capture_output=True, text=True)
        assert "--allow-uid 65534" in told.stdout, told
        big = ["-X", "POST", "-H", "Content-Type: x", "--data-binary", "@-"]
        poster = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *big, f"{url}/api/v1/pods"]
        assert subprocess.run(poster, input="x" * (8 << 20), capture_output=True, text=True).stdout == "405"
    finally:
        proxy.kill()
        proxy.wait()
