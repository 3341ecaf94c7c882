//! Building a `PodStatus`: what a kubelet would say about a pod, as far as manifests and the runtime tell.
//!
//! Nothing is invented: what depends on probe results, on back-off or on a spec that nobody showed us is left out or
//! said to be unknown, with a reason of our own.

pub mod addresses;
pub mod admission;
mod base;
pub mod conditions;
pub mod container_status;
mod containers;
mod deriver;
mod instances;
mod message;
pub mod phase;
#[cfg(test)]
mod replay;
mod resources;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use self::admission::NodeFacts;
use self::deriver::Deriver;
use self::instances::Instances;
use super::observed::{Container, Sandbox};
use super::spec::PodSpecView;
use crate::codec::json::{self, JsonError};
use crate::codec::schema::id;

/// How the pod came to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodKind {
    /// By a manifest.
    Static,
    /// By the API server.
    Api,
    /// Only the runtime knows it.
    RuntimeOnly,
}

/// What a status is derived from. Equal input gives equal output.
#[derive(Clone, Copy, Debug)]
pub struct StatusInput<'a> {
    /// The spec; `None` for a pod that only the runtime knows.
    pub spec: Option<&'a PodSpecView>,
    /// Where the pod comes from.
    pub kind: PodKind,
    /// The pod's sandboxes, in any order.
    pub sandboxes: &'a [Arc<Sandbox>],
    /// The pod's containers of all its sandboxes, in any order.
    pub containers: &'a [Arc<Container>],
    /// `runtime_name` of CRI Version: the prefix of container ids.
    pub runtime_name: &'a str,
    /// False while the runtime has not answered yet, and where there is none.
    pub runtime_seen: bool,
    /// The status that a kubelet or an API server gives now. A checkpoint's status goes into `previous`.
    pub base: Option<&'a Value>,
    /// The status that was served last, for the same UID. It keeps transition times, the start time, addresses of a
    /// stopped sandbox and a terminal phase, and it remembers containers that the runtime has forgotten.
    pub previous: Option<&'a Value>,
    /// The pod is being removed.
    pub terminating: bool,
    /// The runtime still holds a sandbox, ready or not, of a pod with the same name and another UID: a kubelet waits
    /// for the end of that one, and for ten seconds beyond. Counts only while this pod has no sandbox of its own.
    pub held_back: bool,
    /// The node, for judging whether a pod that never started may have been refused.
    pub node: &'a NodeFacts,
    /// Seconds since the epoch.
    pub now: i64,
    /// When the pod was first seen, in seconds since the epoch: `startTime` where nobody gave one.
    pub first_seen: i64,
}

/// A derived status.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedStatus {
    /// The JSON form of the `PodStatus`.
    pub status: Value,
    /// `status.phase`.
    pub phase: String,
    /// Runtime ids of all the pod's containers, newest first.
    pub container_ids: Vec<String>,
    /// `status.podIPs`.
    pub ips: Vec<String>,
}

impl DerivedStatus {
    /// The canonical encoding.
    ///
    /// # Errors
    /// A status that was given has a value that does not fit its field.
    pub fn to_wire(&self) -> Result<Vec<u8>, JsonError> {
        Ok(json::to_wire(id::POD_STATUS, &self.status)?.bytes)
    }
}

/// Derives the status of one pod.
#[must_use]
pub fn derive(input: &StatusInput<'_>) -> DerivedStatus {
    let instances = Instances::new(input.sandboxes, input.containers);
    let status = Value::Object(Deriver { input, instances: &instances }.status());
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let ips = status.get("podIPs").and_then(Value::as_array).into_iter().flatten().map(|ip| text(ip, "ip"));
    DerivedStatus {
        phase: text(&status, "phase"),
        container_ids: instances.containers().iter().map(|c| c.id.clone()).collect(),
        ips: ips.collect(),
        status,
    }
}
