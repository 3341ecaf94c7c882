"""Packages of two versions, made of one binary, and systems to install them on."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from machine import Machine, clean_abandoned

sys.path.append(str(Path(__file__).resolve().parents[1]))
from node import containerd as containerd_module  # noqa: E402
from node.cri import Runtime  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ARCH = os.uname().machine
BINARY = ROOT / f"target/static/nodepods-{ARCH}"
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
NEXT = f"{VERSION}.1"
MAINTAINER = "Ours & Sons / Packages <packages@example.org>"


def pack(kind, version, out, epoch=None):
    """One package of the staged tree, as `make packages` makes it."""
    if epoch is None:
        epoch = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch or 0), "LC_ALL": "C", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1",
                   "XZ_LEVEL": "1", "MAINTAINER": MAINTAINER}
    done = subprocess.run([ROOT / "packaging/build" / kind, ARCH, version, out], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def only(directory, pattern):
    found = list(Path(directory).glob(pattern))
    assert len(found) == 1, f"{pattern} in {directory}: {found}"
    return found[0]


@pytest.fixture(scope="session", autouse=True)
def root_user():
    if os.geteuid():
        pytest.fail("installing packages needs root")
    clean_abandoned()


@pytest.fixture(scope="session")
def dist():
    """What `make packages` made."""
    directory = ROOT / "target/dist"
    assert list(directory.glob(f"nodepods*{VERSION}*")), "no packages: make packages"
    return directory


@pytest.fixture(scope="session")
def newer(dist, tmp_path_factory):
    """The same as packages of the next version."""
    out = tmp_path_factory.mktemp("next")
    pack("deb", NEXT, out)
    pack("rpm", NEXT, out)
    return out


@pytest.fixture(scope="session")
def debs(dist, newer):
    return only(dist, f"nodepods_{VERSION}-1_*.deb"), only(newer, "*.deb")


@pytest.fixture(scope="session")
def rpms(dist, newer):
    return only(dist, f"nodepods-{VERSION}-1.{ARCH}.rpm"), only(newer, "*.rpm")


@pytest.fixture
def runtime():
    """A real containerd outside of the system, and the calls to make pods with it."""
    containerd_module.clean_abandoned()
    c = containerd_module.Containerd()
    try:
        c.start()
        c.load_images()
        r = Runtime(c)
        yield r
        r.close()
    finally:
        c.destroy()


@pytest.fixture
def system():
    """A system in which nothing runs."""
    node = Machine()
    yield node
    node.close()


@pytest.fixture
def node():
    """A system with a running systemd and one manifest."""
    node = Machine()
    try:
        manifests = node.root / "etc/kubernetes/manifests"
        manifests.mkdir(parents=True)
        manifest = (ROOT / "examples/manifests/web.yaml").read_text()
        (manifests / "web.yaml").write_text(manifest)
        yield node.boot()
    finally:
        node.close()
