//! Who is at the other end of a UNIX socket, and what it sent first.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// Credentials of the process that connected, as the kernel noted them at connect(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCred {
    /// Process id, 0 where the process is in a process id namespace that we cannot see.
    pub pid: i32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

impl PeerCred {
    /// Reads SO_PEERCRED.
    ///
    /// # Errors
    /// What getsockopt(2) says.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let mut cred = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut len = mem::size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: the pointers are to live values of the type and length that SO_PEERCRED fills.
        super::check(unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut cred).cast(),
                &raw mut len,
            )
        })?;
        Ok(Self { pid: cred.pid, uid: cred.uid, gid: cred.gid })
    }
}

/// Supplementary groups of the process that connected, as the kernel noted them at connect(2) (Linux 4.13).
///
/// # Errors
/// What getsockopt(2) says.
pub fn groups(stream: &UnixStream) -> io::Result<Vec<u32>> {
    // Few are in more groups than this; the kernel says the length that it takes otherwise.
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let room = mem::size_of_val(groups.as_slice()) as libc::socklen_t;
        let mut len = room;
        // SAFETY: the pointer and the length are those of a live, writable slice of group ids.
        let result = super::check(unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut len,
            )
        });
        let count = len as usize / mem::size_of::<libc::gid_t>();
        match result {
            Ok(_) => {
                groups.truncate(count);
                return Ok(groups);
            }
            Err(e) if e.raw_os_error() == Some(libc::ERANGE) && len > room => groups.resize(count, 0),
            Err(e) => return Err(e),
        }
    }
}

impl fmt::Display for PeerCred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} of user {}", self.pid, self.uid)
    }
}

/// Looks at what has arrived without taking it away and without waiting. 0 means that the peer closed.
///
/// # Errors
/// What recv(2) says; `WouldBlock` where nothing has arrived.
pub fn peek(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of a live, writable slice.
    let n = unsafe {
        libc::recv(stream.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_PEEK | libc::MSG_DONTWAIT)
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_pair_is_ours_and_peeking_takes_nothing() {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        let cred = PeerCred::of(&a).unwrap();
        assert_eq!((cred.pid as u32, cred.uid), (std::process::id(), super::super::process::effective_uid()));
        // SAFETY: a size of 0 only asks for the number of groups.
        let ours = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
        assert_eq!(groups(&a).unwrap().len(), usize::try_from(ours).unwrap());
        let mut buffer = [0; 3];
        assert_eq!(peek(&b, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        a.write_all(b"PRI").unwrap();
        assert_eq!((peek(&b, &mut buffer).unwrap(), &buffer), (3, b"PRI"));
        assert_eq!(b.read(&mut buffer).unwrap(), 3);
        drop(a);
        assert_eq!(peek(&b, &mut buffer).unwrap(), 0);
    }
}
