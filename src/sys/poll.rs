//! Waiting for several descriptors at once.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// What is waited for on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something can be read, or the other end has closed or is broken.
    Input,
    /// The other end is gone altogether. Input that waits is no matter.
    HangUp,
}

/// Waits until one of `fds` can be read (or is closed or broken), or until `timeout` has passed; `None` waits for
/// ever. Returns one answer for each descriptor, in order. A signal ends the wait early with nothing ready.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn readable(fds: &[BorrowedFd<'_>], timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    let polled = fds.iter().map(|fd| request(fd, libc::POLLIN)).collect();
    wait(polled, timeout)
}

/// As [`readable`], with an interest for each descriptor.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn ready(fds: &[(BorrowedFd<'_>, Interest)], timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    let events = |interest: Interest| if interest == Interest::Input { libc::POLLIN } else { 0 };
    let polled = fds.iter().map(|(fd, interest)| request(fd, events(*interest))).collect();
    wait(polled, timeout)
}

/// Waits until `fd` takes data, or is broken. False where the time is up.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn writable(fd: BorrowedFd<'_>, timeout: Duration) -> io::Result<bool> {
    Ok(wait(vec![request(&fd, libc::POLLOUT)], Some(timeout))?.contains(&true))
}

fn request(fd: &BorrowedFd<'_>, events: libc::c_short) -> libc::pollfd {
    libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }
}

fn wait(mut polled: Vec<libc::pollfd>, timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    // Rounded up, so that a wait never ends just before the deadline and spins.
    let millis = timeout.map_or(-1, |t| i32::try_from(t.as_micros().div_ceil(1000)).unwrap_or(i32::MAX));
    // SAFETY: pointer and length are those of a live vector; the descriptors are borrowed by the callers for the whole
    // call.
    let result = super::check(unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, millis) });
    match result {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(vec![false; polled.len()]),
        Err(e) => Err(e),
        Ok(_) => Ok(polled.iter().map(|p| p.revents != 0).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn says_which_one_is_ready() {
        let ((mut a, b), (_c, d)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let fds = [b.as_fd(), d.as_fd()];
        assert_eq!(readable(&fds, Some(Duration::ZERO)).unwrap(), [false, false]);
        a.write_all(b"x").unwrap();
        assert_eq!(readable(&fds, None).unwrap(), [true, false]);
    }

    #[test]
    fn hanging_up_is_told_from_input() {
        let (mut a, b) = UnixStream::pair().unwrap();
        a.write_all(b"x").unwrap();
        let fds = [(b.as_fd(), Interest::HangUp), (b.as_fd(), Interest::Input)];
        assert_eq!(ready(&fds, Some(Duration::ZERO)).unwrap(), [false, true]);
        drop(a);
        assert_eq!(ready(&fds, None).unwrap(), [true, true]);
    }

    #[test]
    fn a_full_socket_takes_nothing() {
        let (mut a, _b) = UnixStream::pair().unwrap();
        assert!(writable(a.as_fd(), Duration::ZERO).unwrap());
        a.set_nonblocking(true).unwrap();
        while a.write(&[0; 4096]).is_ok() {}
        assert!(!writable(a.as_fd(), Duration::ZERO).unwrap());
    }
}
