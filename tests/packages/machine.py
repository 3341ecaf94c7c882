"""A fresh Debian system for a test: a debootstrap tree, made once, under an overlay of the test's own.

It is used as it is (`chroot`), or with a real systemd as the first process of its own namespaces (`boot`).
"""
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

SUITE = "bookworm"
INCLUDE = ["systemd", "systemd-sysv", "rpm", "openrc"]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nodepods" / f"debian-{SUITE}"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# What goes on at every boot and has nothing to do with us.
MASKED = ["console-getty", "systemd-firstboot", "systemd-networkd", "systemd-networkd-wait-online", "systemd-logind",
          "getty@tty1", "apt-daily.timer", "apt-daily-upgrade.timer", "systemd-timesyncd", "systemd-resolved",
          "e2scrub_reap", "e2scrub_all.timer", "fstrim.timer", "dpkg-db-backup.timer"]

INSIDE = r"""
set -e
root=$1
mount --make-rprivate /
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s null dev/console
mkdir run/outside
pivot_root . run/outside
umount -l run/outside
rmdir run/outside
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --show-status=no
"""


def debian():
    """The tree that all tests start from; the first time it is downloaded."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{CACHE}.lock", "w") as lock:  # two runs at a time make it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_debian()
    return CACHE


def make_debian():
    made_of = " ".join(INCLUDE + MASKED)
    if not (CACHE / "etc/made-of").exists() or (CACHE / "etc/made-of").read_text() != made_of:
        shutil.rmtree(CACHE, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(INCLUDE)}", SUITE, str(CACHE)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(f"{' '.join(command)}:\n{made.stdout[-3000:]}{made.stderr[-3000:]}")
        for unit in MASKED:
            name = unit if "." in unit else f"{unit}.service"
            (CACHE / "etc/systemd/system" / name).symlink_to("/dev/null")
        shutil.rmtree(CACHE / "var/cache/apt", ignore_errors=True)
        (CACHE / "etc/made-of").write_text(made_of)


def clean_abandoned():
    """Removes what a run that was killed has left behind."""
    for work in Path("/var/tmp").glob("npk-*"):
        owner = work / "owner"
        if owner.exists() and not Path(f"/proc/{owner.read_text()}").exists():
            machine = Machine.__new__(Machine)
            machine._work, machine.root, machine._outer, machine.init = work, work / "root", None, None
            machine._cgroup = unified() / work.name
            for procs in machine._cgroup.rglob("cgroup.procs"):
                for pid in procs.read_text().split():
                    subprocess.run(["kill", "-KILL", pid], capture_output=True)
            machine.close()


def unified():
    """Where the unified hierarchy of control groups is."""
    return Path(next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2"))


class Machine:
    """One system, gone with `close`."""

    def __init__(self):
        self._work = Path(tempfile.mkdtemp(prefix="npk-", dir="/var/tmp"))
        (self._work / "owner").write_text(str(os.getpid()))
        for d in ("upper", "overlay", "root"):
            (self._work / d).mkdir()
        self.root = self._work / "root"
        options = f"lowerdir={debian()},upperdir={self._work}/upper,workdir={self._work}/overlay"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)], check=True)
        self._outer = None
        self._cgroup = None
        self.init = None  # pid of its systemd, as we see it

    def lend(self, directory, to):
        """Shows a directory of this side in the system. Before `boot`."""
        (self.root / to).mkdir(parents=True)
        subprocess.run(["mount", "--bind", directory, self.root / to], check=True)

    def boot(self):
        """Starts its systemd and waits until that has started everything."""
        self._cgroup = unified() / self._work.name
        self._cgroup.mkdir()
        (self.root / "etc/machine-id").write_text(os.urandom(16).hex() + "\n")
        command = ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--kill-child",
                   "sh", "-c", INSIDE, "inside", str(self.root)]
        join = self._cgroup / "cgroup.procs"
        log = open(self._work / "log", "wb")
        self._outer = subprocess.Popen(["sh", "-c", f'echo $$ >{join}; exec "$@"', "join", *command], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        self.init = self._wait("a first process", self._find_init)
        self._wait("systemd", lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in
                   ("running", "degraded"))
        return self

    def _find_init(self):
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
        return int(children[0]) if children and Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n" else None

    def _wait(self, what, check, seconds=60):
        end = time.monotonic() + seconds
        while not (found := check()):
            alive = self._outer.poll() is None
            assert alive and time.monotonic() < end, f"no {what}: {(self._work / 'log').read_text()}"
            time.sleep(0.05)
        return found

    def run(self, *command, check=True, stdin=None):
        """Runs a command in the system; the finished process with its output as text."""
        enter = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"] if self.init else \
            ["chroot", str(self.root)]
        done = subprocess.run([*enter, "env", "-i", f"PATH={PATH}", "TERM=dumb", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C",
                               *map(str, command)], stdin=stdin or subprocess.DEVNULL, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def out(self, *command):
        """What a command prints, without the last line end."""
        return self.run(*command).stdout.rstrip("\n")

    def show(self, unit, *properties):
        """Properties of a unit by name."""
        lines = self.out("systemctl", "show", unit, *(f"-p{p}" for p in properties)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def wait(self, what, check, seconds=30):
        """Asks again until `check` is true; its answer."""
        end = time.monotonic() + seconds
        while not (found := check()):
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not happen\n{self.journal()}")
            time.sleep(0.05)
        return found

    def pods(self, *arguments):
        """What `nodepods get pods` prints, once the daemon knows its node."""
        return self.wait("an answer", lambda: self.run("nodepods", "get", "pods", "-A", *arguments, check=False).stdout)

    def crash(self, unit="nodepods.service"):
        """Kills the service, and it is not started again: its sockets stay behind."""
        self.run("sh", "-c", f"mkdir -p /run/systemd/system/{unit}.d && printf '[Service]\\nRestart=no\\n' >/run/systemd/system/{unit}.d/no.conf")
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "kill", "-s", "KILL", unit)
        self.wait("its end", lambda: self.show(unit, "ActiveState")["ActiveState"] == "failed")

    def journal(self, unit="nodepods.service"):
        return self.run("journalctl", "--no-pager", "-o", "short-monotonic", "-u", unit, check=False).stdout

    def bring(self, file, to="/root"):
        """Copies a file into the system; its path there. It must be on disk: /tmp and /run are the system's own."""
        shutil.copy(file, f"{self.root}{to}/")
        return f"{to}/{Path(file).name}"

    def host_pid(self, unit="nodepods.service"):
        """The main process of a unit, by the number that this side knows it by."""
        group = self.show(unit, "ControlGroup")["ControlGroup"]
        return int((self._cgroup / group.strip("/") / "cgroup.procs").read_text().split()[0])

    def files(self):
        """Every path of the system but for what package managers, systemd and logs keep for themselves."""
        skip = ("var/lib/dpkg", "var/lib/rpm", "var/log", "var/lib/systemd", "var/cache", "root", "proc", "sys", "dev", "tmp",
                "run/systemd", "run/log", "run/udev", "etc/machine-id", "var/tmp", "run/utmp", "run/initctl", "run/dbus")
        skipped = " -o ".join(f"-path ./{s}" for s in skip)
        return set(self.out("sh", "-c", f"cd / && find . \\( {skipped} \\) -prune -o -print").splitlines())

    def close(self):
        if self._outer:
            self._outer.kill()
            if self.init:
                subprocess.run(["kill", "-KILL", str(self.init)], capture_output=True)
            self._outer.wait()
        subprocess.run(["umount", "-R", "-l", str(self.root)], check=False)
        if self._cgroup and self._cgroup.exists():
            for _ in range(50):
                for d in sorted(self._cgroup.rglob("*"), reverse=True):
                    if d.is_dir():
                        try:
                            d.rmdir()
                        except OSError:
                            pass
                try:
                    self._cgroup.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)
        shutil.rmtree(self._work, ignore_errors=True)
