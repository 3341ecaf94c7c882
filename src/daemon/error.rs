//! Why the daemon cannot start.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::files::tree::TreeError;
use crate::harden::HardenError;
use crate::serve::ServeError;

/// What was tried while the daemon was put together, and what came of it.
#[derive(Debug)]
pub enum DaemonError {
    /// Signals cannot be blocked.
    Signals {
        /// What the kernel said.
        source: io::Error,
    },
    /// A measure of the hardening.
    Harden(HardenError),
    /// The group of a narrow socket cannot be found.
    Group {
        /// Its name.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// A socket or the server.
    Serve(ServeError),
    /// Sockets passed on by systemd cannot be used.
    Inherited {
        /// What is wrong with them.
        source: io::Error,
    },
    /// The state directory cannot be made or used.
    StateDir {
        /// The directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The port for metrics cannot be had.
    MetricsListen {
        /// The address and port.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The directory for pods as files cannot be kept.
    DownwardDir(TreeError),
    /// A thread cannot be started.
    Thread {
        /// Its name.
        name: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

impl fmt::Display for DaemonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signals { source } => write!(f, "cannot block signals: {source}"),
            Self::Harden(e) => e.fmt(f),
            Self::Group { name, source } if source.kind() == io::ErrorKind::NotFound => {
                write!(f, "narrow-socket: there is no group {name}; make it (groupadd --system {name}) or name another")
            }
            Self::Group { name, source } => write!(f, "narrow-socket: cannot look up the group {name}: {source}"),
            Self::Serve(e) => e.fmt(f),
            Self::Inherited { source } => write!(f, "cannot use the sockets that systemd passed on: {source}"),
            Self::StateDir { path, source } => {
                write!(f, "cannot keep state in {}: {source}; name another --state-dir, or none", path.display())
            }
            Self::MetricsListen { address, source } => {
                write!(f, "cannot serve metrics on {address}: {source}; name another --metrics-listen")
            }
            Self::DownwardDir(e) => write!(f, "cannot keep pods as files in {e}; name another --downward-dir"),
            Self::Thread { name, source } => write!(f, "cannot start the thread {name}: {source}"),
        }
    }
}

impl std::error::Error for DaemonError {}

impl From<ServeError> for DaemonError {
    fn from(e: ServeError) -> Self {
        Self::Serve(e)
    }
}
