"""The archive of `make dist`: what is made of it without a network is what is made here."""
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pytest

from conftest import ARCH, BINARY, ROOT, VERSION, only


@pytest.fixture(scope="module")
def sources():
    """The archive, unpacked: the last commit. In memory where that can be, since it is 20,000 files."""
    shared = "/dev/shm"
    out = Path(tempfile.mkdtemp(prefix="npk-sources-", dir=shared if os.access(shared, os.W_OK) else None))
    made = subprocess.run([ROOT / "packaging/build/dist"], env={**os.environ, "OUT": str(out), "XZ_LEVEL": "0"}, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    subprocess.run(["tar", "-xf", only(out, "*-source.tar.xz"), "-C", out], check=True)
    yield out / f"nodepods-{VERSION}"
    shutil.rmtree(out)


def offline(sources, *command, **more):
    """Runs it with no network, no crates but the archive's and no repository but a stranger's around it."""
    home = sources.parent / "home"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CARGO_HOME", "SOURCE_DATE"))}
    environment |= {"CARGO_HOME": str(home), "GRPCIO_SYS_USE_PKG_CONFIG": "1", **more}
    done = subprocess.run(["unshare", "--net", *map(str, command)], cwd=sources, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_crate_is_in_it(sources):
    offline(sources, "cargo", "metadata", "--offline", "--locked", "--format-version=1")


def test_it_knows_its_commit(sources):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    said = re.search(r'NODEPODS_COMMIT = "(\w+)"', (sources / ".cargo/config.toml").read_text())
    assert head.startswith(said.group(1))


def test_its_packages_are_those_of_the_repository(sources, tmp_path):
    """With the same binary; the time of the commit comes with the files, whoever packs them and wherever that is."""
    here = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if here:
        pytest.skip("what is not committed is not in the archive")
    (sources / "target/static").mkdir(parents=True)
    shutil.copy(BINARY, sources / "target/static")
    subprocess.run(["git", "init", "-q", sources.parent], check=True)
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "-C", sources.parent, *who, "commit", "-q", "--allow-empty", "-m", "else", "--date=2001-01-01T00:00:00Z"],
                   check=True, env={**os.environ, "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"})
    (sources / "target").chmod(0o2775)  # shared by a group
    (tmp_path / ".rpmmacros").write_text("%vendor Somebody\n%_binary_filedigest_algorithm 10\n")
    habits = {"HOME": str(tmp_path), "XZ_OPT": "-1", "TAR_OPTIONS": "--format=posix", "POSIXLY_CORRECT": "1",
              "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))}
    offline(sources, "packaging/build/packages", ARCH, **habits)
    assert (sources / "target/dist/SHA256SUMS").read_text().splitlines() == \
        [line for line in (ROOT / "target/dist/SHA256SUMS").read_text().splitlines() if "-source" not in line and f"-{other()}" not in line]


def test_a_compiler_that_is_not_the_known_one_is_refused(tmp_path):
    """A wheel with the right name and version, from wherever pip was told to look."""
    with zipfile.ZipFile(tmp_path / "ziglang-0.17.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("ziglang/zig", "#!/bin/sh\necho 0.17.0\n")
        wheel.writestr("ziglang-0.17.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: ziglang\nVersion: 0.17.0\n")
        wheel.writestr("ziglang-0.17.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("ziglang-0.17.0.dist-info/RECORD", "")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    done = subprocess.run([ROOT / "packaging/build/static"], env=environment, capture_output=True, text=True)
    assert done.returncode and "DO NOT MATCH THE HASHES" in done.stderr, done.stdout + done.stderr
    assert not list((tmp_path / "cache").rglob("zig"))


def other():
    return {"x86_64": "aarch64", "aarch64": "x86_64"}[ARCH]
