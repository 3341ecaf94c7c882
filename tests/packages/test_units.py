"""The unit files and init scripts as systemd and the shell read them."""
import shutil
import subprocess

import pytest

from conftest import ROOT, only

UNITS = ROOT / "packaging/systemd"
EXPOSURE = 20  # tenths: 2.0


@pytest.fixture
def analyze(system):
    """systemd-analyze of the system, with our files in place."""
    units = system.root / "etc/systemd/system"
    for name in ("nodepods.service", "nodepods.socket"):
        shutil.copy(UNITS / name, units)
    (system.root / "usr/bin/nodepods").symlink_to("/bin/true")
    return lambda *arguments: system.run("systemd-analyze", *arguments, check=False)


def test_systemd_finds_nothing_wrong(analyze):
    for name in ("nodepods.service", "nodepods.socket"):
        done = analyze("verify", "--man=no", f"/etc/systemd/system/{name}")
        assert done.returncode == 0 and "nodepods" not in done.stderr, done.stderr


@pytest.mark.parametrize("drop_in", [None, "network", "foreign-files", "other-users", "narrow-sockets", "metrics"])
def test_it_is_exposed_little(analyze, system, drop_in):
    if drop_in:
        directory = system.root / "etc/systemd/system/nodepods.service.d"
        directory.mkdir()
        shutil.copy(UNITS / f"drop-ins/{drop_in}.conf", directory)
    unit = ["--offline=yes", f"--threshold={EXPOSURE}", "/etc/systemd/system/nodepods.service"]
    done = analyze("security", *unit)
    assert done.returncode == 0, done.stdout + done.stderr
    overall = [line for line in done.stdout.splitlines() if "Overall exposure" in line]
    print(drop_in, overall)
    assert overall


@pytest.fixture
def without_systemd(system, dist):
    """A system that systemd does not run, with the unpacked tarball in /root; /proc is what every system has."""
    subprocess.run(["tar", "-xzf", only(dist, "*.tar.gz"), "-C", system.root / "root", "--strip-components=1"], check=True)
    (system.root / "usr/lib/systemd/systemd").unlink()
    subprocess.run(["mount", "-t", "proc", "proc", system.root / "proc"], check=True)
    yield system
    system.run("/etc/init.d/nodepods", "stop", check=False)


def lives_and_goes(system, service):
    """Installed, asked, reloaded, restarted, stopped and taken away again, by one kind of init script."""
    before = system.files()
    answers = lambda: system.run("nodepods", "get", "pods", "-A", check=False).returncode == 0
    assert "installed" in system.out("/root/install")
    system.wait("an answer", answers)
    system.run(*service, "status")
    system.run(*service, "reload")
    system.run(*service, "restart")
    system.wait("an answer", answers)
    system.run(*service, "stop")
    assert system.run(*service, "status", check=False).returncode == 3
    assert (system.root / "var/log/nodepods.log").exists()
    system.run("/root/uninstall", "--purge")
    theirs = ("./run/openrc", "./run/lock", "./etc/rc")  # what OpenRC writes down for itself
    assert {f for f in system.files() - before if not f.startswith(theirs)} == set()
    assert before - system.files() == set()
    assert system.out("find", "/usr", "/etc", "/run", "/var", "-iname", "*nodepods*") == ""


def test_the_init_script_needs_a_shell_and_nothing_else(without_systemd):
    (without_systemd.root / "usr/sbin/openrc-run").unlink()
    lives_and_goes(without_systemd, ["/etc/init.d/nodepods"])


def test_the_script_for_openrc(without_systemd):
    for name in "daemons exclusive failed hotplugged inactive init.d options scheduled started starting stopping tmp".split():
        (without_systemd.root / "run/openrc" / name).mkdir(parents=True, exist_ok=True)  # as after a boot
    (without_systemd.root / "run/openrc/softlevel").write_text("default\n")
    lives_and_goes(without_systemd, ["rc-service", "nodepods"])


def test_the_tarball_installs_under_systemd_and_goes_without_a_trace(node, dist):
    subprocess.run(["tar", "-xzf", only(dist, "*.tar.gz"), "-C", node.root / "root", "--strip-components=1"], check=True)
    before = node.files()
    node.run("/root/install")
    assert node.show("nodepods", "ActiveState", "UnitFileState") == {"ActiveState": "active", "UnitFileState": "enabled"}
    assert "web-" in node.pods()
    config = node.root / "etc/nodepods/config.yaml"
    config.write_text("max-watchers: 7\n")
    assert "is kept" in node.out("/root/install")
    assert config.read_text() == "max-watchers: 7\n"
    node.crash()
    assert (node.root / "var/lib/kubelet/pods/kubelet.sock").is_socket()
    node.run("/root/uninstall", "--purge")
    assert node.files() == before


def test_the_tarball_in_the_tree_of_another_system(system, dist):
    """What runs on this one, and the umask of who installs it, are nothing to the other."""
    subprocess.run(["tar", "-xzf", only(dist, "*.tar.gz"), "-C", system.root / "root", "--strip-components=1"], check=True)
    (system.root / "run/systemd/system").mkdir(parents=True)
    image = system.root / "srv/image"
    (image / "sbin").mkdir(parents=True)
    (image / "sbin/openrc-run").touch(mode=0o755)
    there = {image, image / "sbin", image / "sbin/openrc-run"}
    system.run("sh", "-c", "umask 077; DESTDIR=/srv/image /root/install --no-start")
    assert (image / "etc/init.d/nodepods").exists() and not (image / "usr/lib/systemd/system").exists()
    modes = {f: oct(f.stat().st_mode & 0o7777) for f in image.rglob("*") if f not in there}
    programs = [image / "usr/bin/nodepods", image / "etc/init.d/nodepods"]
    assert modes == {f: "0o640" if f.name == "config.yaml" else "0o755" if f.is_dir() or f in programs else "0o644" for f in modes}
    system.run("sh", "-c", "DESTDIR=/srv/image /root/uninstall --purge")
    assert set(image.rglob("*")) | {image} == there


def test_shell_scripts_are_clean():
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck here")
    scripts = [*ROOT.glob("packaging/build/*"), *ROOT.glob("packaging/tarball/*"), *ROOT.glob("packaging/sysv/*"),
               ROOT / "packaging/selinux/build", *(ROOT / "packaging/deb" / n for n in ("postinst", "prerm", "postrm"))]
    done = subprocess.run(["shellcheck", "-S", "warning", *map(str, scripts)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
