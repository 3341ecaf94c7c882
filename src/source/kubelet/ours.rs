//! Is it a kubelet that answers, or ourselves?

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::sys::peer::PeerCred;
use crate::sys::socket;

/// Who answers on a socket.
#[derive(Debug)]
pub(super) enum Answers {
    /// Somebody else.
    Other,
    /// This process.
    Ourselves,
    /// Nobody: no such socket, nothing behind it, or no way to it.
    Nobody(io::Error),
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other => f.write_str("another program answers"),
            Self::Ourselves => f.write_str("we answer there ourselves"),
            Self::Nobody(e) => write!(f, "nobody answers: {e}"),
        }
    }
}

/// Connects to find out. `own` are the paths that this process serves on: behind a socket that systemd passed on, the
/// kernel names systemd and not us. Does not wait: one that accepts nobody counts as nobody.
pub(super) fn who(path: &Path, own: &[PathBuf]) -> Answers {
    let id = |path: &Path| fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    let same = |socket: &PathBuf| id(path).is_some_and(|there| id(socket) == Some(there));
    if own.iter().any(same) {
        return Answers::Ourselves;
    }
    match socket::connect(path).and_then(|stream| PeerCred::of(&stream)) {
        Ok(peer) if u32::try_from(peer.pid) == Ok(std::process::id()) => Answers::Ourselves,
        Ok(_) => Answers::Other,
        Err(e) => Answers::Nobody(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;
    use std::os::unix::net::UnixListener;

    #[test]
    fn ourselves_by_process_and_by_file() {
        let dir = TestDir::new();
        let socket = dir.path("s");
        assert!(matches!(who(&socket, &[]), Answers::Nobody(_)));
        let listener = UnixListener::bind(&socket).unwrap();
        assert!(matches!(who(&socket, &[]), Answers::Ourselves));
        drop(listener);
        assert!(matches!(who(&socket, &[]), Answers::Nobody(_)), "it is not ours any more");
        let link = dir.path("link");
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        assert!(matches!(who(&link, &[dir.path("none"), socket]), Answers::Ourselves));
    }

    #[test]
    fn a_kubelet_that_is_stopped_is_not_waited_for() {
        let dir = TestDir::new();
        let path = dir.path("s");
        let _stopped = socket::listen(&path, 0o600, 1).unwrap();
        let _waiting: Vec<_> = std::iter::from_fn(|| socket::connect(&path).ok()).collect();
        let (tell, told) = crossbeam_channel::bounded(1);
        std::thread::spawn(move || tell.send(who(&path, &[])));
        let told = told.recv_timeout(std::time::Duration::from_secs(10)).expect("an answer");
        assert!(matches!(told, Answers::Nobody(e) if e.kind() == io::ErrorKind::WouldBlock));
    }
}
