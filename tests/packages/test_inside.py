"""deploy/static-pod.yaml as a real containerd runs it: root without a capability, on a read-only file system."""
import os
import subprocess

import pytest
import yaml

from conftest import BINARY, ROOT
from node import images

IMAGE = "test.local/nodepods:1"
PROPAGATION = {None: 0, "HostToContainer": 1}
SERVED = ["/run/nodepods/pods.sock", "/var/lib/kubelet/pods/kubelet.sock"]


@pytest.fixture
def host(runtime, tmp_path_factory):
    """What the manifest mounts of a node: a tree with a manifest and the runtime's socket."""
    tree = tmp_path_factory.mktemp("host")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tree], check=True)
    try:
        subprocess.run(["mount", "--make-shared", tree], check=True)
        for d in ("etc/kubernetes/manifests", "run/containerd", "var/log", "var/lib"):
            (tree / d).mkdir(parents=True)
        for name in ("hosts", "hostname", "resolv.conf"):  # what the runtime puts its own over
            (tree / "etc" / name).touch()
        (tree / "etc/kubernetes/manifests/web.yaml").write_text((ROOT / "examples/manifests/web.yaml").read_text())
        (tree / "run/containerd/containerd.sock").touch()
        subprocess.run(["mount", "--bind", runtime.containerd.socket, tree / "run/containerd/containerd.sock"], check=True)
        yield tree
    finally:
        subprocess.run(["umount", "-R", "-l", tree], check=True)


def configs(runtime, host):
    """The sandbox and the container of the manifest, as a kubelet asks for them."""
    spec = yaml.safe_load((ROOT / "deploy/static-pod.yaml").read_text())["spec"]
    container, = spec["containers"]
    security = container["securityContext"]
    assert security["seccompProfile"]["type"] == "RuntimeDefault" and spec["hostNetwork"]
    volumes = {v["name"]: v["hostPath"] for v in spec["volumes"]}
    mounts = []
    for mount in container["volumeMounts"]:
        volume = volumes[mount["name"]]
        path = host / volume["path"].lstrip("/")
        if volume["type"] == "DirectoryOrCreate":
            path.mkdir(parents=True, exist_ok=True)
        assert path.is_dir(), path
        mounts.append({"container_path": mount["mountPath"], "host_path": str(path), "readonly": mount.get("readOnly", False),
                       "propagation": PROPAGATION[mount.get("mountPropagation")]})
    network = {"network": "NODE"}
    pod = {
        "metadata": {"name": "nodepods", "uid": "inside", "namespace": "kube-system"},
        "log_directory": f"{runtime.containerd.logs}/inside",
        "linux": {"cgroup_parent": f"{runtime.containerd.cgroup}/podinside", "security_context": {"namespace_options": network}},
    }
    limits = {"memory_limit_in_bytes": int(container["resources"]["limits"]["memory"].removesuffix("Mi")) << 20}
    context = {
        "capabilities": {"drop_capabilities": security["capabilities"]["drop"]},
        "no_new_privs": not security["allowPrivilegeEscalation"],
        "readonly_rootfs": security["readOnlyRootFilesystem"],
        "run_as_user": {"value": security["runAsUser"]},
        "namespace_options": network,
        "seccomp": {"profile_type": "RuntimeDefault"},
    }
    inside = {
        "metadata": {"name": "nodepods"}, "image": {"image": IMAGE}, "args": container["args"], "mounts": mounts,
        "log_path": "0.log", "linux": {"resources": limits, "security_context": context},
    }
    return pod, inside


def test_the_static_pod_serves_its_node(runtime, host, system):
    layer = images.layer([("nodepods", BINARY.read_bytes())])
    runtime.containerd.load_image(IMAGE, layer, {"Entrypoint": ["/nodepods"], "Cmd": ["serve"]})
    pod, inside = configs(runtime, host)
    os.makedirs(pod["log_directory"])
    sandbox = runtime.call("RunPodSandbox", config=pod).pod_sandbox_id
    made = runtime.call("CreateContainer", pod_sandbox_id=sandbox, config=inside, sandbox_config=pod).container_id
    runtime.call("StartContainer", container_id=made)
    try:
        log = lambda: open(f"{pod['log_directory']}/0.log").read()
        ask = lambda path: subprocess.run([BINARY, "get", "pods", "-A", "--socket", f"{host}{path}"], capture_output=True, text=True)
        system.wait("an answer", lambda: "nodepods" in ask(SERVED[0]).stdout)
        for path in SERVED:
            assert "kube-system   nodepods" in ask(path).stdout and "web-" in ask(path).stdout, path
        assert (host / "var/lib/nodepods/revision").exists()
        assert " WARN" not in log() and " ERROR" not in log(), log()
    finally:
        runtime.call("StopPodSandbox", pod_sandbox_id=sandbox)
        runtime.call("RemovePodSandbox", pod_sandbox_id=sandbox)
