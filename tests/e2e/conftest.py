"""One real containerd for the whole session; a fresh daemon in a fresh directory for each test."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from node import containerd as containerd_module  # noqa: E402
from node.command import Command  # noqa: E402
from node.contracts import ROOT  # noqa: E402
from node.cri import Runtime  # noqa: E402
from node.daemon import Daemon  # noqa: E402
from replay.recording import Runtime as RecordedRuntime  # noqa: E402
from replay.recording import cases  # noqa: E402
from standins.apiserver import ApiServer  # noqa: E402
from standins.cluster import TLS, TOKEN, pod  # noqa: E402


@pytest.fixture(scope="session")
def containerd():
    if os.geteuid():
        pytest.fail("a container runtime needs root")
    containerd_module.clean_abandoned()
    c = containerd_module.Containerd()
    try:
        c.start()
        c.load_images()
        yield c
    finally:
        c.destroy()


@pytest.fixture
def runtime(containerd):
    """The runtime, empty before and after the test."""
    r = Runtime(containerd)
    yield r
    r.close()


@pytest.fixture
def base():
    """A directory with a name short enough for unix sockets, which pytest's own is not."""
    path = tempfile.mkdtemp(prefix="npt-", dir="/var/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_daemon(base, request):
    """Makes daemons that are gone after the test; a failed test prints their logs."""
    made = []

    def make(name="a", **options):
        os.makedirs(f"{base}/{name}", exist_ok=True)
        made.append(Daemon(f"{base}/{name}", **options))
        return made[-1]

    yield make
    for d in made:
        d.close()
        if d.process:
            print(f"--- log of {' '.join(d.command)}\n{d.log()}")


@pytest.fixture
def recorded(make_daemon, base):
    """A daemon over a recorded node, as a command."""
    runtimes = []

    def start(case):
        snapshot = next(s for s in cases([f"{ROOT}/tests/recordings/{case.split('/')[0]}"]) if s.name == case)
        runtimes.append(RecordedRuntime(snapshot, f"{base}/cri.sock"))
        daemon = make_daemon(endpoint=f"unix://{base}/cri.sock", node=snapshot.node, http=True)
        snapshot.lay_manifests(daemon.manifests)
        return Command(daemon.start().socket)

    yield start
    for runtime in runtimes:
        runtime.stop()


@pytest.fixture
def daemon(make_daemon):
    """A daemon on manifests alone."""
    return make_daemon().start()


@pytest.fixture
def node(make_daemon, containerd):
    """A daemon on manifests and the real runtime."""
    return make_daemon(endpoint=containerd.endpoint).start()


@pytest.fixture
def api():
    """An API server with one pod of this node and one of another."""
    server = ApiServer(tls=TLS, token=TOKEN)
    server.put(pod("a"))
    server.put(pod("elsewhere", node="other"))
    yield server
    server.close()
