//! What a container runtime shows, in plain values: the input of status derivation.
//!
//! Field meaning: `kubernetes/cri-api pkg/apis/runtime/v1/api.proto`. Times are nanoseconds since the epoch, 0 = never.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything the runtime holds at one moment. Unchanged sandboxes and containers are shared between polls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuntimeState {
    /// `runtime_name` of CRI Version: `containerd`, `cri-o`. Prefix of container ids.
    pub runtime_name: String,
    /// `runtime_version` of CRI Version.
    pub runtime_version: String,
    /// Conditions of CRI Status: `RuntimeReady`, `NetworkReady`.
    pub conditions: Vec<RuntimeCondition>,
    /// All sandboxes, ready or not, sorted by id.
    pub sandboxes: Vec<Arc<Sandbox>>,
    /// All containers in every state, sorted by id.
    pub containers: Vec<Arc<Container>>,
}

/// A condition that the runtime reports about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeCondition {
    /// `RuntimeReady` or `NetworkReady`.
    pub kind: String,
    /// Whether it holds.
    pub status: bool,
    /// Why not, in the runtime's words.
    pub reason: String,
    /// Detail, in the runtime's words.
    pub message: String,
}

/// A pod sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// The runtime's id.
    pub id: String,
    /// Name of the pod.
    pub name: String,
    /// Namespace of the pod.
    pub namespace: String,
    /// UID of the pod.
    pub uid: String,
    /// Grows with each sandbox made for the same pod.
    pub attempt: u32,
    /// SANDBOX_READY.
    pub ready: bool,
    /// Nanoseconds since the epoch.
    pub created_at: i64,
    /// The pod's labels when the sandbox was made, plus `io.kubernetes.pod.*`.
    pub labels: BTreeMap<String, String>,
    /// The pod's annotations when the sandbox was made.
    pub annotations: BTreeMap<String, String>,
    /// Primary address first; empty for host network and stopped sandboxes.
    pub ips: Vec<String>,
    /// The sandbox uses the node's network namespace (NamespaceMode NODE).
    pub host_network: bool,
    /// Name of the runtime handler, empty for the default.
    pub runtime_handler: String,
}

/// State of a container as CRI names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContainerState {
    /// CONTAINER_CREATED.
    Created,
    /// CONTAINER_RUNNING.
    Running,
    /// CONTAINER_EXITED.
    Exited,
    /// CONTAINER_UNKNOWN.
    #[default]
    Unknown,
}

/// A container (one instance; a restart makes another).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// The runtime's id.
    pub id: String,
    /// The sandbox it belongs to.
    pub sandbox_id: String,
    /// Name of the container in the pod spec.
    pub name: String,
    /// Attempt in CRI metadata; the kubelet writes its restart count.
    pub attempt: u32,
    /// State.
    pub state: ContainerState,
    /// Nanoseconds since the epoch.
    pub created_at: i64,
    /// Nanoseconds since the epoch, 0 before the start.
    pub started_at: i64,
    /// Nanoseconds since the epoch, 0 before the end.
    pub finished_at: i64,
    /// Exit code, meaningful once exited.
    pub exit_code: i32,
    /// It has exited, and the runtime has not told how: times, exit code, reason and message mean nothing.
    pub end_unknown: bool,
    /// ContainerStatus `image.image`.
    pub image: String,
    /// ContainerStatus `image_ref`.
    pub image_ref: String,
    /// Config digest of the image.
    pub image_id: String,
    /// The runtime's reason: `Completed`, `Error`, `OOMKilled`, `StartError`.
    pub reason: String,
    /// The runtime's message.
    pub message: String,
    /// `io.kubernetes.*` labels.
    pub labels: BTreeMap<String, String>,
    /// `io.kubernetes.container.*` annotations.
    pub annotations: BTreeMap<String, String>,
    /// Mounts with paths on the node.
    pub mounts: Vec<Mount>,
    /// Path of the log file on the node.
    pub log_path: String,
    /// Limits that the runtime applies.
    pub resources: Option<LinuxResources>,
    /// The user the first process runs as.
    pub user: Option<LinuxUser>,
    /// Name of the stop signal, empty where the runtime does not say.
    pub stop_signal: String,
    /// What the source read from the termination log (or from the container's log, as the policy says), raw and
    /// already cut to the kubelet's limit; empty while the container runs and where there is none.
    pub termination_log: Vec<u8>,
}

/// A mount of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Path in the container.
    pub container_path: String,
    /// Path on the node.
    pub host_path: String,
    /// Mounted read-only.
    pub readonly: bool,
    /// Recursively read-only.
    pub recursive_read_only: bool,
}

/// CRI `LinuxContainerResources`, as far as a status shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinuxResources {
    /// Microseconds.
    pub cpu_period: i64,
    /// Microseconds.
    pub cpu_quota: i64,
    /// Relative weight; 1024 is one CPU.
    pub cpu_shares: i64,
    /// Bytes.
    pub memory_limit_in_bytes: i64,
}

/// CRI `LinuxContainerUser`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinuxUser {
    /// User id.
    pub uid: i64,
    /// Primary group id.
    pub gid: i64,
    /// Supplemental group ids.
    pub supplemental_groups: Vec<i64>,
}
