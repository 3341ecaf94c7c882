//! A static pod manifest after it was read: the pod as the API server would have defaulted it, before the node's
//! name and UID are known.

pub mod bound;
mod duplicates;
mod read;
#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod rule_tests;

use std::sync::Arc;

use super::finding::Finding;

pub use duplicates::settle_duplicates;
pub use read::{read, read_list};

/// A pod that a manifest asks for. What depends on the node (name suffix, `nodeName`, UID, `config.*` annotations)
/// is added by the reconciler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `metadata.name` as written.
    pub name: String,
    /// `metadata.namespace`, `default` where none is written.
    pub namespace: String,
    /// `metadata.uid`, where the manifest fixes it.
    pub uid: Option<String>,
    /// The encoded `ObjectMeta` as written (namespace defaulted).
    pub metadata: Vec<u8>,
    /// The encoded `PodSpec` with the API defaults.
    pub spec: Vec<u8>,
}

/// What became of one file (or one item of a list behind a URL).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// The path or URL it came from.
    pub origin: String,
    /// The pod it asks for: of the current content, or of the last good content where the current one is broken.
    /// Shared: the source, the reconciler and the checkpoint keep one copy between them.
    pub pod: Option<Arc<Manifest>>,
    /// True where `pod` is the last good version of a file that is broken now.
    pub stale: bool,
    /// Errors and warnings of the current content.
    pub findings: Vec<Finding>,
}
