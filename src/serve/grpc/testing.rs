//! Pods for tests.

use std::sync::Arc;

use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire;
use crate::store::snapshot::{PodEntry, PodId, Snapshot};

/// A pod with this UID (and name), whose bytes carry the revision.
pub(crate) fn entry(uid: &str, revision: u64) -> Arc<PodEntry> {
    let id = PodId { uid: uid.into(), namespace: "default".into(), name: uid.into() };
    let mut metadata = Vec::new();
    wire::put_bytes(&mut metadata, 1, id.name.as_bytes());
    wire::put_bytes(&mut metadata, 3, id.namespace.as_bytes());
    wire::put_bytes(&mut metadata, 5, id.uid.as_bytes());
    wire::put_bytes(&mut metadata, 6, revision.to_string().as_bytes());
    Arc::new(PodEntry {
        id: Arc::new(id),
        phase: "Running".into(),
        container_ids: Vec::new(),
        ips: Vec::new(),
        revision,
        bytes: PodBytes::from_sections(&metadata, b"", b"", b""),
    })
}

/// A known node with these pods.
pub(crate) fn snapshot(revision: u64, pods: &[&Arc<PodEntry>]) -> Snapshot {
    let pods = pods.iter().map(|p| Arc::clone(p)).collect();
    Snapshot { initialized: true, pods, ..Snapshot::empty(revision) }
}
