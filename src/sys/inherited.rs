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
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let number = fd.as_raw_fd();
        let wrong = |what: &str| io::Error::other(format!("descriptor {number} is {what}"));
        if option(number, libc::SO_DOMAIN)? != libc::AF_UNIX || option(number, libc::SO_TYPE)? != libc::SOCK_STREAM {
            return Err(wrong("no unix stream socket"));
        }
        if option(number, libc::SO_ACCEPTCONN)? == 0 {
            return Err(wrong("not listening"));
        }
        let listener = UnixListener::from(fd);
        // The accept loop takes what is there and goes on; systemd's sockets block unless the unit says otherwise.
        listener.set_nonblocking(true)?;
        let path = listener.local_addr()?.as_pathname().map(|p| p.display().to_string());
        let path = path.unwrap_or_else(|| format!("descriptor {number}"));
        taken.push(Inherited { listener, path, name });
    }
    Ok(taken)
}

fn option(fd: RawFd, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` is a live integer and `len` its size.
    super::check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut len) })?;
    Ok(value)
}
