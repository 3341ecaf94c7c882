"""Fields that manifests and a runtime cannot tell, each with its reason.

Every name here is a heading of docs/differences.md, which says it at length. A field that is excused may be left
out, or say what the runtime says. It may never be a boast: ready, started or True where the kubelet did not see it.
"""
import re

# Reasons to wait that the kubelet keeps in its own memory.
_BACK_OFF = {
    "CrashLoopBackOff",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PostStartHookError",
}
# Why a kubelet refuses or ends a pod of itself.
_DECISIONS = {
    "UnexpectedAdmissionError",
    "NodeAffinity",
    "OutOfcpu",
    "OutOfmemory",
    "DeadlineExceeded",
    "Evicted",
}
_STATUS = re.compile(r"status\.(containerStatuses|initContainerStatuses|ephemeralContainerStatuses)\[([^]]+)\]\.?(.*)")
_HEALTH = re.compile(r"status\.conditions\[(Ready|ContainersReady|Initialized)\]")


class Case:
    """One field of one pod: what it is called, and all there is to judge it by."""

    def __init__(self, path, kubelet, ours, snapshot):
        self.path, self.kubelet, self.ours, self.snapshot = path, kubelet, ours, snapshot
        at = _STATUS.match(path)
        self.container_field = at.group(3) if at else None
        self.status = self.container = None
        if at:
            self.status = _named(getattr(kubelet.status, at.group(1)), at.group(2))
            self.container = _named([*kubelet.spec.initContainers, *kubelet.spec.containers], at.group(2))

    def about(self, *fields):
        return self.container_field is not None and self.container_field.startswith(fields)


def _named(elements, name):
    return next((e for e in elements if e.name == name), None)


def _hooked(container):
    return container.HasField("startupProbe") or (
        container.HasField("lifecycle") and container.lifecycle.HasField("postStart")
    )


def _clock(c):
    return (
        c.path == "metadata.annotations[kubernetes.io/config.seen]"
        or c.path.startswith("status.startTime")
        or ".lastTransitionTime" in c.path
    )


def _uid(c):
    named = c.path in ("metadata.uid", "metadata.annotations[kubernetes.io/config.hash]")
    return named and not c.snapshot.runtime_mentions(c.kubelet.metadata.uid)


def _forgotten(c):
    if not c.about("lastState") or c.status is None:
        return False
    last = c.status.lastState.terminated.containerID.rsplit("/", 1)[-1]
    return not last or not c.snapshot.runtime_mentions(last)


def _back_off(c):
    return c.status is not None and c.status.state.waiting.reason in _BACK_OFF


def _probe(c):
    if c.container_field is not None and c.container is not None:
        probed = c.container.HasField("readinessProbe")
        return c.about("ready") and (probed or _hooked(c.container)) or c.about("started") and _hooked(c.container)
    if _HEALTH.match(c.path):
        containers = [*c.kubelet.spec.initContainers, *c.kubelet.spec.containers]
        return any(k.HasField("readinessProbe") or _hooked(k) for k in containers)
    return False


def _termination_message(c):
    return c.container_field is not None and c.container_field.endswith("terminated.message")


def _resized(c):
    return c.about("resources", "allocatedResources") or c.path.startswith(
        ("status.resources", "status.allocatedResources")
    )


def _decision(c):
    return c.path.startswith("status.") and c.kubelet.status.reason in _DECISIONS


def _address(c):
    stopped = c.kubelet.status.phase != "Running" and not c.ours.status.podIP
    return c.path.startswith(("status.podIP", "status.podIPs")) and stopped


RULES = {
    "the-kubelets-clock": _clock,
    "a-generated-uid": _uid,
    "a-forgotten-container": _forgotten,
    "back-off": _back_off,
    "probes-and-hooks": _probe,
    "termination-messages": _termination_message,
    "resized-resources": _resized,
    "decisions-of-the-kubelet": _decision,
    "the-address-of-a-stopped-pod": _address,
}


def boast(path, kubelet, ours):
    """True where we claim something good that the kubelet did not see."""
    if path.endswith((".ready", ".started")):
        return ours is True and kubelet is not True
    return re.fullmatch(r"status\.conditions\[\w+\]\.status", path) and ours == "True" and kubelet != "True"


def excuse(path, values, kubelet, ours, snapshot):
    """The name of the rule that excuses a difference, or None."""
    if boast(path, *values):
        return None
    case = Case(path, kubelet, ours, snapshot)
    return next((name for name, holds in RULES.items() if holds(case)), None)
