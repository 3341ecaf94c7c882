//! Renaming without replacing.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Renames `from` to `to` only if nothing is at `to`. File systems that do not know this (EINVAL) get a plain
/// rename: the caller has looked before.
///
/// # Errors
/// `AlreadyExists` where something is at `to`, else what renameat2(2) says.
pub fn into_free_name(from: &Path, to: &Path) -> io::Result<()> {
    let (a, b) = (CString::new(from.as_os_str().as_bytes())?, CString::new(to.as_os_str().as_bytes())?);
    // By number: not every C library wraps renameat2.
    // SAFETY: both pointers are to live, NUL-terminated strings; the other arguments are numbers.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            a.as_ptr(),
            libc::AT_FDCWD,
            b.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::ENOSYS) => std::fs::rename(from, to),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;
    use std::fs;

    #[test]
    fn what_is_there_stays() {
        let dir = TestDir::new();
        let (a, b) = (dir.path("a"), dir.path("b"));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        assert_eq!(into_free_name(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        fs::remove_file(&b).unwrap();
        into_free_name(&a, &b).unwrap();
        assert_eq!(fs::read(&b).unwrap(), b"a");
    }
}
