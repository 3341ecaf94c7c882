"""Sources behind a network that stalls, cuts and truncates."""
import urllib.parse

import pytest
from node.contracts import message
from node.daemon import NODE, manifest
from standins.cluster import CERTIFICATE, kubeconfig, pod
from standins.proxy import Proxy
from standins.web import Web

Source = message("nodepods.v1.Source")
WEB = f"web-{NODE}"


@pytest.fixture
def through():
    """Puts a proxy before an address; the address of the proxy, and the proxy."""
    made = []

    def make(url):
        address = urllib.parse.urlsplit(url)
        made.append(Proxy(address.port))
        return made[-1], address._replace(netloc=f"127.0.0.1:{made[-1].port}").geturl()

    yield make
    for proxy in made:
        proxy.close()


def test_an_api_server_behind_a_bad_network(base, make_daemon, api, through):
    for i in range(20):
        api.put(pod(f"p{i:02}", annotations={"note": "x" * 500}))
    proxy, url = through(api.url)
    config = kubeconfig(base, api, CERTIFICATE, url)
    proxy.truncate(6000)  # beyond the handshake, within the list
    daemon = make_daemon(arguments=["--kubeconfig", config]).start()
    daemon.wait_log("apiserver:")
    assert daemon.sources()[1]["apiserver"].state == Source.STARTING
    assert not daemon.list(), "half a list is none"
    watch = daemon.watch()
    watch.synced()
    proxy.heal()
    watch.next("ADDED", "p19")
    assert len(daemon.list()) == 21
    for round_, fault in enumerate([proxy.cut, lambda: proxy.truncate(1), proxy.cut]):
        fault()
        api.put(pod("a", labels={"round": str(round_)}))
        proxy.cut()
        proxy.heal()
        watch.next("MODIFIED", "a", lambda p: p.metadata.labels["round"] == str(round_))
    assert not [e for e in watch.seen if e.type == "DELETED"], "no fault took a pod away"
    watch.cancel()


def test_a_manifest_url_behind_a_bad_network(make_daemon, through):
    web = Web()
    web.body = manifest("web", image="i:1", uid="fixed-1").encode()
    proxy, url = through(web.url)
    arguments = ["--manifest-url", url, "--http-check-frequency", "1s", "--require", "http"]
    daemon = make_daemon(arguments=arguments).start()
    watch = daemon.watch()
    watch.synced()
    proxy.truncate(len(web.body) - 10 + 100)
    daemon.wait_log("its last pods are kept")
    proxy.stall()
    daemon.wait_log("10s", timeout=30)
    assert daemon.sources()[1]["http"].state == Source.DOWN
    assert list(daemon.list()) == [WEB]
    proxy.heal()
    web.body = manifest("web", image="i:2", uid="fixed-1").encode()
    watch.next("MODIFIED", WEB, lambda p: p.spec.containers[0].image == "i:2")
    assert not [e for e in watch.seen if e.type == "DELETED"]
    watch.cancel()
    web.close()
