//! How full a file system is.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Room on the file system of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskRoom {
    /// Bytes that are free for everybody.
    pub available: u64,
    /// Bytes in all.
    pub total: u64,
    /// Free inodes.
    pub inodes_free: u64,
    /// Inodes in all; 0 where the file system does not count them.
    pub inodes: u64,
}

/// Asks for the room on the file system of `path`.
///
/// # Errors
/// What statvfs(3) says; `InvalidInput` for a path with a NUL byte.
#[allow(clippy::unnecessary_cast)] // the fields' widths differ between targets
pub fn room(path: &Path) -> io::Result<DiskRoom> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a NUL, and `stat` is writable memory of the right type.
    super::check(unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) })?;
    // SAFETY: statvfs succeeded, so it filled the whole struct.
    let stat = unsafe { stat.assume_init() };
    let block = stat.f_frsize as u64;
    Ok(DiskRoom {
        available: (stat.f_bavail as u64).saturating_mul(block),
        total: (stat.f_blocks as u64).saturating_mul(block),
        inodes_free: stat.f_ffree as u64,
        inodes: stat.f_files as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_has_no_more_free_than_it_has() {
        let room = room(Path::new("/")).unwrap();
        assert!(room.total > 0 && room.available <= room.total && room.inodes_free <= room.inodes, "{room:?}");
        assert_eq!(super::room(Path::new("/no/such/place")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
