//! Listening sockets that systemd opened for us (sd_listen_fds(3)).

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};

static TAKEN: AtomicBool = AtomicBool::new(false);

/// A listening socket that was passed on.
#[derive(Debug)]
pub struct Inherited {
    /// The socket.
    pub listener: UnixListener,
    /// Its path, for messages.
    pub path: String,
    /// What the unit calls it (`FileDescriptorName=`; systemd's default is the unit's name).
    pub name: String,
}

/// Takes over the sockets that were passed on. Only the first call finds any.
///
/// # Errors
/// What was passed on is not a listening unix stream socket, or the environment that says so is broken.
pub fn listeners() -> io::Result<Vec<Inherited>> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let mut taken = Vec::new();
    for (fd, name) in sd_notify::listen_fds_with_names()? {
        // SAFETY: the manager opened this descriptor for us before exec, LISTEN_PID says that it is meant for this
        // process, and TAKEN keeps anybody from taking it a second time.
        let listener = listening(unsafe { OwnedFd::from_raw_fd(fd) })?;
        let path = listener.local_addr()?.as_pathname().map(|p| p.display().to_string());
        let path = path.unwrap_or_else(|| format!("descriptor {fd}"));
        taken.push(Inherited { listener, path, name });
    }
    Ok(taken)
}

/// The listening unix stream socket that `fd` has to be.
fn listening(fd: OwnedFd) -> io::Result<UnixListener> {
    let wanted = [
        (libc::SO_DOMAIN, libc::AF_UNIX, "no unix stream socket"),
        (libc::SO_TYPE, libc::SOCK_STREAM, "no unix stream socket"),
        (libc::SO_ACCEPTCONN, 1, "not listening"),
    ];
    let number = fd.as_raw_fd();
    for (name, value, wrong) in wanted {
        if option(number, name)? != value {
            return Err(io::Error::other(format!("descriptor {number} is {wrong}")));
        }
    }
    let listener = UnixListener::from(fd);
    // The accept loop takes what is there and goes on; systemd's sockets block unless the unit says otherwise.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn option(fd: RawFd, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` is a live integer and `len` its size.
    super::check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut len) })?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use crate::testdir::TestDir;

    #[test]
    fn only_listening_unix_sockets_are_taken() {
        let dir = TestDir::new();
        let blocking = UnixListener::bind(dir.path("s")).unwrap();
        let ours = listening(blocking.into()).unwrap();
        assert_eq!(ours.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let refused = |fd: OwnedFd| listening(fd).unwrap_err().to_string();
        assert!(refused(UnixStream::pair().unwrap().0.into()).ends_with("is not listening"));
        assert!(refused(UnixDatagram::unbound().unwrap().into()).ends_with("is no unix stream socket"));
        assert!(refused(TcpListener::bind("127.0.0.1:0").unwrap().into()).ends_with("is no unix stream socket"));
    }
}
