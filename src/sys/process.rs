//! The process as a whole: its user, its file mode mask, its limits.

use std::io;

use super::signal::Signal;

/// The effective user id.
#[must_use]
pub fn effective_uid() -> u32 {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Sets the file mode creation mask of the process and returns the one before. Call it before the first thread.
pub fn set_umask(mask: u32) -> u32 {
    // SAFETY: umask takes a number and cannot fail.
    let before = unsafe { libc::umask(mask as libc::mode_t) };
    #[allow(clippy::useless_conversion)] // mode_t is narrower on some systems
    before.into()
}

/// Ends the process at once: no destructors, no exit handlers, nothing that could hang.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes a number and does not return.
    unsafe { libc::_exit(code) }
}

/// Sends a signal to a child of ours that was not waited for yet. One that has ended takes it without effect.
pub fn send_signal(pid: u32, signal: Signal) {
    let number = match signal {
        Signal::Terminate => libc::SIGTERM,
        Signal::Interrupt => libc::SIGINT,
        Signal::Hangup => libc::SIGHUP,
    };
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: kill takes numbers only.
        unsafe { libc::kill(pid, number) };
    }
}

/// Raises the soft limit of open files to `wanted`, as far as the hard limit lets it, and returns the limit that
/// holds now. Never lowers it.
///
/// # Errors
/// What getrlimit(2) and setrlimit(2) say.
#[allow(clippy::useless_conversion)] // rlim_t is narrower on some systems
pub fn raise_open_files(wanted: u64) -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live value of the right type.
    super::check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    let (soft, hard) = (u64::from(limit.rlim_cur), u64::from(limit.rlim_max));
    let now = soft.max(wanted.min(hard));
    if now > soft {
        limit.rlim_cur = now as libc::rlim_t;
        // SAFETY: the pointer is to a live value of the right type.
        super::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    }
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_never_lowered() {
        let now = raise_open_files(0).unwrap();
        assert!(now > 0);
        assert_eq!(raise_open_files(1).unwrap(), now);
    }
}
