//! The immutable state that readers see.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::update::{Health, HealthState, SourceId};
use crate::codec::pod_bytes::PodBytes;
use crate::codec::time::Time;
use crate::pod::finding::Finding;
use crate::pod::instance::Instance;
use crate::pod::observed::RuntimeCondition;

/// Which pod it is: all that is left to say once it is gone. Apart from [`PodEntry`], so that a watcher that
/// remembers what it sent holds no pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodId {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// A container or a sandbox in the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeId {
    /// Its id, without `containerd://` in front.
    pub id: String,
    /// The container's name in the pod; empty for a sandbox.
    pub name: String,
}

/// One pod as it is served, with the strings that readers look it up by.
#[derive(Debug, PartialEq, Eq)]
pub struct PodEntry {
    /// UID, namespace and name; shared by all versions of the pod.
    pub id: Arc<PodId>,
    /// `status.phase`.
    pub phase: String,
    /// What the runtime has of it: containers, newest instance first, then its sandbox.
    pub container_ids: Vec<RuntimeId>,
    /// Its own addresses (`status.podIPs`).
    pub ips: Vec<String>,
    /// Revision of the last change of this pod.
    pub revision: u64,
    /// The encoded pod.
    pub bytes: PodBytes,
}

/// What the runtime says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeFacts {
    /// `runtime_name` of CRI Version.
    pub name: String,
    /// `runtime_version` of CRI Version.
    pub version: String,
    /// The conditions of CRI Status.
    pub conditions: Vec<RuntimeCondition>,
}

/// Ended instances by the UID of their pod; sorted by container, then by their end. Of one container the newest
/// [`MOST_ENDED`](crate::pod::instance::MOST_ENDED).
pub type Ended = BTreeMap<String, Arc<[Instance]>>;

/// All pods at one revision, sorted by UID.
#[derive(Debug)]
pub struct Snapshot {
    /// Revision of the last change; only grows, over restarts too.
    pub revision: u64,
    /// How many there were before it in this store: tells how many a reader has passed over.
    pub number: u64,
    /// Whether the node is known: until then every method answers FAILED_PRECONDITION.
    pub initialized: bool,
    /// Whether it is a part of the node's pods, and nothing else of the node: what a narrow socket shows.
    pub narrow: bool,
    /// Sources that were waited for in vain (`--init-timeout`): the answer is incomplete without them.
    pub incomplete: Vec<SourceId>,
    /// The node's name, empty until it is known.
    pub node_name: String,
    /// Where the node's name came from, in a person's words.
    pub node_name_from: String,
    /// The pods, sorted by UID.
    pub pods: Vec<Arc<PodEntry>>,
    /// How each source is, in the order of [`SourceId`].
    pub sources: Vec<(SourceId, Health)>,
    /// Pods that each source has. Of the checkpoint: pods that are served out of it.
    pub held: BTreeMap<SourceId, usize>,
    /// The runtime, once it has answered.
    pub runtime: Option<Arc<RuntimeFacts>>,
    /// Findings of all manifests, in file order.
    pub findings: Arc<[Finding]>,
    /// Instances of containers that have ended.
    pub ended: Arc<Ended>,
}

impl Snapshot {
    /// What is served before anything is known.
    #[must_use]
    pub fn empty(revision: u64) -> Self {
        Self {
            revision,
            number: 0,
            initialized: false,
            narrow: false,
            incomplete: Vec::new(),
            node_name: String::new(),
            node_name_from: String::new(),
            pods: Vec::new(),
            sources: Vec::new(),
            held: BTreeMap::new(),
            runtime: None,
            findings: Arc::default(),
            ended: Arc::default(),
        }
    }

    /// The remembered instances of this pod's containers that have ended.
    #[must_use]
    pub fn ended(&self, uid: &str) -> &[Instance] {
        self.ended.get(uid).map(AsRef::as_ref).unwrap_or_default()
    }

    /// Sources that answered before and do not now, and since when: their last pods are served.
    pub fn stale(&self) -> impl Iterator<Item = (SourceId, Time)> + '_ {
        let down = self.sources.iter().filter(|(_, health)| health.state == HealthState::Down);
        down.map(|(id, health)| (*id, health.since.into()))
    }

    /// The pod with this UID.
    #[must_use]
    pub fn by_uid(&self, uid: &str) -> Option<&Arc<PodEntry>> {
        let at = self.pods.binary_search_by(|p| p.id.uid.as_str().cmp(uid)).ok()?;
        self.pods.get(at)
    }
}
