"""Starts, stops and what outlives them."""
import signal
import socket
import time

import grpc
import pytest

from node.daemon import NODE, manifest

WEB = f"web-{NODE}"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_watches_with_unavailable(daemon, how):
    watches = [daemon.watch() for _ in range(10)]
    for w in watches:
        w.synced()
    start = time.monotonic()
    assert daemon.stop(how) == 0
    assert time.monotonic() - start < 5
    assert {w.ended() for w in watches} == {grpc.StatusCode.UNAVAILABLE}


def test_a_stop_does_not_wait_for_a_client_that_does_not_read(daemon):
    with socket.socket(socket.AF_UNIX) as idle, socket.socket(socket.AF_UNIX) as half:
        idle.connect(daemon.socket)
        half.connect(daemon.socket)
        half.send(b"PRI * HTTP/2.0\r\n")
        daemon.client().ListPods()
        start = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - start < 5


def test_a_watch_survives_nothing_but_a_new_one_has_it_all(make_daemon):
    d = make_daemon().start()
    d.put("web.yaml", manifest("web", uid="6f3a"))
    watch = d.watch()
    watch.next("ADDED", WEB)
    d.stop(signal.SIGKILL)
    assert watch.ended() == grpc.StatusCode.UNAVAILABLE
    d.put("more.yaml", manifest("more"))
    d.start()
    assert set(d.watch().synced()) == {WEB, f"more-{NODE}"}
    assert d.list()[WEB].metadata.uid == "6f3a"


def test_a_broken_manifest_keeps_its_pod_over_a_restart(make_daemon):
    d = make_daemon().start()
    d.put("web.yaml", manifest("web", image="test.local/web:1"))
    d.watch().next("ADDED", WEB)
    assert d.stop() == 0
    d.put("web.yaml", "kind: Pod\nmetadata: [\n")
    d.start()
    assert d.list()[WEB].spec.containers[0].image == "test.local/web:1"


def test_a_second_client_is_untouched_by_one_that_sends_rubbish(daemon):
    watch = daemon.watch()
    watch.synced()
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 4096, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 512):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(daemon.socket)
            s.sendall(rubbish)
    daemon.put("web.yaml", manifest("web"))
    watch.next("ADDED", WEB)


def test_a_start_that_fails_ends(make_daemon, base):
    """What was started by then must not hold it up: here a directory of pods, before a port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"127.0.0.1:{taken.getsockname()[1]}"
        d = make_daemon(arguments=["--downward-dir", f"{base}/pods", "--metrics-listen", port]).spawn()
        assert d.process.wait(15) != 0
    assert f"cannot serve metrics on {port}" in d.log()
