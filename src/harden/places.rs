//! What Landlock grants.

use std::path::PathBuf;

/// What is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Directories and files that are read.
    pub read: Vec<PathBuf>,
    /// Directories in which files and sockets are made, renamed and removed.
    pub write: Vec<PathBuf>,
    /// A source asks over TCP.
    pub connects: bool,
    /// Something listens on TCP.
    pub listens: bool,
}
