"""What an API server's table shows of a pod, by the rules of its printer, written down apart from the daemon's.

Rules: kubernetes/kubernetes pkg/printers/internalversion/printers.go (printPod), kubernetes/apimachinery
pkg/util/duration (HumanDuration). Pods are JSON objects. `EXAMPLES` are cases of that printer's own test
(printers_test.go: TestPrintPod, TestPrintPodwide, TestPrintNonTerminatedPod), by which this page is judged itself.
"""
import datetime

COLUMNS = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def seconds(text):
    """A time of a pod, as seconds since 1970."""
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def age(elapsed):
    if elapsed < -1:
        return "<invalid>"
    elapsed = max(elapsed, 0)

    def two(large, large_name, small, small_name):
        rest = elapsed % large // small
        return f"{elapsed // large}{large_name}" + (f"{rest}{small_name}" if rest else "")

    for most, text in [
        (2 * _MINUTE, lambda: f"{elapsed}s"),
        (10 * _MINUTE, lambda: two(_MINUTE, "m", 1, "s")),
        (3 * _HOUR, lambda: f"{elapsed // _MINUTE}m"),
        (8 * _HOUR, lambda: two(_HOUR, "h", _MINUTE, "m")),
        (2 * _DAY, lambda: f"{elapsed // _HOUR}h"),
        (8 * _DAY, lambda: two(_DAY, "d", _HOUR, "h")),
        (2 * 365 * _DAY, lambda: f"{elapsed // _DAY}d"),
        (8 * 365 * _DAY, lambda: two(365 * _DAY, "y", _DAY, "d")),
    ]:
        if elapsed < most:
            return text()
    return f"{elapsed // (365 * _DAY)}y"


def _end(terminated):
    """How a container ended, in a word."""
    if terminated.get("reason"):
        return terminated["reason"]
    signal = terminated.get("signal", 0)
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


class _Restarts:
    def __init__(self):
        self.count, self.last = 0, None

    def add(self, status):
        self.count += status.get("restartCount", 0)
        finished = status.get("lastState", {}).get("terminated", {}).get("finishedAt")
        if finished:
            self.last = max(self.last or 0, seconds(finished))

    def text(self, now):
        return f"{self.count} ({age(now - self.last)} ago)" if self.count and self.last else str(self.count)


def row(pod, now):
    """The cells in the order of COLUMNS. `now` in seconds since 1970."""
    meta, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    true = lambda kind: conditions.get(kind, {}).get("status") == "True"  # noqa: E731
    word = status.get("reason") or status.get("phase", "")
    if conditions.get("PodScheduled", {}).get("reason") == "SchedulingGated":
        word = "SchedulingGated"

    inits = spec.get("initContainers", [])
    sidecars = {c["name"] for c in inits if c.get("restartPolicy") == "Always"}
    total, ready = len(spec.get("containers", [])) + len(sidecars), 0
    restarts, of_sidecars = _Restarts(), _Restarts()
    stuck = False
    for at, container in enumerate(status.get("initContainerStatuses", [])):
        state, sidecar = container.get("state", {}), container["name"] in sidecars
        restarts.add(container)
        if sidecar:
            of_sidecars.add(container)
        ended = state.get("terminated")
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        waits_for = state.get("waiting", {}).get("reason", "")
        if ended is not None:
            word = "Init:" + _end(ended)
        elif waits_for not in ("", "PodInitializing"):
            word = "Init:" + waits_for
        else:
            word = f"Init:{at}/{len(inits)}"
        stuck = True
        break

    if not stuck or true("Initialized"):
        restarts, running, failed_with = of_sidecars, False, None
        for container in reversed(status.get("containerStatuses", [])):
            state = container.get("state", {})
            restarts.add(container)
            if state.get("waiting", {}).get("reason"):
                word = state["waiting"]["reason"]
            elif "terminated" in state:
                word = _end(state["terminated"])
                if state["terminated"].get("exitCode", 0):
                    failed_with = word
            elif container.get("ready") and "running" in state:
                running, ready = True, ready + 1
        if word == "Completed":
            if running and true("Ready"):
                word = "Running"
            else:
                word = failed_with or ("NotReady" if running else word)

    if meta.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            word = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            word = "Terminating"

    gates = [gate["conditionType"] for gate in spec.get("readinessGates", [])]
    ips = status.get("podIPs", [])
    created = meta.get("creationTimestamp")
    return [
        meta["name"],
        f"{ready}/{total}",
        word,
        restarts.text(now),
        age(now - seconds(created)) if created else "<unknown>",
        ips[0]["ip"] if ips else "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{sum(map(true, gates))}/{len(gates)}" if gates else "<none>",
    ]


def _example(containers, statuses, want, **status):
    named = [{"name": f"c{i}", **s} for i, s in enumerate(statuses)]
    spec = {"containers": [{"name": f"c{i}"} for i in range(containers)]}
    return {"metadata": {"name": "test"}, "spec": spec, "status": {"containerStatuses": named, **status}}, want


_RUNS = {"ready": True, "restartCount": 3, "state": {"running": {}}}
_RESTARTED = {"restartCount": 3}
_WAITS = {"restartCount": 3, "state": {"waiting": {"reason": "ContainerWaitingReason"}}}
_ENDED = {"restartCount": 3, "state": {"terminated": {"reason": "ContainerTerminatedReason"}}}
_READY = {"restartCount": 3, "ready": True}
# Pods and their READY, STATUS and RESTARTS.
EXAMPLES = [
    _example(2, [_RUNS, _RESTARTED], ["1/2", "podPhase", "6"], phase="podPhase"),
    _example(2, [_RUNS, _WAITS], ["1/2", "ContainerWaitingReason", "6"], phase="podPhase"),
    _example(2, [_WAITS, _ENDED], ["0/2", "ContainerWaitingReason", "6"], phase="podPhase"),
    _example(2, [_RUNS, _READY], ["1/2", "podPhase", "6"], phase="podPhase"),
    _example(2, [_RUNS, _READY], ["1/2", "podReason", "6"], phase="podPhase", reason="podReason"),
    _example(2, [_RUNS, _RUNS], ["2/2", "podPhase", "6"], phase="podPhase"),
    _example(2, [_RUNS, _RESTARTED], ["1/2", "Succeeded", "6"], phase="Succeeded"),
    _example(2, [_RUNS, _READY], ["1/2", "Failed", "6"], phase="Failed"),
]
