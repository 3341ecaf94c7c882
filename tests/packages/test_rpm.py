"""The rpm, on a running system that has an rpm database of its own beside Debian's."""
import subprocess

from conftest import NEXT, VERSION

CONFIG = "etc/nodepods/config.yaml"


def rpm(node, *arguments):
    return node.out("rpm", "--dbpath", "/var/lib/rpm", *arguments)


def test_it_needs_nothing_and_says_what_is_inside(rpms):
    ask = lambda what: subprocess.run(["rpm", "-qp", what, rpms[0]], capture_output=True, text=True, check=True).stdout
    needs = [n for n in ask("--requires").splitlines() if not n.startswith("rpmlib(") and n.split()[0] != "/bin/sh"]
    assert needs == []
    assert "bundled(grpc)" in ask("--provides")
    assert "<unset@nodepods.invalid>" in ask("-i")
    assert ask("--configfiles").split() == ["/" + CONFIG]
    assert "/usr/share/selinux/packages/nodepods.pp" in ask("-l")


def test_from_installation_to_erasure(node, rpms):
    old, new = (node.bring(r) for r in rpms)
    before = node.files()
    rpm(node, "-i", "--nodeps", old)
    assert node.show("nodepods", "ActiveState", "UnitFileState") == {"ActiveState": "active", "UnitFileState": "enabled"}
    assert node.show("nodepods.socket", "UnitFileState") == {"UnitFileState": "disabled"}
    assert "web-" in node.pods()
    assert rpm(node, "-V", "--nodeps", "nodepods") == ""

    with open(node.root / CONFIG, "a") as f:
        f.write("max-watchers: 7\n")
    first = node.show("nodepods", "InvocationID")
    for package, version, serving in ((new, NEXT, 2), (old, VERSION, 3)):
        rpm(node, "-U", "--nodeps", "--oldpackage", package)
        assert rpm(node, "-q", "--qf", "%{version}", "nodepods") == version
        assert node.show("nodepods", "InvocationID") != first
        assert node.journal().count(" serving on ") == serving, node.journal()
        assert (node.root / CONFIG).read_text().endswith("max-watchers: 7\n")
        assert "web-" in node.pods()

    node.crash()  # its sockets stay, until the package goes
    rpm(node, "-e", "nodepods")
    assert node.run("pgrep", "nodepods", check=False).returncode
    # What was changed stays, as ever with rpm; the last belongs to a package that every rpm system has.
    kept = {f"./{CONFIG}.rpmsave", "./etc/nodepods"}
    theirs = {"./usr/share/licenses"}
    assert node.files() - before == kept | theirs
    assert before - node.files() == set()


def test_a_preset_of_the_administrator_wins(node, rpms):
    preset = node.root / "etc/systemd/system-preset"
    preset.mkdir(parents=True)
    (preset / "00-here.preset").write_text("disable nodepods.service\n")
    rpm(node, "-i", "--nodeps", node.bring(rpms[0]))
    assert node.show("nodepods", "ActiveState", "UnitFileState") == {"ActiveState": "inactive", "UnitFileState": "disabled"}
