//! Lock files: who may own a path.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::file_id::FileId;

/// A held lock file. The lock ends with the process, however that ends; the file is removed when this is dropped.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
}

/// The outcome of [`LockFile::acquire`].
#[derive(Debug)]
pub enum Lock {
    /// The lock is ours.
    Ours(LockFile),
    /// A living process holds it; its process id, where the file says so.
    Held(Option<u32>),
}

impl LockFile {
    /// Takes the lock at `path` with flock(2), making the file with mode 0600, and writes our process id into it.
    /// Does not wait.
    ///
    /// # Errors
    /// The file cannot be made, opened or written.
    pub fn acquire(path: &Path) -> io::Result<Lock> {
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW)
                .open(path)?;
            // SAFETY: flock takes a descriptor, which `file` keeps open, and no memory.
            let locked = super::check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) });
            match locked {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Lock::Held(pid_in(&mut file))),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            // The last owner may have removed the file between our open and our lock: then it guards nothing.
            let ours = Self { file, path: path.to_path_buf() };
            if ours.guards_its_path() {
                ours.file.set_len(0)?;
                writeln!(&ours.file, "{}", std::process::id())?;
                return Ok(Lock::Ours(ours));
            }
        }
    }

    /// Whether the file that we hold is still the one that others would try to lock.
    #[must_use]
    pub fn guards_its_path(&self) -> bool {
        matches!(
            (FileId::of_fd(self.file.as_raw_fd()), FileId::of_path(&self.path)),
            (Ok(held), Ok(named)) if held == named
        )
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while the lock is held: whoever opened it meanwhile sees that it is gone and starts again.
        if self.guards_its_path() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_owner_at_a_time_and_no_file_left() {
        let dir = TestDir::new();
        let path = dir.path("lock");
        let Lock::Ours(first) = LockFile::acquire(&path).unwrap() else { panic!("free lock not given") };
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(matches!(LockFile::acquire(&path).unwrap(), Lock::Held(Some(pid)) if pid == std::process::id()));
        fs::remove_file(&path).unwrap();
        assert!(!first.guards_its_path());
        let Lock::Ours(second) = LockFile::acquire(&path).unwrap() else { panic!("free lock not given") };
        drop(first);
        assert!(path.exists(), "an owner removed a lock that is not its own");
        drop(second);
        assert!(!path.exists());
    }
}
