//! The size of a terminal.

use std::os::fd::{AsRawFd, BorrowedFd};

/// How many columns the terminal behind `fd` has; none where it is no terminal or does not know.
#[must_use]
pub fn columns(fd: BorrowedFd<'_>) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open as long as it is borrowed, and TIOCGWINSZ writes a `winsize`, which `size` is.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_file_has_no_columns() {
        assert_eq!(columns(std::fs::File::open("/dev/null").unwrap().as_fd()), None);
    }
}
