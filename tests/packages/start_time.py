"""How long the service takes from its start to active, on a node with 30 pods: prints the times of five restarts.

  python tests/packages/start_time.py      as root, after `make packages`
"""
import statistics
import sys

from conftest import ARCH, ROOT, Runtime, containerd_module, only
from machine import Machine

PODS = 30


def measure(machine):
    machine.run("systemctl", "restart", "nodepods")
    times = machine.show("nodepods", "InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    begun, active = (int(times[k]) / 1000 for k in ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic"))
    machine.wait("the pods", lambda: f"{PODS} pods on" in machine.show("nodepods", "StatusText")["StatusText"])
    return active - begun


def main():
    containerd = containerd_module.Containerd()
    machine = Machine()
    try:
        containerd.start()
        containerd.load_images()
        runtime = Runtime(containerd)
        for i in range(PODS):
            runtime.run_pod(f"pod-{i}").run_container("main")
        machine.lend(containerd.dir, "srv/cri")
        machine.boot()
        deb = {"x86_64": "amd64", "aarch64": "arm64"}[ARCH]
        machine.run("dpkg", "-i", machine.bring(only(ROOT / "target/dist", f"*_{deb}.deb")))
        (machine.root / "etc/nodepods/config.yaml").write_text("container-runtime-endpoint: unix:///srv/cri/c.sock\n")
        times = [measure(machine) for _ in range(5)]
        print(f"active after {', '.join(f'{t:.0f}' for t in times)} ms; median {statistics.median(times):.0f} ms")
        runtime.close()
    finally:
        machine.close()
        containerd.destroy()


if __name__ == "__main__":
    sys.exit(main())
