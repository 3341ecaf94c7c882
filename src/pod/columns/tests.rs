use super::*;
use crate::codec::wire::{put_bytes, put_number};

const NOW: i64 = 1_800_000_000;

/// Writes one message, field by field.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn text(mut self, number: u32, value: &str) -> Self {
        put_bytes(&mut self.0, number, value.as_bytes());
        self
    }

    fn number(mut self, number: u32, value: i64) -> Self {
        put_number(&mut self.0, number, value as u64);
        self
    }

    fn message(mut self, number: u32, value: Self) -> Self {
        put_bytes(&mut self.0, number, &value.0);
        self
    }
}

fn m() -> Message {
    Message::default()
}

/// A pod under test: spec and status grow as the case needs.
struct Case {
    meta: Message,
    spec: Message,
    status: Message,
}

impl Case {
    fn phase(phase: &str) -> Self {
        let meta = m().text(1, "web").text(3, "default").message(8, m().number(1, NOW - 300));
        Self { meta, spec: m(), status: m().text(1, phase) }
    }

    fn init(mut self, status: Message) -> Self {
        self.spec = self.spec.message(20, m().text(1, "i"));
        self.status = self.status.message(10, status.text(1, "i"));
        self
    }

    fn sidecar(mut self, status: Message) -> Self {
        self.spec = self.spec.message(20, m().text(1, "s").text(24, "Always"));
        self.status = self.status.message(10, status.text(1, "s"));
        self
    }

    fn regular(mut self, status: Message) -> Self {
        self.spec = self.spec.message(2, m().text(1, "c"));
        self.status = self.status.message(8, status.text(1, "c"));
        self
    }

    fn condition(mut self, kind: &str, status: &str, reason: &str) -> Self {
        self.status = self.status.message(2, m().text(1, kind).text(2, status).text(5, reason));
        self
    }

    fn reason(mut self, reason: &str) -> Self {
        self.status = self.status.text(4, reason);
        self
    }

    fn deleted(mut self) -> Self {
        self.meta = self.meta.message(9, m().number(1, NOW));
        self
    }

    fn columns(&self) -> Columns {
        Columns::of(&PodBytes::from_sections(&self.meta.0, &self.spec.0, &self.status.0, b""), NOW)
    }

    /// READY, STATUS, RESTARTS.
    fn cells(&self) -> [String; 3] {
        let c = self.columns();
        [c.ready, c.status, c.restarts]
    }
}

fn running() -> Message {
    m().message(2, m().message(2, m())).number(4, 1)
}

fn waiting(reason: &str) -> Message {
    m().message(2, m().message(1, m().text(1, reason)))
}

fn ended(code: i64, signal: i64, reason: &str) -> Message {
    m().message(2, m().message(3, m().number(1, code).number(2, signal).text(3, reason)))
}

/// Restarted `count` times, last `ago` seconds ago.
fn restarted(status: Message, count: i64, ago: i64) -> Message {
    status.number(5, count).message(3, m().message(3, m().message(6, m().number(1, NOW - ago))))
}

