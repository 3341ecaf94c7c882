"""Transcripts of every verb as golden files: over recordings of a real kubelet's node, over a real containerd, and
without a daemon. What differs from run to run is masked, see `node.command` and `node.golden`."""
import os
import re
import shutil
import subprocess
import uuid

import pytest

from node import golden
from node.command import Command, begun, environment, masked, same_as_golden, transcript
from node.contracts import ROOT
from node.daemon import binary

# Every verb has its transcripts in one of these files.
WHERE = {
    "recorded": ["describe", "env", "export", "get", "logs", "query", "sources", "tree", "version", "volume", "wait",
                 "watch", "whois", "why"],
    "real": ["describe", "doctor", "get", "logs", "query", "sources", "wait", "watch", "whois", "why"],
    "alone": ["check-config", "completion", "generate", "kubectl", "lint", "proxy", "serve"],
}
# What `doctor` says about the machine on which it runs.
MACHINE = ["runtime", "manifests", "logs", "disk", "cgroups", "inotify", "clock"]


def of_any_machine(text):
    """What `doctor` says without the lines about the machine on which the tests happen to run."""
    subjects = "|".join(MACHINE)
    text = re.sub(rf"^(?:ok  |note|bad )  (?:{subjects}) .*\n(?: {{15,}}.*\n)*", "", text, flags=re.M)
    return re.sub(rf'    {{\n(?:      "(?:advice|verdict|seen)": .*\n)*      "subject": "(?:{subjects})",\n(?:      .*\n)*    }},?\n', "", text)


def unwrapped(text):
    """What `why` says, without the line breaks and the words that depend on how long ago something was."""
    text = re.sub(r"\n {2}(?! )", " ", text)
    text = re.sub(r"\n {4}(?!to do:|known from:|\|)", " ", text)
    text = re.sub(r"\bjust now\b", "AGE ago", text)
    return re.sub(r"\bafter (?:\d+[hms]|AGE)", "after AGE", text)


def test_six_pods_of_a_recorded_node(recorded):
    command = recorded("22-six-pods/00-six")
    start = transcript(command, [
        "sources",
        "sources -o json",
        "sources -o yaml",
        "version",
        "version -o json",
        "version --client",
        "version -o yaml",
        "query",
        "query Pod␣Name:p1,p4 -o wide",
        "query Pod␣Name:p4 -o json",
        "query Nmespace:default",
        "query two words",
        "export Pod␣Name:p4",
        "export Nmespace:default",
        "env p1-anchor-node",
        "env p1-anchor-node -c i -o json",
        "env p1-anchor-node -c none",
        "env p1",
        "volume p1-anchor-node",
        "logs p1",
        "logs p1-anchor-node -c none",
        "logs p4-anchor-node -p",
        "logs p6-anchor-node",
        "logs p1-anchor-node --tail=x",
        "logs",
        "get nodes",
        "describe p4",
        "whois 10.89.0.94",
        "whois 10.89.0.94 -o json",
        "whois 10.89.0.1",
        "whois p1-anchor-node",
        "why none",
        "wait --for=condition=Ready p2-anchor-node --timeout=0s",
        "wait --for=condition=Ready p5-anchor-node --timeout=0s",
        "watch -o yaml",
    ])
    start += "\n" + unwrapped(transcript(command, ["why p3", "why p4"]))
    same_as_golden("recorded", start)
    same_as_golden("recorded-watch", begun(command, "watch", 6) + "\n" + begun(command, "get -w", 7))


def test_volumes_and_a_tree_of_a_recorded_node(recorded, base):
    command = recorded("29-volumes-downward/00-running")
    tree = f"{base}/tree"
    text = transcript(command, [
        "volume vol-anchor-node",
        "volume vol-anchor-node none",
        f"tree --once {tree}",
        f"tree --once {base}",
        "tree",
    ])
    files = []
    for directory, below, names in os.walk(tree, followlinks=True):
        below[:] = sorted(name for name in below if not name.startswith(".."))
        files += [os.path.relpath(f"{directory}/{name}", tree) for name in names if not name.startswith(".")]
    same_as_golden("recorded-files", text + "\n$ find\n" + "".join(f"{name}\n" for name in sorted(files)))


