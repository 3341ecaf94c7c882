//! One listed pod: what it is made of, and the making of it.

use std::sync::Arc;

use super::declared::Declared;
use super::object_meta::{marked, Deletion};
use super::remote::RemotePod;
use super::runtime_view::RuntimePod;
use super::snapshot::{PodEntry, PodId, RuntimeId};
use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::codec::time::Time;
use crate::codec::wire::{self, Value};
use crate::pod::observed::{Container, Sandbox};
use crate::pod::runtime_pod;
use crate::pod::spec::PodSpecView;
use crate::pod::static_pod::{assemble, StaticContext};
use crate::pod::status::admission::NodeFacts;
use crate::pod::status::{derive, DerivedStatus, PodKind, StatusInput};

/// A status given by a kubelet may name containers that the last poll of the runtime did not show yet. After this
/// time it is looked at again even if nothing has changed.
const SECOND_LOOK_MS: u64 = 11_000;

/// Where metadata and spec come from.
#[derive(Clone, Debug)]
pub enum Body {
    /// A manifest.
    Manifest(Arc<Declared>),
    /// A source that has whole pods.
    Remote(Arc<RemotePod>),
    /// The runtime alone.
    Runtime,
}

/// Everything that one served pod is made of. Equal inputs make equal bytes.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// UID, namespace and name.
    pub id: PodId,
    /// Metadata and spec.
    pub body: Body,
    /// How the pod came to this node.
    pub kind: PodKind,
    /// Our annotations.
    pub ours: Vec<(String, String)>,
    /// Annotation `kubernetes.io/config.seen` of a static pod.
    pub seen: String,
    /// When its source gave it up, in milliseconds since the epoch.
    pub gone_ms: Option<u64>,
    /// What the runtime has of it.
    pub runtime: Option<Arc<RuntimePod>>,
    /// Whose status is the base of ours.
    pub base: Option<Arc<RemotePod>>,
    /// A former pod of this name is still in the runtime: a kubelet may be waiting for its end.
    pub held_back: bool,
}

impl Inputs {
    /// Whether both make the same pod. Costs a few comparisons of pointers for a pod that did not change.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let bodies = match (&self.body, &other.body) {
            (Body::Manifest(a), Body::Manifest(b)) => Arc::ptr_eq(a, b),
            (Body::Remote(a), Body::Remote(b)) => Arc::ptr_eq(a, b),
            (Body::Runtime, Body::Runtime) => true,
            _ => false,
        };
        let runtimes = match (&self.runtime, &other.runtime) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a.same(b),
            (None, None) => true,
            _ => false,
        };
        let bases = match (&self.base, &other.base) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        bodies
            && runtimes
            && bases
            && (&self.id, &self.ours, &self.seen) == (&other.id, &other.ours, &other.seen)
            && (self.kind, self.gone_ms, self.held_back) == (other.kind, other.gone_ms, other.held_back)
    }
}

/// What is the same for all pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The node.
    pub node: NodeFacts,
    /// `runtime_name` of CRI Version.
    pub runtime_name: String,
    /// Whether the runtime has answered.
    pub runtime_seen: bool,
}

/// A pod in the list.
#[derive(Debug)]
pub struct Record {
    /// What `entry` was made of.
    pub inputs: Inputs,
    /// When it was last alive in the runtime (`Now::steady_ms`); 0 if it never was.
    pub alive_ms: u64,
    /// When it has to be made again although its inputs are the same; 0 for never.
    pub second_look_ms: u64,
    /// As it is served.
    pub entry: Arc<PodEntry>,
}

impl Record {
    /// Whether it is time for the second look.
    #[must_use]
    pub fn is_due(&self, steady_ms: u64) -> bool {
        self.second_look_ms != 0 && steady_ms >= self.second_look_ms
    }
}

/// When a pod made of these inputs now has to be made again; 0 for never.
#[must_use]
pub fn second_look(inputs: &Inputs, steady_ms: u64) -> u64 {
    inputs.base.as_ref().map_or(0, |_| steady_ms.saturating_add(SECOND_LOOK_MS))
}

