"""What a pod is told about itself: the documentation's examples, and what real containers see."""
import contextlib
import json
import os
import signal
import stat
import subprocess
import time
import uuid

import pytest

from node import golden
from node.daemon import NODE, binary

WEB = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    zone: us-est-coast
    cluster: %(cluster)s
    rack: rack-22
  annotations:
    build: two
    builder: john-doe
spec:
  containers:
  - name: main
    image: test.local/busybox:1
    resources:
      requests: {cpu: 15m, memory: 100Ki}
      limits: {cpu: 100m, memory: 4Mi}
    env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: ZONE, valueFrom: {fieldRef: {fieldPath: "metadata.labels['zone']"}}}
    - {name: MILLICORES, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
    - {name: KIBIBYTES, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Ki}}}
    - {name: GREETING, value: "it's $(POD_NAME) in $(ZONE), $$(ZONE) and $(NOBODY)"}
  volumes:
  - name: podinfo
    downwardAPI:
      items:
      - {path: labels, fieldRef: {fieldPath: metadata.labels}}
      - {path: deep/annotations, fieldRef: {fieldPath: metadata.annotations}}
      - {path: cpu, mode: 0400, resourceFieldRef: {containerName: main, resource: requests.cpu, divisor: 1m}}
"""
NAME = f"web-{NODE}"
LABELS = 'cluster="%s"\nrack="rack-22"\nzone="us-est-coast"'


def command(node, *words):
    return [binary(), words[0], "--socket", node.socket, *words[1:]]


def run(node, *words, text=True):
    return subprocess.run(command(node, *words), capture_output=True, text=text, timeout=30)


def put(node, cluster="test-cluster1"):
    node.put("web.yaml", WEB % {"cluster": cluster})


def until(true, what):
    """Waits for what another process does to files, of which no event comes here."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, f"never {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def running(node, *words):
    """The command in the background; it ends by SIGTERM."""
    with subprocess.Popen(command(node, *words), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def read(path):
    """The content of a file, None where there is none."""
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return None


@pytest.fixture
def web(node, runtime):
    """The static pod with the sandbox and the container that a kubelet would have made of it."""
    put(node)
    watch = node.watch()
    uid = uuid.uuid4().hex
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid, "build": "two"}
    annotations["builder"] = "john-doe"
    labels = {"zone": "us-est-coast", "cluster": "test-cluster1", "rack": "rack-22"}
    pod = runtime.run_pod(NAME, uid=uid, annotations=annotations, labels=labels)
    read_volume = "read code </control/exit; cat /control/info/labels >/control/seen; read code </control/exit"
    pod.main = pod.run_container("main", command=["sh", "-c", read_volume])
    up = lambda e: e.name == NAME and e.pod.metadata.uid == uid and e.pod.status.phase == "Running"
    pod.ip = watch.until(up, what="web running").pod.status.podIP
    return pod


def test_the_environment_of_a_running_pod(node, web):
    done = run(node, "env", NAME)
    assert done.returncode == 0, done.stderr
    want = {
        "POD_NAME": NAME,
        "POD_NAMESPACE": "default",
        "POD_IP": web.ip,
        "NODE_NAME": NODE,
        "ZONE": "us-est-coast",
        "MILLICORES": "15",
        "KIBIBYTES": "4096",
        "GREETING": f"it's {NAME} in us-est-coast, $(ZONE) and $(NOBODY)",
    }
    assert done.stdout == "".join(f"{name}={value}\n" for name, value in want.items())
    assert "KUBERNETES_SERVICE_HOST" in done.stderr

    for form in ("shell", "json"):
        golden.check(f"env.{form}", run(node, "env", NAME, "-o", form).stdout)
    script = run(node, "env", NAME, "-c", "main", "-o", "shell").stdout
    shown = subprocess.run(["sh", "-c", f"{script}\nenv"], capture_output=True, text=True, env={}, check=True).stdout
    assert {line for line in shown.splitlines() if line.split("=")[0] in want} == {
        f"{name}={value}" for name, value in want.items()
    }
    listed = json.loads(run(node, "env", NAME, "-o", "json").stdout)["variables"]
    assert {v["name"]: v["value"] for v in listed} == want and [v["name"] for v in listed] == list(want)


def test_what_cannot_be_answered_says_so(node, runtime):
    put(node)
    node.watch().until(lambda e: e.name == NAME, what=NAME)
    assert run(node, "env", "nobody").returncode == 3
    assert run(node, "env", NAME, "-c", "nobody").returncode == 3
    assert run(node, "volume", NAME, "nobody").returncode == 3
    assert run(node, "volume", NAME, "podinfo", "--follow").returncode == 2
    done = run(node, "env", NAME)
    assert "POD_IP is not known here: the pod has no address now" in done.stderr and "POD_IP" not in done.stdout
    runtime.run_pod("stranger")
    node.watch().until(lambda e: e.name == "stranger", what="stranger")
    done = run(node, "env", "stranger")
    assert done.returncode == 1 and "known from the container runtime alone" in done.stderr


def test_files_byte_for_byte_and_as_a_container_sees_them(node, web):
    labels = LABELS % "test-cluster1"
    assert run(node, "volume", NAME, "podinfo", "labels", text=False).stdout == labels.encode()
    notes = run(node, "volume", NAME, "podinfo", "deep/annotations").stdout
    assert notes.startswith('build="two"\nbuilder="john-doe"\nkubernetes.io/config.hash="')
    assert "nodepods.io" not in notes
    assert not notes.endswith("\n")
    golden.check("volume.txt", run(node, "volume", NAME).stdout)

    control = os.path.dirname(web.main._pipe)
    target = f"{control}/info"
    done = run(node, "volume", NAME, "podinfo", "--to", target)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert sorted(os.listdir(target))[1:] == ["..data", "cpu", "deep", "labels"]
    assert os.readlink(f"{target}/deep") == "..data/deep"
    mode = lambda path: stat.S_IMODE(os.stat(f"{target}/{path}").st_mode)
    assert (mode("labels"), mode("cpu"), mode("deep"), mode("..data")) == (0o644, 0o400, 0o755, 0o755)
    web.main.end(0)
    until(lambda: read(f"{control}/seen") == labels, "what the container reads is what was written")

    os.mkdir(f"{control}/other")
    open(f"{control}/other/letter", "w").close()
    assert run(node, "volume", NAME, "podinfo", "--to", f"{control}/other").returncode == 1


def test_follow_keeps_the_files_current_over_a_restart_of_the_daemon(daemon):
    put(daemon)
    daemon.watch().until(lambda e: e.name == NAME, what=NAME)
    target = f"{daemon.base}/volumes"
    with running(daemon, "volume", NAME, "--to", target, "--follow"):
        until(lambda: read(f"{target}/podinfo/labels") == LABELS % "test-cluster1", "written")
        first = os.readlink(f"{target}/podinfo/..data")
        put(daemon, "second")
        until(lambda: read(f"{target}/podinfo/labels") == LABELS % "second", "the second labels")
        until(lambda: not os.path.exists(f"{target}/podinfo/{first}"), "rid of the first directory")
        daemon.stop()
        put(daemon, "third")
        daemon.start()
        until(lambda: read(f"{target}/podinfo/labels") == LABELS % "third", "the third labels")


@pytest.mark.parametrize("kept_by", ["verb", "daemon"])
def test_a_tree_of_all_pods(make_daemon, containerd, runtime, base, kept_by):
    tree = f"{base}/tree"
    arguments = ["--downward-dir", tree] if kept_by == "daemon" else []
    node = make_daemon(endpoint=containerd.endpoint, arguments=arguments).start()
    pod = runtime.run_pod("web", namespace="shop", labels={"app": "it's"})
    main = pod.run_container("main")
    keeper = running(node, "tree", tree) if kept_by == "verb" else contextlib.nullcontext()
    of = lambda path: read(f"{tree}/shop/web/{path}")
    with keeper:
        until(lambda: of("uid") and of("phase") == "Running\n" and of("containers/main/state") == "running\n", "web in the tree")
        assert of("containers/main/id") == f"{main.id}\n"
        assert of("labels") == 'app="it\'s"\n' and of("uid") == f"{pod.uid}\n" and of("ip").startswith("10.213.")
        for path in ("", "shop", "shop/web"):
            assert stat.S_IMODE(os.stat(f"{tree}/{path}").st_mode) == 0o700
        assert stat.S_IMODE(os.stat(f"{tree}/shop/web/phase").st_mode) == 0o600
        script = f'while IFS== read -r key value; do echo "$key is $value"; done <{tree}/shop/web/labels'
        assert subprocess.check_output(["sh", "-c", script], text=True) == 'app is "it\'s"\n'
        assert run(node, "tree", tree, "--once").returncode == 1, "somebody keeps it"
        main.end(3)
        until(lambda: of("containers/main/exit_code") == "3\n", "the exit code")
        put(node)
        until(lambda: read(f"{tree}/default/{NAME}/phase") == "Pending\n", "the static pod")
        os.unlink(f"{node.manifests}/web.yaml")
        until(lambda: not os.path.exists(f"{tree}/default"), "gone with its namespace")
    node.stop()
    assert of("uid") == f"{pod.uid}\n", "what is known stays when nobody keeps it"


def test_a_tree_is_not_made_in_a_directory_with_something_else_in_it(daemon):
    mine = f"{daemon.base}/mine"
    os.mkdir(mine)
    open(f"{mine}/letter", "w").close()
    done = run(daemon, "tree", mine)
    assert done.returncode == 1 and "not empty" in done.stderr
    assert os.listdir(mine) == ["letter"]
    put(daemon)
    daemon.watch().until(lambda e: e.name == NAME, what=NAME)
    assert run(daemon, "tree", f"{daemon.base}/new", "--once").returncode == 0
    assert read(f"{daemon.base}/new/default/{NAME}/phase") == "Pending\n"