def test_a_pod_of_a_real_containerd_from_its_start_to_its_end(make_daemon, runtime):
    """One static pod runs, writes, and fails."""
    daemon = make_daemon(endpoint=runtime.containerd.endpoint, http=True, arguments=["--pod-logs-dir", runtime.containerd.logs])
    daemon.start()
    uid = uuid.uuid4().hex
    daemon.put("web.yaml", WEB)
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    pod = runtime.run_pod("web-test-node", uid=uid, labels={"app": "web"}, annotations=annotations)
    says = "nc -l -p 8080 & echo one; echo two; read code </control/exit; echo three; exit $code"
    container = pod.run_container("main", command=["sh", "-c", says])
    daemon.watch().until(lambda e: e.pod and e.pod.status.phase == "Running", what="it runs")
    command = Command(daemon.socket)
    logs = f"--pod-logs-dir {runtime.containerd.logs}"
    watch = command.start("watch")
    happened = watch.stdout.readline()
    runs = transcript(command, [
        "get",
        "get -o wide",
        "describe web",
        "wait --for=condition=Ready web-test-node",
        "wait --for=jsonpath={.status.phase}=Running web-test-node -n default",
        "sources",
        "sources -o json",
        "query -o wide",
        "whois :8080",
        f"whois {container.id[:12]} -o json",
        f"logs web-test-node {logs}",
        "logs web-test-node --tail=1 --prefix",
        f"logs web-test-node -p {logs}",
    ])
    container.end(3)
    daemon.watch().until(lambda e: e.pod and e.pod.status.phase == "Failed", what="it failed")
    happened += watch.stdout.readline()
    ended = transcript(command, [
        "get",
        "logs -f web-test-node",
        "wait --for=phase=Failed web-test-node",
        "export",
    ])
    ended += "\n" + unwrapped(transcript(command, [f"why web {logs}", "why web"]))
    ended = ended.replace("\n! container", "\n! container")
    os.remove(f"{daemon.manifests}/web.yaml")
    happened += watch.stdout.readline()
    pod.remove()
    while "DELETED" not in happened:
        happened += watch.stdout.readline()
    watch.kill()
    watch.communicate()
    doctor = of_any_machine(transcript(command, ["wait --for=delete web-test-node", "doctor", "doctor -o json"]))
    text = "\n".join([runs, ended, masked(f"$ nodepods watch\n{happened}"), doctor])
    text = golden.masked(text).replace(container.id[:12], "SHORT-ID")
    same_as_golden("real", re.sub(r"(\bIP|ADDRESS) {2,}", r"\1  ", text))  # the column is as wide as the address


