"""The Debian package: on a disk image, where nothing runs, and on a running system."""
import subprocess

from conftest import BINARY, MAINTAINER, NEXT, VERSION

CONFIG = "etc/nodepods/config.yaml"


def test_lintian_has_nothing_to_say(debs):
    command = ["lintian", "--allow-root", "--display-info", "--fail-on", "error,warning", "--tag-display-limit", "0"]
    if subprocess.run([BINARY, "help", "generate"], capture_output=True).returncode:
        command += ["--suppress-tags", "no-manual-page"]  # a binary that cannot write its manual pages
    done = subprocess.run([*command, debs[0]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unused-override" not in done.stdout


def test_it_says_who_answers_for_it(debs):
    ask = lambda deb: subprocess.run(["dpkg-deb", "-f", deb, "Maintainer"], capture_output=True, text=True, check=True).stdout
    assert ask(debs[0]).endswith(".invalid>\n"), "nobody did"
    assert ask(debs[1]).strip() == MAINTAINER


def test_a_disk_image_has_the_service_enabled_and_nothing_left_after_purge(system, debs):
    before = system.files()
    system.run("dpkg", "-i", system.bring(debs[0]))
    assert VERSION in system.out("nodepods", "version")
    assert (system.root / "etc/systemd/system/multi-user.target.wants/nodepods.service").is_symlink()
    assert not (system.root / "etc/systemd/system/sockets.target.wants/nodepods.socket").exists()
    assert system.out("stat", "-c", "%a %U", "/" + CONFIG) == "640 root"
    assert system.out("dpkg", "-V", "nodepods") == ""
    for place in ("bash-completion/completions/nodepods", "zsh/vendor-completions/_nodepods",
                  "fish/vendor_completions.d/nodepods.fish"):  # where Debian's shells look
        assert (system.root / "usr/share" / place).is_file(), place

    system.run("dpkg", "-r", "nodepods")
    assert (system.root / CONFIG).exists()
    assert not (system.root / "usr/bin/nodepods").exists()
    system.run("dpkg", "-P", "nodepods")
    assert system.files() == before


def test_a_changed_configuration_outlives_upgrade_and_downgrade(system, debs):
    old, new = (system.bring(d) for d in debs)
    system.run("dpkg", "-i", old)
    with open(system.root / CONFIG, "a") as f:
        f.write("max-watchers: 7\n")
    for package, version in ((new, NEXT), (old, VERSION)):
        system.run("dpkg", "-i", package)
        assert system.out("dpkg-query", "-W", "-f", "${Version}", "nodepods") == f"{version}-1"
        assert (system.root / CONFIG).read_text().endswith("max-watchers: 7\n")


def test_a_disabled_service_stays_disabled(system, debs):
    old, new = (system.bring(d) for d in debs)
    system.run("dpkg", "-i", old)
    system.run("systemctl", "disable", "nodepods.service")
    system.run("dpkg", "-i", new)
    assert not (system.root / "etc/systemd/system/multi-user.target.wants/nodepods.service").is_symlink()


NARROW = """narrow-socket:
- path: /run/nodepods-narrow/logs.sock
  group: adm
  fields: [metadata.name]
"""
DOCUMENTED = "/var/lib/kubelet/pods/kubelet.sock"


def test_a_daemon_that_was_killed_leaves_no_socket_behind(node, debs):
    before = node.files()
    node.run("dpkg", "-i", node.bring(debs[0]))
    (node.root / CONFIG).write_text(NARROW)
    # For this boot: what the administrator puts into /etc is not ours to remove.
    node.run("install", "-D", "/usr/share/nodepods/drop-ins/narrow-sockets.conf", "/run/systemd/system/nodepods.service.d/narrow.conf")
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "restart", "nodepods")
    assert "web-" in node.pods("--socket", "/run/nodepods-narrow/logs.sock")
    node.crash()
    assert node.files() >= before | {f".{DOCUMENTED}", "./run/nodepods-narrow/logs.sock"}
    node.run("dpkg", "-P", "nodepods")
    assert node.files() == before


def test_another_server_keeps_the_documented_socket(node, debs):
    """A daemon that was started by hand here; a kubelet that took the path over is no other."""
    node.run("dpkg", "-i", node.bring(debs[0]))
    node.run("cp", "/usr/bin/nodepods", "/root/other")
    node.crash()
    node.run("systemd-run", "--unit=other", "/root/other", "serve", "--socket", DOCUMENTED, "--http-socket", "none", "--state-dir", "none")
    node.wait("the other server", lambda: node.run("/root/other", "get", "pods", "--socket", DOCUMENTED, check=False).returncode == 0)
    node.run("dpkg", "-P", "nodepods")
    node.run("/root/other", "get", "pods", "--socket", DOCUMENTED)


def test_from_installation_to_purge_on_a_running_system(node, debs):
    old, new = (node.bring(d) for d in debs)
    before = node.files()
    node.run("dpkg", "-i", old)
    assert "web-" in node.pods()

    first = node.show("nodepods", "InvocationID")
    node.run("dpkg", "-i", new)
    second = node.show("nodepods", "InvocationID", "ActiveState")
    assert second["ActiveState"] == "active" and second["InvocationID"] != first["InvocationID"]
    assert node.journal().count(" serving on ") == 2, node.journal()
    assert "web-" in node.pods()
    node.run("dpkg", "-i", old)
    assert "web-" in node.pods()

    node.run("dpkg", "-P", "nodepods")
    assert node.run("pgrep", "nodepods", check=False).returncode
    assert node.files() == before
