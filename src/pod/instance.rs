//! Instances of containers: a restart makes another. What a pod's status shows of them.
//!
//! Field numbers: `kubernetes/api core/v1/generated.proto` (`ContainerStatus`, `ContainerState`).

use crate::codec::special;
use crate::codec::time::Time;
use crate::codec::wire::{self, Value};

/// `PodStatus.containerStatuses`.
const CONTAINER_STATUSES: u32 = 8;

/// Ended instances that are remembered of one container, as StackRox does
/// (`stackrox/stackrox central/pod/datastore/datastore_impl.go`).
pub const MOST_ENDED: usize = 10;

/// One instance of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Name of the container in the spec.
    pub container: String,
    /// The runtime's id behind the runtime's name: `containerd://0b97…`.
    pub id: String,
    /// `imageID`; empty where it is not known.
    pub image_id: String,
    /// Addresses of the pod while it ran.
    pub ips: Vec<String>,
    /// When it was started.
    pub started: Option<Time>,
    /// How it ended; `None` while it runs.
    pub end: Option<End>,
}

/// The end of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// When it ended.
    pub finished: Option<Time>,
    /// Exit code.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`; empty where nobody says.
    pub reason: String,
}

/// The instances of regular containers that an encoded `PodStatus` shows: those that run, and those that have ended.
/// A container that waits has none, but for the one before.
#[must_use]
pub fn shown(status: &[u8]) -> Vec<Instance> {
    let mut all = Vec::new();
    for container in messages(status, CONTAINER_STATUSES) {
        container_instances(container, &mut all);
    }
    all
}

fn container_instances(bytes: &[u8], all: &mut Vec<Instance>) {
    let of = |number| last(bytes, number).map(text).unwrap_or_default();
    let (container, image_id, id) = (of(1), of(7), of(8));
    let state = last(bytes, 2).unwrap_or_default();
    let mut before = last(bytes, 3).and_then(|state| last(state, 3)).map(|ended| terminated(&container, ended));
    if let Some(running) = last(state, 2) {
        let started = last(running, 1).and_then(time);
        all.push(Instance { container, id, image_id, started, ..Instance::default() });
    } else if let Some(ended) = last(state, 3) {
        let mut ended = terminated(&container, ended);
        if ended.id.is_empty() {
            ended.id = id;
        }
        all.push(Instance { image_id, ..ended });
    } else if let Some(before) = before.as_mut().filter(|before| before.id == id) {
        before.image_id = image_id; // it waits for its next start: all that is said is about the last one
    }
    all.extend(before);
}

/// `ContainerStateTerminated`.
fn terminated(container: &str, bytes: &[u8]) -> Instance {
    let time = |number| last(bytes, number).and_then(time);
    let exit_code = wire::fields(bytes).map_while(Result::ok).filter(|f| f.number == 1).last().map(|f| f.value);
    Instance {
        container: container.to_owned(),
        id: last(bytes, 7).map(text).unwrap_or_default(),
        started: time(5),
        end: Some(End {
            finished: time(6),
            exit_code: if let Some(Value::Varint(n)) = exit_code { n as i32 } else { 0 },
            reason: last(bytes, 3).map(text).unwrap_or_default(),
        }),
        ..Instance::default()
    }
}

fn messages(bytes: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    wire::fields(bytes).map_while(Result::ok).filter(move |f| f.number == number).filter_map(|f| match f.value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    })
}

fn last(bytes: &[u8], number: u32) -> Option<&[u8]> {
    messages(bytes, number).last()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn time(bytes: &[u8]) -> Option<Time> {
    let parsed = special::time(bytes).ok()??;
    (!parsed.is_zero() && parsed.unix() != 0).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::schema::id;
    use serde_json::{json, Value as Json};

    fn shown_of(container: Json) -> Vec<Instance> {
        let status = json!({"containerStatuses": [container], "initContainerStatuses": [{"name": "init"}]});
        shown(&json::to_wire(id::POD_STATUS, &status).unwrap().bytes)
    }

    fn ended(id: &str, image_id: &str) -> Instance {
        Instance {
            container: "web".into(),
            id: id.into(),
            image_id: image_id.into(),
            ips: Vec::new(),
            started: Some(Time::from_unix(10)),
            end: Some(End { finished: Some(Time::from_unix(20)), exit_code: -1, reason: "Error".into() }),
        }
    }

    #[test]
    fn what_a_status_shows() {
        let terminated = |id: &str| {
            json!({"terminated": {"exitCode": -1, "reason": "Error", "startedAt": "1970-01-01T00:00:10Z",
                "finishedAt": "1970-01-01T00:00:20Z", "containerID": id}})
        };
        let status = |state: Json, last: Json| json!({"name": "web", "state": state, "lastState": last, "imageID": "i", "containerID": "c://2"});
        let running = json!({"running": {"startedAt": "1970-01-01T00:00:30Z"}});
        let runs = Instance {
            container: "web".into(),
            id: "c://2".into(),
            image_id: "i".into(),
            started: Some(Time::from_unix(30)),
            ..Instance::default()
        };
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        for (container, want) in [
            (status(running.clone(), json!({})), vec![runs.clone()]),
            (status(running, terminated("c://1")), vec![runs, ended("c://1", "")]),
            (status(terminated("c://2"), terminated("c://1")), vec![ended("c://2", "i"), ended("c://1", "")]),
            (status(terminated(""), json!({})), vec![ended("c://2", "i")]),
            (status(waiting.clone(), terminated("c://2")), vec![ended("c://2", "i")]),
            (status(waiting.clone(), terminated("c://1")), vec![ended("c://1", "")]),
            (status(waiting, json!({})), vec![]),
            (json!({"name": "web"}), vec![]),
        ] {
            assert_eq!(shown_of(container.clone()), want, "{container}");
        }
    }

    #[test]
    fn rubbish_shows_nothing() {
        assert_eq!(shown(b"\x42\x03abc"), []);
        assert_eq!(shown(b"\xff\xff"), []);
    }
}
