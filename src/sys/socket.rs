//! UNIX sockets with a mode from birth.

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Longest path that fits into a socket address, in bytes, beside its terminating NUL.
pub const MAX_PATH: usize = 107;

/// Makes a listening socket at `path` whose file never has a bit of permission beyond `mode` (less the umask), not
/// even for a moment: the mode is set on the descriptor before bind(2) makes the file.
///
/// A path longer than [`MAX_PATH`] is reached through a descriptor of its directory, so that a temporary name may be
/// longer than the name it is renamed to. The socket does not block.
///
/// # Errors
/// What the system calls say; `AddrInUse` where something is at `path`.
pub fn listen(path: &Path, mode: u32, backlog: i32) -> io::Result<UnixListener> {
    let fd = stream_socket()?;
    // SAFETY: `fd` is open; fchmod takes no memory.
    super::check(unsafe { libc::fchmod(fd.as_raw_fd(), mode as libc::mode_t) })?;
    let directory; // open until bind has used the path through it
    let address = if path.as_os_str().len() <= MAX_PATH {
        address(path)?
    } else {
        let (parent, name) = path.parent().zip(path.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
        directory = File::open(parent)?;
        address(&Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name))?
    };
    // SAFETY: the pointer and length are those of a live `sockaddr_un`.
    super::check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), ADDRESS_LEN) })?;
    // SAFETY: `fd` is a bound socket; listen takes no memory.
    super::check(unsafe { libc::listen(fd.as_raw_fd(), backlog) })?;
    Ok(UnixListener::from(fd))
}

/// What a connection attempt to a path found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Somebody listens there, even if nobody accepts at the moment.
    Live,
    /// A socket that nobody listens on.
    Stale,
    /// Nothing.
    Missing,
}

/// Connects to `path` and hangs up: does anybody listen there? Does not wait.
///
/// # Errors
/// What connect(2) says where that decides nothing, such as EACCES.
pub fn probe(path: &Path) -> io::Result<Probe> {
    match connect(path) {
        Ok(_) => Ok(Probe::Live),
        Err(e) => match e.raw_os_error() {
            Some(libc::ECONNREFUSED) => Ok(Probe::Stale),
            Some(libc::ENOENT) => Ok(Probe::Missing),
            // A full backlog, or a socket of another type: somebody's all the same.
            Some(libc::EAGAIN | libc::EPROTOTYPE) => Ok(Probe::Live),
            _ => Err(e),
        },
    }
}

/// Connects to `path`, without waiting: a server that is stopped accepts nobody, and lets clients wait for ever once
/// its backlog is full. The stream does not block either.
///
/// # Errors
/// What connect(2) says; `WouldBlock` where the backlog is full.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let fd = stream_socket()?;
    let address = address(path)?;
    // SAFETY: the pointer and length are those of a live `sockaddr_un`.
    super::check(unsafe { libc::connect(fd.as_raw_fd(), (&raw const address).cast(), ADDRESS_LEN) })?;
    Ok(UnixStream::from(fd))
}

const ADDRESS_LEN: libc::socklen_t = mem::size_of::<libc::sockaddr_un>() as libc::socklen_t;

fn stream_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: socket takes numbers only.
    let fd = super::check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn address(path: &Path) -> io::Result<libc::sockaddr_un> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_PATH || bytes.contains(&0) {
        let message = format!("{} is no socket path: 1 to {MAX_PATH} bytes are allowed", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut sun_path = [0; MAX_PATH + 1];
    for (to, from) in sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    Ok(libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn mode_and_probe() {
        let dir = TestDir::new();
        let path = dir.path("s");
        assert_eq!(probe(&path).unwrap(), Probe::Missing);
        let listener = listen(&path, 0o600, 8).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(probe(&path).unwrap(), Probe::Live);
        assert_eq!(listen(&path, 0o600, 8).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert_eq!(probe(&path).unwrap(), Probe::Stale);
    }

    #[test]
    fn a_long_path_is_reached_through_its_directory() {
        let dir = TestDir::new();
        let path = dir.path(&"x".repeat(MAX_PATH - 20));
        assert!(path.as_os_str().len() > MAX_PATH);
        listen(&path, 0o600, 8).unwrap();
        assert_eq!(listen(&path, 0o600, 8).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(probe(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
