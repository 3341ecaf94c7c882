//! Which file a path or a descriptor stands for.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Device and inode: the same file has the same two numbers, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

impl FileId {
    /// The file at `path`; a symbolic link stands for itself.
    ///
    /// # Errors
    /// What lstat(2) says; `NotFound` where there is nothing.
    pub fn of_path(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|m| Self { dev: m.dev(), ino: m.ino() })
    }

    /// The file behind a descriptor that may belong to somebody else and may be closed by now.
    ///
    /// # Errors
    /// What fstat(2) says; EBADF where the descriptor is closed.
    #[allow(clippy::unnecessary_cast)] // the fields' widths differ between targets
    pub fn of_fd(fd: RawFd) -> io::Result<Self> {
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `stat` is writable memory of the right type; any number may be given as a descriptor.
        super::check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
        // SAFETY: fstat succeeded, so it filled the whole struct.
        let stat = unsafe { stat.assume_init() };
        Ok(Self { dev: stat.st_dev as u64, ino: stat.st_ino as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn path_and_descriptor_agree() {
        let path = std::env::current_exe().unwrap();
        let file = fs::File::open(&path).unwrap();
        assert_eq!(FileId::of_path(&path).unwrap(), FileId::of_fd(file.as_raw_fd()).unwrap());
    }

    #[test]
    fn a_closed_descriptor_is_an_error() {
        assert_eq!(FileId::of_fd(-1).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }
}
