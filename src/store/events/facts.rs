//! What a pod's status says has happened to its containers. Field numbers: `kubernetes/api core/v1/generated.proto`.

use crate::codec::wire::{self, Value};

/// Longest text from the runtime that is kept of a reason.
const LONGEST: usize = 64;

/// Something that happened to a container, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// Where the container stands in the pod: `spec.containers{main}`.
    pub(super) field_path: String,
    pub(super) container: String,
    pub(super) what: What,
    /// When, in seconds since the epoch, where the status says so.
    pub(super) at: Option<i64>,
    /// Runtime id of the instance it happened to: it tells one restart from the next.
    instance: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Started,
    /// Exit code and the runtime's reason, such as `OOMKilled`.
    Ended(i64, String),
    /// Cannot start, for a reason that is more than the usual wait, such as `ImagePullBackOff`.
    Waits(String),
}

/// Everything that an encoded `PodStatus` tells, in the order in which it happened. What cannot be read is left out.
pub(super) fn of(status: &[u8]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (number, container) in messages(status) {
        let list = match number {
            8 => "spec.containers",
            10 => "spec.initContainers",
            13 => "spec.ephemeralContainers",
            _ => continue,
        };
        of_container(list, container, &mut facts);
    }
    facts.sort_by_key(|fact| fact.at.unwrap_or(i64::MAX)); // stable: an end stands before the start that follows it
    facts
}

fn of_container(list: &str, status: &[u8], facts: &mut Vec<Fact>) {
    let container = text(status, 1);
    let add = |what, at, instance| Fact {
        field_path: format!("{list}{{{container}}}"),
        container: container.clone(),
        what,
        at,
        instance,
    };
    // The state before first: its end came first.
    for states in [3, 2] {
        for (state, value) in messages(status).filter(|(n, _)| *n == states).flat_map(|(_, states)| messages(states)) {
            let fact = match state {
                1 => match text(value, 1) {
                    reason if usual(&reason) => continue,
                    reason => add(What::Waits(reason), None, String::new()),
                },
                2 => add(What::Started, time(value, 1), text(status, 8)),
                3 => {
                    if let at @ Some(_) = time(value, 5) {
                        facts.push(add(What::Started, at, text(value, 7)));
                    }
                    add(What::Ended(number(value, 1), text(value, 3)), time(value, 6), text(value, 7))
                }
                _ => continue,
            };
            facts.push(fact);
        }
    }
}

/// Whether every container waits so before its first start.
fn usual(reason: &str) -> bool {
    matches!(reason, "" | "ContainerCreating" | "PodInitializing")
}

fn messages(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    wire::fields(bytes).map_while(Result::ok).filter_map(|f| match f.value {
        Value::Bytes(b) => Some((f.number, b)),
        _ => None,
    })
}

fn text(bytes: &[u8], number: u32) -> String {
    let value = messages(bytes).filter(|(n, _)| *n == number).last().map(|(_, b)| b).unwrap_or_default();
    String::from_utf8_lossy(value).chars().take(LONGEST).collect()
}

fn number(bytes: &[u8], number: u32) -> i64 {
    let numbers = wire::fields(bytes).map_while(Result::ok).filter(|f| f.number == number);
    numbers.filter_map(|f| if let Value::Varint(n) = f.value { Some(n as i64) } else { None }).last().unwrap_or(0)
}

/// Seconds of a `meta.v1.Time`; none where it is Go's zero time.
fn time(bytes: &[u8], field: u32) -> Option<i64> {
    let value = messages(bytes).filter(|(n, _)| *n == field).last().map(|(_, b)| b)?;
    Some(number(value, 1)).filter(|seconds| *seconds > 0)
}