#[test]
fn ready_status_and_restarts() {
    let running_pod = || Case::phase("Running");
    let pending = || Case::phase("Pending");
    let table = [
        ("phase alone", pending(), ["0/0", "Pending", "0"]),
        ("a reason beats the phase", Case::phase("Failed").reason("Evicted"), ["0/0", "Evicted", "0"]),
        ("gated", pending().condition("PodScheduled", "False", "SchedulingGated"), ["0/0", "SchedulingGated", "0"]),
        ("running", running_pod().regular(running()), ["1/1", "Running", "0"]),
        (
            "restarted",
            running_pod().regular(restarted(running(), 3, 300)).regular(restarted(running(), 1, 7200)),
            ["2/2", "Running", "4 (5m ago)"],
        ),
        ("restarted, but not known when", running_pod().regular(running().number(5, 2)), ["1/1", "Running", "2"]),
        (
            "waiting",
            running_pod().regular(restarted(waiting("CrashLoopBackOff"), 1, 9)),
            ["0/1", "CrashLoopBackOff", "1 (9s ago)"],
        ),
        ("the first container wins", pending().regular(waiting("A")).regular(waiting("B")), ["0/2", "A", "0"]),
        ("waiting without a reason", pending().regular(waiting("")), ["0/1", "Pending", "0"]),
        ("ended", Case::phase("Succeeded").regular(ended(0, 0, "Completed")), ["0/1", "Completed", "0"]),
        ("failed", Case::phase("Failed").regular(ended(1, 0, "Error")), ["0/1", "Error", "0"]),
        ("an exit code", Case::phase("Failed").regular(ended(7, 0, "")), ["0/1", "ExitCode:7", "0"]),
        ("a signal", Case::phase("Failed").regular(ended(137, 9, "")), ["0/1", "Signal:9", "0"]),
        (
            "one done, one running, pod ready",
            running_pod().regular(ended(0, 0, "Completed")).regular(running()).condition("Ready", "True", ""),
            ["1/2", "Running", "0"],
        ),
        (
            "one done, one running, pod not ready",
            running_pod().regular(ended(0, 0, "Completed")).regular(running()).condition("Ready", "False", ""),
            ["1/2", "NotReady", "0"],
        ),
        (
            "one done, one failed",
            Case::phase("Failed").regular(ended(0, 0, "Completed")).regular(ended(2, 0, "Error")),
            ["0/2", "Error", "0"],
        ),
        (
            "init waits its turn",
            pending().init(waiting("PodInitializing")).regular(waiting("PodInitializing")),
            ["0/1", "Init:0/1", "0"],
        ),
        ("init cannot start", pending().init(waiting("ErrImagePull")), ["0/0", "Init:ErrImagePull", "0"]),
        (
            "second init runs",
            pending().init(ended(0, 0, "Completed")).init(running()).regular(waiting("PodInitializing")),
            ["0/1", "Init:1/2", "0"],
        ),
        ("init failed", pending().init(restarted(ended(1, 0, "Error"), 2, 60)), ["0/0", "Init:Error", "2 (60s ago)"]),
        ("init failed, code only", pending().init(ended(3, 0, "")), ["0/0", "Init:ExitCode:3", "0"]),
        ("init killed", pending().init(ended(137, 9, "")), ["0/0", "Init:Signal:9", "0"]),
        (
            "restarts of done init containers no longer count",
            running_pod().init(restarted(ended(0, 0, "Completed"), 5, 60)).regular(running()),
            ["1/1", "Running", "0"],
        ),
        (
            "a sidecar counts",
            running_pod().sidecar(restarted(running().number(9, 1), 2, 30)).regular(running()),
            ["2/2", "Running", "2 (30s ago)"],
        ),
        ("a sidecar that has not started", pending().sidecar(running()), ["0/1", "Init:0/1", "0"]),
        (
            "initialized once: regular containers decide",
            running_pod().init(running()).regular(running()).condition("Initialized", "True", ""),
            ["1/1", "Init:0/1", "0"],
        ),
        ("deleted", running_pod().regular(running()).deleted(), ["1/1", "Terminating", "0"]),
        (
            "deleted and done",
            Case::phase("Succeeded").regular(ended(0, 0, "Completed")).deleted(),
            ["0/1", "Completed", "0"],
        ),
        ("node lost", running_pod().reason("NodeLost").deleted(), ["0/0", "Unknown", "0"]),
    ];
    for (what, case, want) in table {
        assert_eq!(case.cells(), want, "{what}");
    }
}

#[test]
fn wide_columns() {
    let bare = Case::phase("Pending").columns();
    assert_eq!([bare.ip, bare.node, bare.nominated_node, bare.readiness_gates], [NONE; 4]);
    let mut full = Case::phase("Running").condition("a", "True", "").condition("b", "False", "");
    full.spec = full.spec.text(10, "n1").message(28, m().text(1, "a")).message(28, m().text(1, "b"));
    full.status = full.status.message(12, m().text(1, "10.0.0.7")).message(12, m().text(1, "fd00::7")).text(11, "n2");
    let c = full.columns();
    assert_eq!([c.ip, c.node, c.nominated_node, c.readiness_gates], ["10.0.0.7", "n1", "n2", "1/2"]);
    assert_eq!([c.name, c.namespace, c.age], ["web", "default", "5m"]);
}

#[test]
fn age_of_a_static_pod_counts_from_its_start() {
    let mut case = Case::phase("Running");
    case.meta = m().text(1, "web").message(8, m());
    assert_eq!(case.columns().age, "<unknown>");
    case.status = case.status.message(7, m().number(1, NOW - 60));
    assert_eq!(case.columns().age, "60s");
}

#[test]
fn rubbish_does_not_panic() {
    let case = Case { meta: Message(vec![0xff; 9]), spec: Message(vec![0x12]), status: Message(vec![8, 1, 0x0b]) };
    assert_eq!(case.cells(), ["0/0", "", "0"]);
}

#[test]
fn numbers_at_the_end_of_their_range_stay_there() {
    let often = || restarted(running(), i64::MAX, 0);
    let mut case = Case::phase("Running").regular(often()).regular(often());
    case.meta = m().text(1, "web").message(8, m().number(1, i64::MIN));
    let c = case.columns();
    assert_eq!(c.restarts, format!("{} (0s ago)", i64::MAX));
    assert_eq!(c.age, "292471208677y");
}
