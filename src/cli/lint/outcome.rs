//! The pod that a kubelet makes of a manifest, as far as that can be told beforehand.

use serde_json::{json, Value};

use crate::cli::exit::Failure;
use crate::cli::objects;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::manifest::Manifest;
use crate::pod::source::SourceId;
use crate::pod::static_pod::{assemble, pod_name, StaticContext, CONFIG_HASH, CONFIG_SEEN};

/// Name and namespace of the pod, and what else is said about it in a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `default` where the manifest names none.
    pub namespace: String,
    /// With the node's name.
    pub name: String,
}

impl Outcome {
    /// What becomes of a manifest on a node.
    #[must_use]
    pub fn of(manifest: &Manifest, node: &str) -> Self {
        let node = if node.is_empty() { "NODE" } else { node };
        let name = manifest.name.clone();
        let name = if node == "NODE" { format!("{name}-{node}") } else { pod_name(&name, node) };
        Self { namespace: manifest.namespace.clone(), name }
    }
}

/// The pod with the API's defaults and the node's part. Left out is what only a kubelet can know: the time at which it
/// first sees the file, and a UID that the manifest does not fix.
///
/// # Errors
/// None in practice: what was read from a manifest can be printed.
pub fn pod(manifest: &Manifest, node: &str) -> Result<Value, Failure> {
    let uid = manifest.uid.as_deref().unwrap_or_default();
    let context = StaticContext { node_name: node, uid, source: SourceId::File, seen: "", annotations: &[] };
    let sections = assemble(manifest, &context);
    let mut pod = objects::value(&PodBytes::from_sections(&sections.metadata, &sections.spec, &[], &[]))?;
    if let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(CONFIG_SEEN);
        if uid.is_empty() {
            annotations.remove(CONFIG_HASH);
        }
    }
    if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("name".into(), Outcome::of(manifest, node).name.into());
    }
    if let Some(object) = pod.as_object_mut() {
        object.insert("status".into(), json!({ "phase": "Pending" }));
    }
    Ok(pod)
}
