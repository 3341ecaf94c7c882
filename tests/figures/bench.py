"""A daemon to be measured, and what the kernel says about its process."""
import os
import tempfile

from node.daemon import Daemon

TICK = os.sysconf("SC_CLK_TCK")


def memory(pid, field="VmRSS"):
    """KiB of a process."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))


def cpu_seconds(pid):
    """CPU time of a process at the resolution of its scheduler, where there is one."""
    try:
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        return total / 1e9
    except OSError:
        with open(f"/proc/{pid}/stat") as f:
            user, system = f.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / TICK


class Bench:
    """A daemon in a directory of its own."""

    def __init__(self, endpoint="none", arguments=()):
        self._dir = tempfile.TemporaryDirectory(prefix="npf-", dir="/var/tmp")
        self.daemon = Daemon(self._dir.name, endpoint=endpoint, arguments=arguments)

    def __enter__(self):
        return self.daemon

    def __exit__(self, *_):
        self.daemon.close()
        self._dir.cleanup()
