//! Where pods come from, how such a place is, and the mark of what we say about it in a pod.

use std::fmt;

/// Prefix of the annotations that are ours.
pub const OURS: &str = "nodepods.io/";

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
