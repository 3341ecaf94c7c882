//! What sources tell the reconciler: whole, typed states, and how the source itself is.

use std::sync::Arc;
use std::time::SystemTime;

use crate::codec::pod_bytes::PodBytes;
use crate::pod::manifest::ManifestFile;
use crate::pod::observed::RuntimeState;

pub use crate::pod::source::{HealthState, SourceId};

/// One message from a source. Each carries the whole of what the source knows, so that a lost or merged message
/// costs nothing but time.
#[derive(Clone, Debug)]
pub enum Update {
    /// Everything the manifest directory (or URL) holds now, in name order. `source` is `File` or `Http`.
    Manifests {
        /// `File` or `Http`.
        source: SourceId,
        /// One entry a file, broken ones included.
        files: Vec<ManifestFile>,
    },
    /// Everything the runtime holds now.
    Runtime(Arc<RuntimeState>),
    /// Every pod the source has for this node, canonical. `source` is `ApiServer`, `Kubelet` or `Checkpoint`.
    Pods {
        /// `ApiServer`, `Kubelet` or `Checkpoint`.
        source: SourceId,
        /// The pods.
        pods: Vec<PodBytes>,
    },
    /// The health of a source changed.
    Health(SourceId, Health),
    /// The node's name was found, or found in a better place.
    NodeName {
        /// The name, unchanged case.
        name: String,
        /// Where it came from, in a person's words.
        from: String,
    },
}

/// How a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Working, looking for its counterpart, or failing.
    pub state: HealthState,
    /// Since when it is in this state.
    pub since: SystemTime,
    /// The last error in a person's words; empty while healthy.
    pub error: String,
    /// What it reads: a path, socket or URL (without credentials); empty while nothing was found.
    pub target: String,
}