WEB = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: test.local/busybox:1
"""


def test_what_works_without_a_daemon(base):
    """Help, completions, manuals, checks of files; and everything else, which says that there is no daemon."""
    os.makedirs(f"{base}/manifests")
    for name, text in {"web.yaml": WEB, "broken.yaml": WEB.replace("name: web", "name: Web").replace("image", "imgae")}.items():
        with open(f"{base}/manifests/{name}", "w") as f:
            f.write(text)
    for name, text in {"good": "init-timeout: 30s\n", "bad": "init-timeout: soon\n", "unknown": "inti-timeout: 3s\n"}.items():
        with open(f"{base}/{name}.yaml", "w") as f:
            f.write(text)
    command = Command(f"{base}/none.sock")
    lint = f"{base}/manifests"
    text = transcript(command, [
        "",
        "help",
        "help get",
        "help nothing",
        "get --help --nonsense",
        f"lint {lint} --hostname-override n1",
        f"lint {lint} --hostname-override n1 -o json",
        f"lint {lint} -o github",
        f"lint {lint}/web.yaml --hostname-override n1 -o yaml",
        f"lint {base}/none.yaml",
        "lint",
        f"check-config {base}/good.yaml",
        f"check-config {base}/bad.yaml",
        f"check-config {base}/unknown.yaml",
        f"check-config {base}/none.yaml",
        "completion tcsh",
        "completion",
        f"generate man {base}/made",
        f"generate completions {base}/made",
        "generate man",
        "generate nothing here",
        "version",
        "proxy --http-socket /none",
        "kubectl get pods",
        "serve --socket here",
        "serve --socket-mode 9",
        "serve --nonsense",
        "--nonsense",
        "-n web",
    ], ages=False, env={"SOURCE_DATE_EPOCH": "0", "NODEPODS_HTTP_SOCKET": f"{base}/none.sock"})
    made = "".join(f"{name}\n" for name in sorted(os.listdir(f"{base}/made")))
    same_as_golden("alone", f"{text}\n$ ls\n{made}".replace(base, "BASE"))


@pytest.mark.parametrize("verb", sorted({verb for verbs in WHERE.values() for verb in verbs} - {"serve"}))
def test_help(verb):
    """The page of each verb; that of the daemon is as long as its options are many."""
    same_as_golden(f"help/{verb}", Command("none").run(verb, "--help").stdout)


def test_every_verb_has_a_transcript():
    overview = Command("none").run().stdout
    verbs = set(re.findall(r"^  ([a-z-]+)   +\S", overview.split("Try it:")[0], flags=re.M))
    assert verbs | {"generate"} == {verb for verbs in WHERE.values() for verb in verbs}
    for name, verbs in WHERE.items():
        with open(f"{ROOT}/tests/e2e/golden/cli/{name}.txt") as f:
            text = f.read()
        assert all(f"$ nodepods {verb}" in text for verb in verbs if verb not in ("watch", "get", "tree")), name


def test_proxy_says_where_it_serves(daemon, make_daemon, base):
    served = make_daemon("b", http=True).start()
    process = Command(served.socket).start("proxy", "--port", "0")
    said = process.stdout.readline() + process.stdout.readline()
    process.kill()
    process.communicate()
    same_as_golden("proxy", "$ nodepods proxy --port 0\n" + re.sub(r":\d{4,5}\b", ":PORT", said))


SESSION = ["nodepods ge", "nodepods get -", "nodepods get -o ''", "nodepods wait --for ''", "nodepods logs ''",
           "nodepods completion ''", "nodepods help w", "nodepods lint -o ''", "nodepods lint ''", "nodepods why p"]


def test_what_bash_offers(recorded, base):
    """What Tab offers at the end of each line."""
    command = recorded("22-six-pods/00-six")
    script = command.run("completion", "bash").stdout
    os.symlink(binary(), f"{base}/nodepods")
    env = environment(NODEPODS_SOCKET=command.socket, PATH=f"{base}:{os.environ['PATH']}")
    here = f"{base}/here"
    os.makedirs(f"{here}/manifests")
    out = []
    for line in SESSION:
        words = f"COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _nodepods; echo \"${{COMPREPLY[*]}}\""
        done = subprocess.run(["bash", "-c", f"{script}\n{words}"], env=env, cwd=here, capture_output=True, text=True, check=True)
        out.append(f"$ {line}<Tab>\n{done.stdout}")
    same_as_golden("completion", "\n".join(out))


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
def test_kubectl_through_our_own_verb(recorded):
    same_as_golden("kubectl", transcript(recorded("22-six-pods/00-six"), [
        "kubectl get pods",
        "kubectl get pod p1-anchor-node -o jsonpath={.status.podIP}",
        "kubectl get pod none",
        "kubectl delete pod p1-anchor-node",
    ]))
