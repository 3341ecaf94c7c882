//! Why a server could not be started.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong while a socket or a server was set up.
#[derive(Debug)]
pub enum ServeError {
    /// Somebody serves on this path. `pid` is known where it is another nodepods.
    LiveServer {
        /// The socket.
        path: PathBuf,
        /// Process id of a nodepods that holds the lock file beside it.
        pid: Option<u32>,
    },
    /// Something that is no socket stands at the path; it is left alone.
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The path cannot be a socket address.
    BadPath {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file system or the kernel refused.
    Io {
        /// What was tried, as in "bind".
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What came back.
        source: io::Error,
    },
    /// The gRPC core could not be set up.
    Grpc {
        /// What came back.
        source: grpcio::Error,
    },
}

impl ServeError {
    /// For `map_err`: says what was tried on which path.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LiveServer { path, pid: Some(pid) } => {
                write!(
                    f,
                    "{}: nodepods already serves here (process {pid}); stop it or name another --socket",
                    path.display()
                )
            }
            Self::LiveServer { path, pid: None } => {
                write!(f, "{}: another server answers on this socket; stop it or name another --socket", path.display())
            }
            Self::NotASocket { path } => {
                write!(
                    f,
                    "{}: a file that is no socket is in the way; move it or name another --socket",
                    path.display()
                )
            }
            Self::BadPath { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::Io { doing, path, source } => write!(f, "{}: cannot {doing}: {source}", path.display()),
            Self::Grpc { source } => write!(f, "cannot start the gRPC server: {source}"),
        }
    }
}

impl std::error::Error for ServeError {}
