//! The few fields of an encoded pod that a table needs. Field numbers: `kubernetes/api core/v1/generated.proto`.

use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value};

/// The parts of a pod that decide its cells. Times are seconds since the epoch.
#[derive(Debug, Default)]
pub(super) struct PodView {
    pub namespace: String,
    pub name: String,
    pub created: Option<i64>,
    pub deleting: bool,
    pub node: String,
    pub containers: usize,
    pub init_containers: usize,
    /// Names of init containers with `restartPolicy: Always`.
    pub sidecars: Vec<String>,
    pub readiness_gates: Vec<String>,
    pub phase: String,
    pub reason: String,
    pub nominated_node: String,
    pub ip: String,
    pub started: Option<i64>,
    conditions: Vec<Condition>,
    pub init_statuses: Vec<Container>,
    pub statuses: Vec<Container>,
}

#[derive(Debug)]
struct Condition {
    kind: String,
    status: String,
    reason: String,
}

/// A container status.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub name: String,
    /// The reason of `state.waiting`, which may be empty.
    pub waiting: Option<String>,
    pub running: bool,
    pub terminated: Option<Terminated>,
    pub last_finished: Option<i64>,
    pub ready: bool,
    pub restarts: i64,
    pub started: bool,
}

/// `ContainerStateTerminated`.
#[derive(Debug, Default)]
pub(super) struct Terminated {
    pub exit_code: i64,
    pub signal: i64,
    pub reason: String,
    finished: Option<i64>,
}

impl PodView {
    pub fn of(pod: &PodBytes) -> Self {
        let mut view = Self::default();
        for (number, value) in messages(pod.metadata()) {
            match number {
                1 => view.name = text(value),
                3 => view.namespace = text(value),
                8 => view.created = time(value),
                9 => view.deleting = true,
                _ => {}
            }
        }
        for (number, value) in messages(pod.spec()) {
            match number {
                2 => view.containers += 1,
                10 => view.node = text(value),
                20 => {
                    view.init_containers += 1;
                    if last(value, 24) == "Always" {
                        view.sidecars.push(last(value, 1));
                    }
                }
                28 => view.readiness_gates.push(last(value, 1)),
                _ => {}
            }
        }
        for (number, value) in messages(pod.status()) {
            match number {
                1 => view.phase = text(value),
                2 => {
                    view.conditions.push(Condition {
                        kind: last(value, 1),
                        status: last(value, 2),
                        reason: last(value, 5),
                    });
                }
                4 => view.reason = text(value),
                7 => view.started = time(value),
                8 => view.statuses.push(Container::of(value)),
                10 => view.init_statuses.push(Container::of(value)),
                11 => view.nominated_node = text(value),
                12 if view.ip.is_empty() => view.ip = last(value, 1),
                _ => {}
            }
        }
        view
    }

    pub fn condition_is_true(&self, kind: &str) -> bool {
        self.conditions.iter().find(|c| c.kind == kind).is_some_and(|c| c.status == "True")
    }

    pub fn scheduling_gated(&self) -> bool {
        self.conditions.iter().any(|c| c.kind == "PodScheduled" && c.reason == "SchedulingGated")
    }
}

impl Container {
    fn of(bytes: &[u8]) -> Self {
        let mut container = Self { restarts: number(bytes, 5), ready: number(bytes, 4) != 0, ..Self::default() };
        container.started = number(bytes, 9) != 0;
        for (field, value) in messages(bytes) {
            match field {
                1 => container.name = text(value),
                2 => {
                    for (state, value) in messages(value) {
                        match state {
                            1 => container.waiting = Some(last(value, 1)),
                            2 => container.running = true,
                            3 => container.terminated = Some(Terminated::of(value)),
                            _ => {}
                        }
                    }
                }
                3 => {
                    let ended = messages(value).filter(|(state, _)| *state == 3).last();
                    container.last_finished = ended.and_then(|(_, value)| Terminated::of(value).finished);
                }
                _ => {}
            }
        }
        container
    }
}

impl Terminated {
    fn of(bytes: &[u8]) -> Self {
        let finished = messages(bytes).filter(|(field, _)| *field == 6).last();
        Self {
            exit_code: number(bytes, 1),
            signal: number(bytes, 2),
            reason: last(bytes, 3),
            finished: finished.and_then(|(_, value)| time(value)),
        }
    }
}

/// The length-delimited fields of a message. What cannot be read ends the walk.
fn messages(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    wire::fields(bytes).map_while(Result::ok).filter_map(|f| match f.value {
        Value::Bytes(b) => Some((f.number, b)),
        _ => None,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn last(bytes: &[u8], number: u32) -> String {
    messages(bytes).filter(|(n, _)| *n == number).last().map(|(_, b)| text(b)).unwrap_or_default()
}

fn number(bytes: &[u8], number: u32) -> i64 {
    let numbers = wire::fields(bytes).map_while(Result::ok).filter(|f| f.number == number);
    numbers.filter_map(|f| if let Value::Varint(n) = f.value { Some(n as i64) } else { None }).last().unwrap_or(0)
}

/// Seconds of a `meta.v1.Time`. Go's zero time, which is no time at all, travels as second 0.
fn time(bytes: &[u8]) -> Option<i64> {
    Some(number(bytes, 1)).filter(|seconds| *seconds != 0)
}
