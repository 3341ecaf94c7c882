"""Clients of the Kubernetes API on pods in a real containerd, each with its transcript as a golden file: Python's and
JavaScript's through `nodepods proxy`, and the commands of the handbook on the socket.

UPDATE_GOLDEN=1 writes the transcripts anew.
"""
import json
import os
import re
import shutil
import subprocess
import threading
import uuid

import kubernetes
import pytest

from node import golden
from node.contracts import ROOT
from node.daemon import NODE, binary, manifest

PACKAGE = "@kubernetes/client-node@1.4.0"
WEB = f"web-{NODE}"


@pytest.fixture
def node(make_daemon, base, containerd, runtime):
    """A daemon with a static pod that runs and one that has failed, and a proxy to it."""
    http = f"{base}/h.sock"
    arguments = ["--http-socket", http, "--pod-logs-dir", containerd.logs]
    daemon = make_daemon(endpoint=containerd.endpoint, arguments=arguments)
    uid, other = (first + str(uuid.uuid4())[1:] for first in "19")  # watches begin in the order of UIDs
    daemon.put("web.yaml", manifest("web", uid=uid, labels={"app": "web"}))
    daemon.start()
    watch = daemon.watch()
    annotations = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid}
    web = runtime.run_pod(WEB, uid=uid, annotations=annotations)
    lines = "echo one; echo two; read code </control/exit; exit $code"
    web.run_container("main", command=["sh", "-c", lines])
    watch.until(lambda e: e.name == WEB and has(e.pod, "running"), what="web running")
    runtime.run_pod("job", namespace="batch", uid=other, labels={"app": "job"}).run_container("work").end(3)
    watch.until(lambda e: e.name == "job" and has(e.pod, "terminated"), what="job ended")
    command = [binary(), "proxy", "--port", "0", "--http-socket", http]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    daemon.http, daemon.url = http, re.search(r"http://\S+", proxy.stdout.readline()).group()
    yield daemon
    proxy.kill()
    proxy.wait()


def has(pod, state):
    return any(c.state.HasField(state) for c in pod.status.containerStatuses)


CALLS = """
[(p.metadata.namespace, p.metadata.name, p.status.phase) for p in api.list_pod_for_all_namespaces().items]
[p.metadata.name for p in api.list_pod_for_all_namespaces(label_selector="app in (web, db)").items]
[p.metadata.name for p in api.list_namespaced_pod("batch", field_selector="status.phase!=Running").items]
[len(api.list_pod_for_all_namespaces(limit=1).items), api.list_pod_for_all_namespaces(limit=1).metadata._continue != ""]
api.read_namespaced_pod("web-test-node", "default").metadata.uid
api.read_namespaced_pod("web-test-node", "default").status.container_statuses[0].ready
api.read_namespaced_pod("job", "batch").status.container_statuses[0].state.terminated.exit_code
api.read_namespaced_pod_log("web-test-node", "default")
api.read_namespaced_pod_log("web-test-node", "default", container="main", tail_lines=1)
[n.metadata.name for n in api.list_node().items]
[n.metadata.name for n in api.list_namespace().items]
sorted(e.reason for e in api.list_namespaced_event("batch").items)
kubernetes.client.VersionApi(api.api_client).get_code().major
api.read_namespaced_pod("nobody", "default")
api.read_namespaced_pod_log("web-test-node", "default", container="nothing")
api.list_pod_for_all_namespaces(field_selector="spec.color=red")
api.delete_namespaced_pod("web-test-node", "default")
"""


def test_pythons_client_lists_gets_watches_and_reads_logs(node):
    api = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(kubernetes.client.Configuration(host=node.url)))
    transcript = []
    for call in CALLS.strip().splitlines():
        try:
            told = repr(eval(call, {"api": api, "kubernetes": kubernetes}))
        except kubernetes.client.ApiException as e:
            told = f"ApiException {e.status} {json.loads(e.body)['reason']}: {json.loads(e.body)['message']}"
        transcript += [f">>> {call}", told]

    seen, begun = [], threading.Event()

    def watch():
        stream = kubernetes.watch.Watch()
        for event in stream.stream(api.list_namespaced_pod, "default", timeout_seconds=60):
            pod = event["object"]
            begun.set()
            if event["type"] == "MODIFIED":
                continue  # the conditions of a pod settle when they like
            seen.append(f"{event['type']} {pod.metadata.name} {pod.status.phase}")
            if seen[-1].startswith("DELETED"):
                stream.stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert begun.wait(30)
    changes = node.watch()
    node.put("db.yaml", manifest("db"))
    changes.next("ADDED", f"db-{NODE}")
    os.unlink(f"{node.manifests}/db.yaml")
    watcher.join(30)
    transcript += ['>>> watch.stream(api.list_namespaced_pod, "default", timeout_seconds=60)', *seen]
    golden.check("clients/python.txt", "\n".join(transcript) + "\n")


