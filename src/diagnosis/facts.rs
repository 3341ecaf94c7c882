//! What is known beside the pods, in plain values.

use std::collections::BTreeMap;

use crate::pod::observed::RuntimeCondition;
use crate::pod::source::HealthState;

/// What is known of the machine, the runtime and the sources. What could not be found out is absent.
#[derive(Clone, Debug, Default)]
pub struct NodeFacts {
    /// The node's name.
    pub name: String,
    /// Logical processors.
    pub cpus: Option<u64>,
    /// `MemTotal` of `/proc/meminfo`, in bytes.
    pub memory_total: Option<u64>,
    /// `MemAvailable` of `/proc/meminfo`, in bytes.
    pub memory_available: Option<u64>,
    /// Whether a kubelet's process is there; absent where processes cannot be seen.
    pub kubelet_runs: Option<bool>,
    /// As Go names it: `amd64`, `arm64`.
    pub architecture: &'static str,
    /// File systems that a kubelet watches.
    pub disks: Vec<Disk>,
    /// What the runtime says of itself.
    pub runtime: Vec<RuntimeCondition>,
    /// How the daemon's sources are; empty where the daemon does not say.
    pub sources: Vec<SourceFact>,
}

/// How full a file system is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// A path on it.
    pub path: String,
    /// What lies there, in a person's words.
    pub holds: &'static str,
    /// Bytes that are free for everybody.
    pub available: u64,
    /// Bytes in all.
    pub total: u64,
    /// Free inodes.
    pub inodes_free: u64,
    /// Inodes in all; 0 where the file system does not count them.
    pub inodes: u64,
    /// Free space in percent below which a kubelet evicts.
    pub limit_percent: u64,
}

/// How one source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFact {
    /// `file`, `http`, `cri`, `apiserver`, `kubelet`, `checkpoint`.
    pub name: String,
    /// Its state.
    pub state: HealthState,
    /// Path, socket or URL.
    pub target: String,
    /// What is wrong; empty while nothing is.
    pub error: String,
    /// Since when, in seconds since the epoch; 0 where that is not known.
    pub since: i64,
}

/// What was looked up for one pod. What could not be looked up is absent.
#[derive(Clone, Debug, Default)]
pub struct PodFacts {
    /// Whether the runtime has an image, by the name in the spec.
    pub images: BTreeMap<String, ImageFact>,
    /// What is at the host's paths that the pod mounts.
    pub host_paths: BTreeMap<String, FileKind>,
    /// Ends of logs.
    pub logs: Vec<LogTail>,
}

/// Whether the runtime has an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFact {
    /// It has.
    Present,
    /// It has not.
    Missing,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// Something else.
    Other,
}

/// The end of the log of one instance of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// The container.
    pub container: String,
    /// The file it was read from.
    pub path: String,
    /// The last lines, oldest first.
    pub lines: Vec<String>,
    /// Why there are none.
    pub error: String,
}
