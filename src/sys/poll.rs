//! Waiting for several descriptors at once.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Waits until one of `fds` can be read (or is closed or broken), or until `timeout` has passed; `None` waits for
/// ever. Returns one answer for each descriptor, in order. A signal ends the wait early with nothing ready.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn readable(fds: &[BorrowedFd<'_>], timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    let mut polled: Vec<libc::pollfd> =
        fds.iter().map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    // Rounded up, so that a wait never ends just before the deadline and spins.
    let millis = timeout.map_or(-1, |t| i32::try_from(t.as_micros().div_ceil(1000)).unwrap_or(i32::MAX));
    // SAFETY: pointer and length are those of a live vector; the descriptors are borrowed for the whole call.
    let result = super::check(unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, millis) });
    match result {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(vec![false; fds.len()]),
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
}