@pytest.fixture(scope="module")
def modules():
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on this machine")
    where = f"{ROOT}/target/node-kubernetes"
    os.makedirs(where, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", where, PACKAGE]
    subprocess.run(npm, check=True, stdin=subprocess.DEVNULL)
    return where


def test_a_javascript_informer_and_a_streaming_list(node, modules):
    program = f"{modules}/informer.mjs"  # modules are looked for beside the program
    shutil.copy(f"{ROOT}/tests/clients/informer.mjs", program)
    client = subprocess.Popen(["node", program, node.url], stdout=subprocess.PIPE, text=True)
    try:
        seen = []

        def until(*lines):
            while not all(line in seen for line in lines):
                text = client.stdout.readline()
                assert text, f"the client ended; seen: {seen}"
                seen.append(json.loads(text))

        until({"streamed": "BOOKMARK", "end": "true"}, *({"informer": "add", "name": n} for n in (WEB, "job")))
        node.put("db.yaml", manifest("db"))
        until({"informer": "add", "name": f"db-{NODE}"}, {"streamed": "ADDED", "name": f"db-{NODE}"})
        os.unlink(f"{node.manifests}/db.yaml")
        until({"informer": "delete", "name": f"db-{NODE}"}, {"streamed": "DELETED", "name": f"db-{NODE}"})
    finally:
        client.kill()
        client.wait()
    # The two do not wait for each other.
    seen.sort(key=lambda line: "streamed" in line)
    golden.check("clients/informer.txt", "".join(f"{json.dumps(line)}\n" for line in seen))


# https://kubernetes.io/docs/tasks/administer-cluster/access-cluster-api and reference/using-api/api-concepts, but for
# the server; jq picks what would fill pages.
COMMANDS = r"""
curl -s --unix-socket $S http://x/api/
curl -s --unix-socket $S http://x/version | jq -r .major
curl -s --unix-socket $S http://x/api/v1 | jq -c '.resources[] | [.name, .namespaced, .verbs]'
curl -s --unix-socket $S 'http://x/livez?verbose'
curl -s --unix-socket $S http://x/readyz
curl -s --unix-socket $S http://x/api/v1/namespaces/default/pods?limit=500 | jq -r '.kind, .items[].metadata.name'
curl -s --unix-socket $S http://x/api/v1/pods?limit=1 | jq -c '[(.items | length), .metadata.continue != ""]'
curl -s --unix-socket $S -H 'Accept: application/json;as=Table;g=meta.k8s.io;v=v1' http://x/api/v1/pods | jq -r '.columnDefinitions[].name, (.rows[] | [.cells[0:4][]] | @tsv)'
curl -s --unix-socket $S -H 'Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' http://x/api/v1/pods | jq -c '.kind, (.items[] | keys)'
curl -s --unix-socket $S -H 'Accept: application/yaml' http://x/api/v1/namespaces/batch/pods | head -4
curl -s --unix-socket $S -H 'Accept: application/vnd.kubernetes.protobuf' http://x/api/v1/pods | head -c 3
curl -s -m 2 --unix-socket $S 'http://x/api/v1/namespaces/default/pods?watch=1&allowWatchBookmarks=true' | jq -c '[.type, .object.metadata.name]'
curl -s -m 2 --unix-socket $S 'http://x/api/v1/namespaces/default/pods?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersion=&resourceVersionMatch=NotOlderThan' | jq -c '[.type, .object.metadata.annotations["k8s.io/initial-events-end"]]'
curl -s --unix-socket $S http://x/api/v1/pods?labelSelector=app%3Djob | jq -r '.items[].metadata.name'
curl -s --unix-socket $S 'http://x/api/v1/namespaces/default/pods/web-test-node/log?timestamps=true&tailLines=1'
curl -s --unix-socket $S -X POST -d '{}' http://x/api/v1/namespaces/default/pods | jq -r '.reason, .message'
curl -s --unix-socket $S 'http://x/api/v1/pods?watch=1&resourceVersion=1' | jq -r '.reason'
curl -s --unix-socket $S http://x/api/v1/secrets | jq -c '[.code, .message]'
tag=$(curl -s -D - -o /dev/null --unix-socket $S http://x/api/v1/pods | tr -d '\r' | sed -n 's/^ETag: //p'); curl -s -w '%{http_code}\n' -H "If-None-Match: $tag" --unix-socket $S http://x/api/v1/pods
curl -s --unix-socket $S http://x/pods | jq -r '.items[].metadata.name'
curl -s --unix-socket $S http://x/runningpods/ | jq -c '.items[] | [.metadata.name, .spec.containers[].name]'
curl -s --unix-socket $S http://x/metrics | grep ^nodepods_pods
"""


def test_the_handbooks_curl_commands(node):
    transcript = []
    for command in COMMANDS.strip().splitlines():
        run = ["bash", "-c", 'S="$1"; eval "$2"', "-", node.http, command]
        done = subprocess.run(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=30)
        transcript += [f"$ {command}", done.stdout.rstrip("\n")]
    golden.check("clients/curl.txt", "\n".join(transcript) + "\n")
