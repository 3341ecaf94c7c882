"""Limits by option and by configuration file, as a client notices them."""
import signal
import subprocess

import grpc
import pytest

from node.daemon import NODE, binary, manifest

WEB = f"web-{NODE}"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def refusals(calls):
    codes = []
    for call in calls:
        with pytest.raises(grpc.RpcError) as refused:
            call()
        codes.append(refused.value.code())
    return set(codes)


def test_rates_are_options_and_each_connection_has_its_own(make_daemon):
    d = make_daemon(arguments=["--request-qps", "1", "--request-burst", "3"]).start()
    client = d.client()
    for _ in range(3):
        client.ListPods()
    assert refusals([client.ListPods]) == {EXHAUSTED}
    d.client().ListPods()


def test_limits_are_keys_of_the_configuration_file(make_daemon, base):
    config = f"{base}/config.yaml"
    with open(config, "w") as f:
        f.write("max-watchers: 2\nwatch-qps: 1\nwatch-burst: 3\nmax-connections: 8\nwatch-send-timeout: 1s\n")
    d = make_daemon(arguments=["--config", config]).start()
    client = d.client()
    watches = [client.WatchPods(timeout=60) for _ in range(2)]
    for watch in watches:
        next(watch)
    other = d.client()
    assert refusals([lambda: next(other.WatchPods(timeout=60))]) == {EXHAUSTED}, "--max-watchers"
    for watch in watches:
        watch.cancel()
    assert refusals([lambda: [next(client.WatchPods(timeout=60)) for _ in range(3)]]) == {EXHAUSTED}, "--watch-burst"


def test_a_client_that_is_stopped_is_dropped_and_the_others_notice_nothing(make_daemon):
    d = make_daemon(arguments=["--watch-send-timeout", "1s"]).start()
    watches = [d.watch() for _ in range(20)]
    for watch in watches:
        watch.synced()
    client = subprocess.Popen([binary(), "watch", "--socket", d.socket], stdout=subprocess.PIPE, text=True)
    try:
        d.put("web.yaml", manifest("web", uid="6f3a"))
        while "web" not in client.stdout.readline():
            pass
        client.send_signal(signal.SIGSTOP)
        # More than the connection holds, which nobody but the stopped one leaves unread.
        for turn in range(6):
            d.put("web.yaml", annotated(manifest("web", uid="6f3a"), turn=turn, much="x" * 200_000))
            for watch in watches:
                watch.next("MODIFIED", WEB, lambda pod, t=turn: pod.metadata.annotations["turn"] == str(t))
        d.wait_log("cancelled a watch of")
        d.put("last.yaml", manifest("last"))
        for watch in watches:
            watch.next("ADDED", f"last-{NODE}")
    finally:
        client.kill()
        client.wait()


def annotated(text, **annotations):
    lines = "".join(f"    {key}: '{value}'\n" for key, value in annotations.items())
    return text.replace("spec:\n", f"  annotations:\n{lines}spec:\n")
