"""What the page of each distribution says in full is what the daemon finds there by itself."""
import json
import os
import re
import socket
import subprocess

import pytest

from conftest import BINARY, ROOT

PAGES = ROOT / "docs/distributions"
# page, what the daemon calls it, what makes a node one of these
NODES = [
    ("k3s", "k3s", "var/lib/rancher/k3s/agent/"),
    ("rke2", "RKE2", "var/lib/rancher/rke2/agent/"),
    ("k0s", "k0s", "var/lib/k0s/kubelet/"),
    ("microk8s", "MicroK8s", "var/snap/microk8s/current/args/"),
    ("kubeadm", "generic", "var/lib/kubelet/config.yaml"),
    ("kubeedge", "KubeEdge", "etc/kubeedge/config/edgecore.yaml"),
    ("no-kubelet", "generic", "etc/"),
]


def said(page):
    """The first configuration of a page."""
    text = re.search(r"```yaml\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL).group(1)
    return dict(re.findall(r"^([a-z-]+): (\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("page, name, mark", NODES, ids=[n[0] for n in NODES])
def test_it_finds_what_the_page_says(page, name, mark, system):
    settings = said(page)
    for path in (mark, settings.get("pod-manifest-path", "etc/").strip("/") + "/"):
        (system.root / path).parent.mkdir(parents=True, exist_ok=True)
        (system.root / path).mkdir(exist_ok=True) if path.endswith("/") else (system.root / path).touch()
    endpoint = settings["container-runtime-endpoint"].removeprefix("unix://")
    runtime = listen(system.root, endpoint)
    (system.root / "nodepods").write_bytes(BINARY.read_bytes())
    (system.root / "nodepods").chmod(0o755)
    subprocess.run(["mount", "-t", "proc", "proc", system.root / "proc"], check=True)
    serve = ["chroot", system.root, "/nodepods", "serve", "--state-dir", "none"]
    with runtime, subprocess.Popen(list(map(str, serve)), stderr=subprocess.DEVNULL) as process:
        try:
            node, found = system.wait("a runtime", lambda: asked(system))
        finally:
            process.terminate()
    assert node["distribution"] == name
    assert found["cri"] == endpoint
    assert found.get("file", "") == settings.get("pod-manifest-path", "")


def asked(system):
    """What the daemon says of the node and of its sources' places, once it has found a runtime."""
    done = system.run("/nodepods", "sources", "-o", "json", check=False)
    if done.returncode:
        return None
    told = json.loads(done.stdout)
    found = {source["name"]: source["target"] for source in told["sources"]}
    return (told["node"], found) if found.get("cri") and "file" in found else None


def listen(root, path):
    """A runtime's socket. Its name may be too long for the address of a socket, so it is made from its directory."""
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    directory = os.open(place.parent, os.O_PATH)
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(f"/proc/self/fd/{directory}/{place.name}")
    bound.listen()
    os.close(directory)
    return bound


def test_every_page_is_tried():
    assert {p.stem for p in PAGES.glob("*.md")} - {"README"} == {n[0] for n in NODES}
