"""What documents and examples say is so: configurations start a daemon, commands exist, manifests are good."""
import os
import re
import shlex
import subprocess

import pytest

from conftest import BINARY, ROOT
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "deploy").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_FILE = "# /etc/nodepods/config.yaml\n"


def configurations():
    """Each configuration that a page shows, and the packaged one with everything turned on."""
    for page in PAGES:
        for i, (kind, text) in enumerate(BLOCK.findall(page.read_text())):
            if kind == "yaml" and text.startswith(IN_FILE):
                yield pytest.param(text, id=f"{page.relative_to(ROOT)}-{i}")
    text = (ROOT / "packaging/config.yaml").read_text()
    yield pytest.param(re.sub(r"^#(?=[a-z-]+:|- )", "", text, flags=re.MULTILINE), id="packaging/config.yaml")


@pytest.mark.parametrize("text", list(configurations()))
def test_a_configuration_starts_a_daemon(text, tmp_path):
    assert re.search(r"^[a-z]", text, re.MULTILINE), "says nothing"
    file = tmp_path / "config.yaml"
    file.write_text(text)
    command = [BINARY, "serve", "--config", file, "--socket", tmp_path / "s", "--http-socket", "none", "--state-dir", "none",
               "--container-runtime-endpoint", "none", "--pod-manifest-path", tmp_path, "--downward-dir", tmp_path / "tree"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = []
        for line in process.stderr:  # ends with the process, if it refuses
            said.append(line)
            if " serving on " in line:
                break
        process.terminate()
        rest = process.stderr.read()
    assert " serving on " in "".join(said), "".join(said) + rest
    checked = subprocess.run([BINARY, "check-config", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def commands():
    """Each command line of ours in a shell block of a page."""
    found = {}
    for page in PAGES:
        for kind, text in BLOCK.findall(page.read_text()):
            if kind != "sh":
                continue
            for line in re.sub(r"\\\n", " ", text).splitlines():
                for part in re.split(r"\||&&|;|>", re.sub(r"\s#\s.*", "", line)):
                    words = shlex.split(part.strip().rstrip("&")) if "nodepods " in part else []
                    words = words[1:] if words[:1] == ["sudo"] else words
                    if words[:1] == ["nodepods"]:
                        found.setdefault(" ".join(words), page)
    return sorted((line, str(page.relative_to(ROOT))) for line, page in found.items())


@pytest.mark.parametrize("line, page", commands())
def test_a_command_exists_with_its_options(line, page):
    words = line.split()[1:]
    if words[0].startswith("-"):
        return
    done = subprocess.run([BINARY, "help", words[0]], capture_output=True, text=True)
    assert done.returncode == 0, f"{page}: {line}: {done.stderr}"
    for word in [] if words[0] == "kubectl" else words[1:]:  # what follows it is for kubectl
        if word.startswith("-") and word != "-":
            option = re.sub(r"=.*", "", word)
            option = option if option.startswith("--") else option[:2]
            assert re.search(rf"(^|[\s,]){re.escape(option)}\b", done.stdout, re.MULTILINE), f"{page}: {line}: no {option}"


def links():
    for page in PAGES:
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", prose):
            if "://" not in target:
                yield page, target


def test_links_between_pages_lead_somewhere():
    dead = [f"{page.relative_to(ROOT)}: {target}" for page, target in links() if not os.path.exists(page.parent / target)]
    assert dead == []


def rows_of_tests():
    """Each row of a table whose last column names tests: the page's line, and file and name of each test."""
    for page in (ROOT / "docs/security.md",):
        shown = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            cells = [c.strip() for c in line.strip("|").split("|")]
            if not line.startswith("|"):
                shown = False
            elif "shown by" in cells[-1]:
                shown = True
            elif shown and not cells[-1].startswith("---"):
                yield pytest.param(cells[-1], id=f"{page.relative_to(ROOT)}:{number}")


@pytest.mark.parametrize("cell", list(rows_of_tests()))
def test_a_control_has_the_tests_that_are_named(cell):
    if link := re.fullmatch(r"\[.*\]\(#([a-z-]+)\)", cell):
        headings = re.findall(r"^#+ (.*)", (ROOT / "docs/security.md").read_text(), re.MULTILINE)
        assert link.group(1) in [h.lower().replace(" ", "-") for h in headings]
        return
    words = re.findall(r"`([^`]+)`", cell)
    assert words and "/" in words[0], cell
    for word in words:
        if "/" in word:
            text = (ROOT / word).read_text()
            assert word.startswith("packaging/") or word != words[-1], f"{word}: which test?"
        else:
            assert re.search(rf"(def|fn) {word}\(", text), f"no test {word}"


def test_the_manifest_for_the_inside_of_a_cluster_is_a_good_pod(tmp_path, system):
    """The static manifest, read by the daemon itself."""
    manifests = system.root / "etc/kubernetes/manifests"
    manifests.mkdir(parents=True)
    (manifests / "nodepods.yaml").write_text((ROOT / "deploy/static-pod.yaml").read_text())
    (system.root / "nodepods").write_bytes(BINARY.read_bytes())
    (system.root / "nodepods").chmod(0o755)
    subprocess.run(["mount", "-t", "proc", "proc", system.root / "proc"], check=True)
    serve = ["chroot", system.root, "/nodepods", "serve", "--socket", "/run/p.sock", "--state-dir", "none"]
    try:
        with subprocess.Popen(list(map(str, serve)), stderr=subprocess.PIPE, text=True) as process:
            ask = ["/nodepods", "get", "pods", "-A", "--socket", "/run/p.sock"]
            pods = system.wait("an answer", lambda: system.run(*ask, check=False).stdout)
            process.terminate()
            log = process.stderr.read()
        assert "nodepods-" in pods, log
        assert "WARN" not in log and "ERROR" not in log, log
    finally:
        subprocess.run(["umount", system.root / "proc"], check=False)


def test_the_daemonset_runs_the_same_pod():
    text = lambda name: (ROOT / "deploy" / name).read_text()
    pod = text("static-pod.yaml").split("\nspec:\n")[1]
    inside = text("daemonset.yaml").split("- operator: Exists\n")[1]
    assert "".join(f"    {line}" for line in pod.splitlines(True)) == inside
