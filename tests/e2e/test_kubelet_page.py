"""A kubelet's read-only port as a source: `--kubelet-endpoint http://...`, with a recorded page behind it."""
import json

import pytest
from node.contracts import ROOT, message
from standins.web import Web

Source = message("nodepods.v1.Source")
SIX = f"{ROOT}/tests/recordings/22-six-pods/00-six/pods.json"
NODE = "anchor-node"  # where it was recorded


@pytest.fixture
def page():
    server = Web()
    with open(SIX, "rb") as f:
        server.body = f.read()
    server.url = server.url.rsplit("/", 1)[0]
    yield server
    server.close()


def start(make_daemon, page, *more, **options):
    arguments = ["--kubelet-endpoint", page.url, "--kubelet-poll-interval", "1s", "--require", "kubelet", *more]
    return make_daemon(node=NODE, arguments=arguments, **options).start()


def test_pods_of_the_page(make_daemon, page):
    daemon = start(make_daemon, page)
    wanted = {p["metadata"]["name"]: p for p in json.loads(page.body)["items"]}
    pods = daemon.list()
    assert set(pods) == set(wanted)
    for name, pod in pods.items():
        assert pod.metadata.uid == wanted[name]["metadata"]["uid"]
        assert pod.metadata.annotations["nodepods.io/sources"] == "kubelet"
    assert page.asked[0][0] == "/pods"
    watch = daemon.watch()
    watch.synced()
    items = json.loads(page.body)
    gone = items["items"].pop()["metadata"]["name"]
    items["items"][0]["metadata"].setdefault("labels", {})["new"] = "label"
    page.body = json.dumps(items).encode()
    watch.next("MODIFIED", items["items"][0]["metadata"]["name"], lambda p: p.metadata.labels["new"] == "label")
    assert gone not in daemon.list() or watch.next("DELETED", gone)
    watch.cancel()


def test_bad_days_of_the_page(make_daemon, page):
    daemon = start(make_daemon, page)
    before = daemon.list()
    for status, body, word in [(500, b"", "status 500"), (403, b"", "read-only port"), (200, b"{", "not valid JSON")]:
        page.status, page.body = status, body
        daemon.wait_log(word)
        told, by_name = daemon.sources()
        assert (by_name["kubelet"].state, by_name["kubelet"].pods) == (Source.DOWN, 6)
        assert set(daemon.list()) == set(before)


def test_it_is_not_fed_with_itself(make_daemon, page):
    pods = json.loads(page.body)
    for p in pods["items"]:
        p["metadata"]["annotations"]["nodepods.io/sources"] = "file"
    page.body = json.dumps(pods).encode()
    daemon = make_daemon(node=NODE, arguments=["--kubelet-endpoint", page.url]).start()
    daemon.wait_log("is nodepods, not a kubelet")
    assert not daemon.list()
