//! What sources tell the reconciler: whole, typed states, and how the source itself is.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::codec::pod_bytes::PodBytes;
use crate::pod::manifest::ManifestFile;
use crate::pod::observed::RuntimeState;

/// Where pods come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// Static pod manifests in a directory or file.
    File,
    /// A manifest URL.
    Http,
    /// The container runtime.
    Runtime,
    /// The API server.
    ApiServer,
    /// A kubelet's own Pods API or its read-only port.
    Kubelet,
    /// The last known good state on disk.
    Checkpoint,
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Http => "http",
            Self::Runtime => "cri",
            Self::ApiServer => "apiserver",
            Self::Kubelet => "kubelet",
            Self::Checkpoint => "checkpoint",
        })
    }
}

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

/// State of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthState {
    /// Not configured and not found: nothing is expected from it.
    Absent,
    /// It has not answered yet.
    Starting,
    /// It answers.
    Up,
    /// It answered before and does not now; its last known state is served.
    Down,
    /// Deliberately at rest (the API server while a kubelet source is healthy).
    Resting,
}
