"""What outlives a restart, and what does not get in the way of one."""
import contextlib
import os
import signal
import subprocess
import time

import grpc
import pytest
from node.contracts import message
from node.daemon import NODE, manifest
from standins.cluster import CERTIFICATE, kubeconfig, pod
from standins.web import Web

Source = message("nodepods.v1.Source")

WEB = f"web-{NODE}"


def test_pods_of_a_url_outlive_it(make_daemon):
    web = Web()
    web.body = manifest("web", image="i:1").encode()
    arguments = ["--manifest-url", web.url, "--http-check-frequency", "1s", "-vv"]
    daemon = make_daemon(arguments=[*arguments, "--require", "http"]).start()
    before = daemon.list()[WEB]
    daemon.stop()
    web.close()

    daemon = make_daemon(arguments=arguments).start()
    after = daemon.list()[WEB]
    assert after.metadata.uid == before.metadata.uid
    assert after == before, "not a byte of it changes: that it is old is said beside it"
    told, by_name = daemon.sources()
    kept, http = by_name["checkpoint"], by_name["http"]
    assert (kept.state, kept.pods, http.state) == (Source.DOWN, 1, Source.STARTING)
    assert told.now_unix_ms - 60_000 < kept.last_success_unix_ms < told.daemon.started_unix_ms
    _, call = daemon.client().ListPods.whole()
    assert any(k == "x-nodepods-stale" and v.startswith("checkpoint since=") for k, v in call.initial_metadata())


def test_a_broken_answer_after_a_restart_keeps_the_last_good_one(make_daemon):
    web = Web()
    web.body = manifest("web", image="i:1").encode()
    arguments = ["--manifest-url", web.url, "--http-check-frequency", "1s", "--require", "http"]
    daemon = make_daemon(arguments=arguments).start()
    daemon.stop(signal.SIGTERM)
    web.body = b"kind: Pod"
    daemon = make_daemon(arguments=arguments).start()
    assert daemon.list()[WEB].metadata.annotations["nodepods.io/manifest"] == "broken"
    web.close()


def with_api_pods(base, make_daemon, api, name="a", **options):
    """A daemon that knows the API server's pods."""
    arguments = ["--kubeconfig", kubeconfig(base, api, CERTIFICATE), "--require", "apiserver"]
    return make_daemon(name, arguments=arguments, **options).start()


def wait_for_label(daemon, step):
    """Waits until the pod has it. A traced daemon is slow: a connection may need more than one try."""
    end = time.monotonic() + 20
    while True:
        labels = {}
        with contextlib.suppress(grpc.RpcError):
            labels = daemon.list()["a"].metadata.labels
        if labels.get("step") == step:
            return
        assert time.monotonic() < end, daemon.log()
        time.sleep(0.05)


# By the names that libraries and architectures give them.
STEPS = ["?unlink,?unlinkat", "?open,?openat", "write", "fsync", "?rename,?renameat,?renameat2"]


def test_kill_9_at_every_step_of_a_checkpoint(base, make_daemon, api):
    """strace kills the daemon at each system call on the file that is being written, and then at none."""
    state, kept = f"{base}/a/state", None
    for step, calls in enumerate([*STEPS, None, *STEPS]):
        inject = ["-P", f"{state}/checkpoint.new", "-e", f"inject={calls}:signal=SIGKILL"] if calls else []
        strace = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", *inject)
        daemon = with_api_pods(base, make_daemon, api, wrapper=strace if calls else ())
        api.put(pod("a", labels={"step": str(step)}))
        wait_for_label(daemon, str(step))
        assert daemon.stop() == (-signal.SIGKILL if calls else 0), calls
        kept = step if not calls else kept
        before = len(daemon.log())
        api.stop()
        after = make_daemon("a", arguments=["--kubeconfig", f"{base}/kubeconfig"]).start()
        assert "not used" not in after.log()[before:], "the old checkpoint or the new one, never half of one"
        told = {n: p.metadata.labels["step"] for n, p in after.list().items()}
        assert told == ({} if kept is None else {"a": str(kept)}), calls
        after.stop(signal.SIGKILL)
        api.start()
    assert kept is not None


@pytest.fixture
def small_disk(base):
    """A file system of 64 KiB, where the state of the daemon `a` will be."""
    state = f"{base}/a/state"
    os.makedirs(state, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", state], check=True)
    yield state
    subprocess.run(["umount", "--lazy", state], check=True)


def test_a_full_disk(base, make_daemon, api, small_disk):
    with open(f"{small_disk}/filler", "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    daemon = with_api_pods(base, make_daemon, api)
    daemon.wait_log("free some space there")
    assert set(daemon.list()) == {"a"}, "pods are served all the same"
    assert not os.path.exists(f"{small_disk}/checkpoint.new"), "half a file takes no room"
    os.remove(f"{small_disk}/filler")
    assert daemon.stop() == 0
    assert os.path.getsize(f"{small_disk}/checkpoint")


def test_a_disk_that_became_read_only(base, make_daemon, api, small_disk):
    daemon = with_api_pods(base, make_daemon, api)
    assert daemon.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    api.stop()
    daemon = make_daemon("a", arguments=["--kubeconfig", f"{base}/kubeconfig"]).start()
    assert set(daemon.list()) == {"a"}, "what was written before is read"
    assert "name another --state-dir, or none" in daemon.log()
