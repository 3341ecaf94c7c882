//! What can be wrong with the checkpoint's file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::store::checkpoint::{CheckpointError, MAX_BYTES};

/// What was tried on the file, and what came of it. None of these stops the daemon.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Others could have written it.
    Untrusted {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// It was read and is no checkpoint that this program understands.
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
        /// Where it was put aside, if that was possible.
        aside: Option<PathBuf>,
    },
    /// It cannot be written.
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// What was tried: `create`, `write`, `sync`, `rename`.
        step: &'static str,
        /// What the file system said.
        source: io::Error,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => {
                write!(f, "{}: cannot be read: {source}; starting without it", path.display())
            }
            Self::Untrusted { path, problem } => write!(f, "{}: not used: {problem}", path.display()),
            Self::Content { path, source, aside } => {
                write!(f, "{}: not used: {source}; starting without it", path.display())?;
                match aside {
                    Some(aside) => write!(f, ", and it was put aside as {}", aside.display()),
                    None => f.write_str("; the next checkpoint replaces it"),
                }
            }
            Self::Write { path, step, source } => {
                write!(f, "{}: cannot {step} it: {source}; {}", path.display(), advice(source))
            }
        }
    }
}

fn advice(e: &io::Error) -> &'static str {
    match e.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => "free some space there, or name another --state-dir, or none",
        Some(libc::EROFS) => "the file system is read-only: name another --state-dir, or none",
        _ => "make its directory writable for us, or name another --state-dir, or none",
    }
}

impl std::error::Error for FileError {}

/// The text for a file of more than [`MAX_BYTES`].
pub(super) fn too_large() -> String {
    format!("it is larger than {} MiB; remove it", MAX_BYTES >> 20)
}