/// Makes the pod. `previous` is its last known status, encoded. The revision of the result is 0.
#[must_use]
pub fn make(inputs: &Inputs, around: &Surroundings, previous: Option<&[u8]>, now_ms: u64) -> PodEntry {
    let (metadata, spec, unknown) = sections(inputs, around);
    let deletion = inputs.gone_ms.map(|ms| Deletion { at: seconds(ms), grace_seconds: grace_seconds(&spec) });
    let metadata = marked(&metadata, &inputs.ours, deletion);
    let view = match inputs.body {
        Body::Runtime => None,
        Body::Manifest(_) | Body::Remote(_) => PodSpecView::from_wire(&metadata, &spec).ok(),
    };
    let status_json = |bytes: &[u8]| json::from_wire(id::POD_STATUS, bytes).ok();
    let base = inputs.base.as_ref().and_then(|b| status_json(b.bytes.status()));
    let previous_json = previous.and_then(status_json);
    let (sandboxes, containers) =
        inputs.runtime.as_ref().map_or((&[][..], &[][..]), |r| (r.sandboxes.as_slice(), r.containers.as_slice()));
    let derived = derive(&StatusInput {
        spec: view.as_ref(),
        kind: inputs.kind,
        sandboxes,
        containers,
        runtime_name: &around.runtime_name,
        runtime_seen: around.runtime_seen,
        base: base.as_ref(),
        previous: previous_json.as_ref(),
        terminating: inputs.gone_ms.is_some(),
        held_back: inputs.held_back,
        node: &around.node,
        now: seconds(now_ms),
        first_seen: first_seen(inputs, now_ms),
    });
    // A status that cannot be written (one that was given has rubbish in it) leaves the last one standing.
    let status = derived.to_wire().unwrap_or_else(|_| previous.unwrap_or_default().to_vec());
    let DerivedStatus { phase, container_ids, ips, .. } = derived;
    let container_ids = runtime_ids(container_ids, sandboxes, containers);
    let bytes = PodBytes::from_sections(&metadata, &spec, &status, &unknown);
    PodEntry { id: Arc::new(inputs.id.clone()), phase, container_ids, ips, revision: 0, bytes }
}

/// Containers in the order of `ids`, then the sandboxes that are up: one that is not says nothing about today's pod.
fn runtime_ids(ids: Vec<String>, sandboxes: &[Arc<Sandbox>], containers: &[Arc<Container>]) -> Vec<RuntimeId> {
    let name = |id: &str| containers.iter().find(|c| c.id == id).map(|c| c.name.clone()).unwrap_or_default();
    let of_containers = ids.into_iter().map(|id| RuntimeId { name: name(&id), id });
    let up = sandboxes.iter().filter(|s| s.ready).map(|s| RuntimeId { id: s.id.clone(), name: String::new() });
    of_containers.chain(up).collect()
}

fn sections(inputs: &Inputs, around: &Surroundings) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    match &inputs.body {
        Body::Manifest(declared) => {
            let context = StaticContext {
                node_name: &around.node.name,
                uid: &inputs.id.uid,
                source: declared.source,
                seen: &inputs.seen,
                annotations: &inputs.ours,
            };
            let sections = assemble(&declared.manifest, &context);
            (sections.metadata, sections.spec, Vec::new())
        }
        Body::Remote(remote) => {
            let bytes = &remote.bytes;
            (bytes.metadata().to_vec(), bytes.spec().to_vec(), bytes.unknown().to_vec())
        }
        Body::Runtime => {
            let made = inputs.runtime.as_deref().and_then(|pod| {
                runtime_pod::sections(&pod.sandboxes, &pod.containers, &around.node.name, &inputs.ours)
            });
            made.map(|s| (s.metadata, s.spec, Vec::new())).unwrap_or_default()
        }
    }
}

/// Seconds since the epoch: when the manifest was first seen, or when the first sandbox was made.
fn first_seen(inputs: &Inputs, now_ms: u64) -> i64 {
    let made = || {
        let oldest = inputs.runtime.as_ref()?.sandboxes.iter().map(|s| s.created_at).min()?;
        Some(oldest / 1_000_000_000)
    };
    let seen = Time::parse(&inputs.seen).map(Time::unix);
    seen.or_else(made).unwrap_or_else(|| seconds(now_ms))
}

/// `terminationGracePeriodSeconds` of an encoded spec, or Kubernetes' default. A negative one means a second.
fn grace_seconds(spec: &[u8]) -> i64 {
    const TERMINATION_GRACE_PERIOD_SECONDS: u32 = 4;
    let last = wire::fields(spec)
        .map_while(Result::ok)
        .filter(|f| f.number == TERMINATION_GRACE_PERIOD_SECONDS)
        .filter_map(|f| if let Value::Varint(n) = f.value { Some(i64::try_from(n).unwrap_or(1)) } else { None })
        .last();
    last.unwrap_or(30)
}

fn seconds(ms: u64) -> i64 {
    i64::try_from(ms / 1000).unwrap_or(i64::MAX)
}
