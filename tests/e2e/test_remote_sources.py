"""A manifest URL and an API server as sources, in good and in bad hands."""
import os
import shutil
import subprocess

import pytest
from node.daemon import NODE, manifest
from standins.cluster import CERTIFICATE, TLS, TOKEN, kubeconfig, pod
from standins.web import Web

WEB = f"web-{NODE}"


@pytest.fixture(params=[False, True], ids=["http", "https"])
def web(request, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", f"{TLS}/ca.pem")
    server = Web(request.param)
    yield server
    server.close()


def test_a_manifest_url(web, make_daemon):
    web.body = manifest("web", image="i:1", uid="6f3a").encode()
    arguments = ["--manifest-url", f"{web.url}?key=hunter2", "--manifest-url-header", "X-Token:hunter2"]
    daemon = make_daemon(arguments=[*arguments, "--http-check-frequency", "1s", "--require", "http"]).start()
    assert daemon.list()[WEB].metadata.annotations["kubernetes.io/config.source"] == "http"
    path, headers = web.asked[0]
    assert (path, headers["X-Token"]) == ("/pods?key=hunter2", "hunter2")
    watch = daemon.watch()
    watch.synced()
    web.body = b"kind: Pod"
    daemon.wait_log("apiVersion")
    web.status = 500
    daemon.wait_log("status 500")
    assert list(daemon.list()) == [WEB], "the last good state stays"
    web.body, web.status = manifest("web", image="i:2", uid="6f3a").encode(), 200
    watch.next("MODIFIED", WEB, lambda p: p.spec.containers[0].image == "i:2")
    web.body = b""
    watch.next("DELETED", WEB)
    watch.cancel()
    assert "hunter2" not in daemon.log()


@pytest.mark.parametrize("user", [CERTIFICATE, f"token: {TOKEN}"], ids=["certificate", "token"])
def test_pods_of_the_api_server(base, make_daemon, api, user):
    config = kubeconfig(base, api, user)
    daemon = make_daemon(arguments=["--kubeconfig", config, "--require", "apiserver"]).start()
    assert {n: p.metadata.uid for n, p in daemon.list().items()} == {"a": "uid-a"}
    watch = daemon.watch()
    watch.synced()
    api.put(pod("b"))
    added = watch.next("ADDED", "b").pod
    assert added.spec.containers[0].resources.limits["memory"].string == "64Mi"
    api.put(pod("b", image="i:2"))
    watch.next("MODIFIED", "b", lambda p: p.spec.containers[0].image == "i:2")
    api.delete("b")
    watch.next("DELETED", "b")
    watch.cancel()
    assert TOKEN not in daemon.log()


def test_bad_days_of_an_api_server(base, make_daemon, api):
    config = kubeconfig(base, api, CERTIFICATE)
    daemon = make_daemon(arguments=["--kubeconfig", config, "--require", "apiserver"]).start()
    watch = daemon.watch()
    watch.synced()
    api.cut()
    api.put(pod("b"))
    watch.next("ADDED", "b")
    api.stop()
    daemon.wait_log("its last pods are kept")
    assert set(daemon.list()) == {"a", "b"}, "pods stay while the server is away"
    api.delete("a")
    api.put(pod("b", image="i:2"))
    api.forget()  # so that the old version is gone when it comes back
    api.start()
    watch.next("MODIFIED", "b", lambda p: p.spec.containers[0].image == "i:2")
    assert set(daemon.list()) == {"b"}
    api.put(pod("d"))
    watch.next("ADDED", "d")
    api.refuse(429, "TooManyRequests", retry_after=1)
    api.cut()
    api.put(pod("c"))
    watch.next("ADDED", "c")
    assert not api.next_refusal(), "the refusal was met on the way"
    watch.cancel()


def test_a_token_that_rotates(base, make_daemon, api):
    with open(f"{base}/token", "w") as f:
        f.write("an-old-one\n")
    config = kubeconfig(base, api, "tokenFile: token")
    daemon = make_daemon(arguments=["--kubeconfig", config, "--require", "apiserver"]).spawn()
    daemon.wait_log("401 Unauthorized")
    with open(f"{base}/token.new", "w") as f:
        f.write(TOKEN)
    os.rename(f"{base}/token.new", f"{base}/token")
    daemon.wait_ready()
    assert set(daemon.list()) == {"a"}


def test_a_login_program_is_refused(base, make_daemon, api):
    config = kubeconfig(base, api, "exec: {command: /bin/hunter2}")
    daemon = make_daemon(arguments=["--kubeconfig", config]).start()
    line = daemon.wait_log("login programs are not run")
    assert config in line and "users[u].exec" in line and "hunter2" not in line


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here")
def test_a_kubectl_proxy(base, make_daemon, api):
    config = kubeconfig(base, api, CERTIFICATE)
    proxy = subprocess.Popen(
        ["kubectl", "proxy", "--kubeconfig", config, "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        address = proxy.stdout.readline().strip().rsplit(" ", 1)[1]
        daemon = make_daemon(arguments=["--kubeconfig", f"http://{address}", "--require", "apiserver"]).start()
        watch = daemon.watch()
        assert set(watch.synced()) == {"a"}
        api.put(pod("b"))
        watch.next("ADDED", "b")
        watch.cancel()
    finally:
        proxy.kill()
        proxy.wait()
