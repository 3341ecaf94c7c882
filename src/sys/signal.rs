//! Signals, read by one thread instead of handled.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// A signal that asks the daemon for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: stop.
    Terminate,
    /// SIGINT: stop; a second one means at once.
    Interrupt,
    /// SIGHUP: look at everything again now.
    Hangup,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::Hangup => "SIGHUP",
        })
    }
}

const READ: [libc::c_int; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGPIPE in the calling thread. Call it first of all in `main`: threads inherit
/// the mask, so that no other thread is ever killed by them, and [`wait`] sees them.
///
/// # Errors
/// What pthread_sigmask(3) says.
pub fn block() -> io::Result<()> {
    let set = set_of(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGPIPE]);
    // SAFETY: `set` is a live, initialised set; a null old set is allowed.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Waits for the next SIGTERM, SIGINT or SIGHUP. They must be blocked ([`block`]).
///
/// # Errors
/// What sigwaitinfo(2) says, except EINTR.
pub fn wait() -> io::Result<Signal> {
    let set = set_of(&READ);
    loop {
        // SAFETY: `set` is a live, initialised set; a null info is allowed.
        match super::check(unsafe { libc::sigwaitinfo(&raw const set, ptr::null_mut()) }) {
            Ok(libc::SIGTERM) => return Ok(Signal::Terminate),
            Ok(libc::SIGINT) => return Ok(Signal::Interrupt),
            Ok(libc::SIGHUP) => return Ok(Signal::Hangup),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the whole set, and cannot fail with a valid pointer.
    let mut set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    };
    for &signal in signals {
        // SAFETY: `set` is initialised and the numbers are valid signals.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_is_read() {
        // In a thread of its own: the mask and the directed signal touch no other test.
        let got = std::thread::spawn(|| {
            block().unwrap();
            // SAFETY: the calling thread is alive.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGHUP) };
            wait().unwrap()
        });
        assert_eq!(got.join().unwrap(), Signal::Hangup);
    }
}
