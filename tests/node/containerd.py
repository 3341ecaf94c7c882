"""A private containerd with its CRI plugin. Everything that it makes lies under one directory."""
import contextlib
import glob
import json
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import time

from . import images

PREFIX = "/var/tmp/npe-"
_CONFIG = """\
version = 2
root = "{dir}/root"
state = "{dir}/state"
oom_score = 0
[grpc]
  address = "{dir}/c.sock"
[ttrpc]
  address = ""
[plugins."io.containerd.internal.v1.opt"]
  path = "{dir}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE no sandbox starts otherwise.
  restrict_oom_score_adj = true
  # Network namespaces are mounted below `state`, where clean-up finds them.
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{dir}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "{runc}"
        Root = "{dir}/runc"
"""


def _architecture():
    return {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def _alive(pid):
    """False for a zombie too, which kill(pid, 0) finds."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().decode(errors="replace").split("\0")
    except OSError:
        return []


def _wait_until(true, seconds, what):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took more than {seconds} s")
        time.sleep(0.02)


def _overlay_works(where):
    base = tempfile.mkdtemp(dir=where)
    try:
        for d in ("l", "u", "w", "m"):
            os.mkdir(f"{base}/{d}")
        options = f"lowerdir={base}/l,upperdir={base}/u,workdir={base}/w"
        done = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", f"{base}/m"], capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", f"{base}/m"], check=True)
        return done.returncode == 0
    finally:
        shutil.rmtree(base)


class Containerd:
    """Start it, stop it under running pods, start it again; `destroy` leaves nothing behind."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix=PREFIX)
        self.socket = f"{self.dir}/c.sock"
        self.endpoint = f"unix://{self.socket}"
        self.logs = f"{self.dir}/logs"  # laid out as the kubelet does: NAMESPACE_POD_UID/CONTAINER/RESTARTS.log
        self.cgroup = "/" + os.path.basename(self.dir)
        self.process = None
        with open(f"{self.dir}/owner", "w") as f:
            f.write(str(os.getpid()))
        # A point-to-point link needs no bridge on the host and goes away with its network namespace.
        ipam = {"type": "host-local", "dataDir": f"{self.dir}/ipam", "ranges": [[{"subnet": "10.213.0.0/22"}]]}
        os.mkdir(f"{self.dir}/cni")
        with open(f"{self.dir}/cni/10-ptp.conflist", "w") as f:
            plugin = {"type": "ptp", "ipMasq": False, "ipam": ipam}
            json.dump({"cniVersion": "0.4.0", "name": "ptp", "plugins": [plugin]}, f)
        with open(f"{self.dir}/config.toml", "w") as f:
            f.write(
                _CONFIG.format(
                    dir=self.dir,
                    pause=images.PAUSE,
                    snapshotter="overlayfs" if _overlay_works(self.dir) else "native",
                    runc=shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin"),
                )
            )

    def start(self):
        """Returns when the CRI plugin has found again what it left, and answers."""
        log = open(f"{self.dir}/log", "ab")
        begin = log.tell()
        command = ["containerd", "--config", f"{self.dir}/config.toml"]
        # A session of its own: ^C on the tests must not reach it before the pods are gone.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        with open(f"{self.dir}/pid", "w") as f:
            f.write(str(self.process.pid))

        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"containerd ended:\n{self.log_tail()}")
            # The last thing that the plugin says. Asking instead would cost a process for each try, on a machine that
            # may be busy enough.
            with open(log.name, "rb") as f:
                f.seek(begin)
                return b"Start streaming server" in f.read()

        try:
            _wait_until(answers, 60, "the start of containerd")
        except TimeoutError as e:
            raise TimeoutError(f"{e}:\n{self.log_tail()}") from None
        finally:
            log.close()

    def load_images(self):
        for name, digest, data in images.all_images(_architecture()):
            self._load(name, digest, data)

    def load_image(self, name, files, config):
        """One image of a single layer."""
        data, digest = images.archive(name, files, config, _architecture())
        self._load(name, digest, data)

    def _load(self, name, digest, data):
        with tempfile.NamedTemporaryFile(dir=self.dir, suffix=".tar") as f:
            f.write(data)
            f.flush()
            for command in (["import", f.name], ["tag", "--force", name, digest]):
                done = self._ctr("images", *command)
                if done.returncode:
                    raise RuntimeError(f"ctr images {command[0]} {name}: {done.stderr.decode()}")

    def stop(self):
        """Ends containerd alone: shims and containers live on."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def log_tail(self):
        with open(f"{self.dir}/log", errors="replace") as f:
            return "".join(f.readlines()[-20:])

    def destroy(self):
        if self.process and self.process.poll() is None:
            self.stop()
        clean(self.dir)

    def _ctr(self, *arguments):
        return subprocess.run(["ctr", "--address", self.socket, "-n", "k8s.io", *arguments], capture_output=True)


def clean(base):
    """Removes what a containerd of `base` left, its own process and its shims' containers included."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(open(f"{base}/pid").read())
        if f"{base}/config.toml" in _command_line(pid):
            os.kill(pid, signal.SIGKILL)
            _wait_until(lambda: not _alive(pid), 10, f"the end of containerd {pid}")
    # Ours are known by this instance's socket on the command line, never by a name alone.
    for entry in glob.glob("/proc/[0-9]*"):
        command = _command_line(entry[6:])
        if command and command[0].endswith("containerd-shim-runc-v2") and f"{base}/c.sock" in command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry[6:]), signal.SIGKILL)
    root = f"{base}/runc/k8s.io"
    for container in os.listdir(root) if os.path.isdir(root) else []:
        subprocess.run(["runc", "--root", root, "delete", "--force", container], capture_output=True)
    for address in glob.glob(f"{base}/state/*/k8s.io/*/address"):
        with contextlib.suppress(OSError):
            os.unlink(open(address).read().removeprefix("unix://"))
    with open("/proc/self/mounts") as f:
        mounts = [line.split()[1] for line in f]
    for mount in sorted((m for m in mounts if m.startswith(base + "/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True)
    name = os.path.basename(base)
    for group in glob.glob(f"/sys/fs/cgroup/*/{name}") + glob.glob(f"/sys/fs/cgroup/{name}"):
        for directory, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
    shutil.rmtree(base, ignore_errors=True)


def clean_abandoned():
    """Removes what killed test runs left behind."""
    for base in glob.glob(PREFIX + "*"):
        try:
            owner = int(open(f"{base}/owner").read())
        except (OSError, ValueError):
            continue
        if not _alive(owner):
            clean(base)
