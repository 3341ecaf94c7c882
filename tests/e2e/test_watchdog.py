"""What systemd's watchdog hears: signs of life while every thread lives, and none while one is stuck."""
import contextlib
import ctypes
import os
import socket

import pytest

ATTACH, DETACH, ALL_THREADS = 16, 17, 0x40000000
PERIOD_US = 1_000_000


@contextlib.contextmanager
def stopped(pid, name):
    """Keeps one thread of the process from running, as a debugger does."""
    tids = os.listdir(f"/proc/{pid}/task")
    (tid,) = [int(t) for t in tids if open(f"/proc/{pid}/task/{t}/comm").read().strip() == name]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ATTACH, tid, None, None):
        raise OSError(ctypes.get_errno(), "cannot attach to the thread")
    try:
        os.waitpid(tid, ALL_THREADS)
        yield
    finally:
        libc.ptrace(DETACH, tid, None, None)


@pytest.mark.parametrize("thread", ["manifests", "grpc-0"])
def test_the_watchdog_is_fed_only_while_every_thread_lives(make_daemon, base, thread):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{base}/notify")
        manager.settimeout(10)
        told = [f"NOTIFY_SOCKET={base}/notify", f"WATCHDOG_USEC={PERIOD_US}"]
        d = make_daemon(wrapper=["env", *told], arguments=["--file-check-frequency", "1s"]).start()

        def fed():
            while b"WATCHDOG=1" not in manager.recv(4096):
                pass

        fed()
        fed()
        with stopped(d.process.pid, thread):
            line = d.wait_log("the watchdog is not fed")
            assert f"stuck: {thread.split('-')[0]} has shown no sign of life" in line
        d.wait_log("all threads show signs of life again")
        fed()
        assert d.stop() == 0
