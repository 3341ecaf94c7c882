//! What the sources are told at the start.

use std::path::PathBuf;
use std::time::Duration;

use super::http::url::Url;
use super::kubeconfig::Choice;
use super::url;
use crate::heartbeat::Heartbeats;

/// Where the runtime is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketChoice {
    /// Wherever the node's distribution has it, now or later.
    Auto,
    /// Not asked at all.
    None,
    /// At this socket and nowhere else.
    Unix(PathBuf),
}

/// Where a kubelet tells its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubeletChoice {
    /// On the socket of the node's distribution, now or later.
    Auto,
    /// Not asked at all.
    None,
    /// On the socket of its own Pods API.
    Unix(PathBuf),
    /// On its read-only port.
    Http(Url),
}

/// What the sources need to know.
#[derive(Clone, Debug)]
pub struct SourcesConfig {
    /// Directory or file with manifests; `None` takes the distribution's, now or later.
    pub manifest_path: Option<PathBuf>,
    /// Where the runtime is.
    pub runtime_endpoint: SocketChoice,
    /// The manifest URL; `None` asks none.
    pub manifest_url: Option<url::Options>,
    /// How the API server is reached; `None` leaves it alone.
    pub api_server: Option<Choice>,
    /// The node's name; `None` finds it out.
    pub hostname_override: Option<String>,
    /// Period of full manifest reads.
    pub file_check_frequency: Duration,
    /// Where a kubelet tells its pods.
    pub kubelet_endpoint: KubeletChoice,
    /// Period of polls of its read-only port.
    pub kubelet_poll_interval: Duration,
    /// The sockets that we serve on, so that none of them is taken for a kubelet's.
    pub own_sockets: Vec<PathBuf>,
    /// Period of runtime polls.
    pub cri_poll_interval: Duration,
    /// containerd's state directory, where it is not beside its socket.
    pub runtime_state_dir: Option<PathBuf>,
    /// Where the runtime keeps the logs of containers.
    pub pod_logs_dir: PathBuf,
    /// Where the node's files are: `/`, but for tests.
    pub root: PathBuf,
    /// Where the threads show that they live.
    pub heartbeats: Heartbeats,
}
