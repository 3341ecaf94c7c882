//! The directory for what outlives a restart: ours alone, since pods may hold secrets.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::error::DaemonError;
use crate::sys::process;

/// Makes the directory with mode 0700, or takes the one that is there: it must be a directory of our own user, and
/// what others may do in it is taken away. On a disk that is full or read-only this is told, and the daemon goes on
/// with what it can read: false where that is nothing.
///
/// # Errors
/// It belongs to somebody else, is no directory, or we may not make it.
pub fn prepare(path: &Path) -> Result<bool, DaemonError> {
    match claim(path) {
        Ok(()) => Ok(true),
        Err(source) if matches!(source.raw_os_error(), Some(libc::EROFS | libc::ENOSPC | libc::EDQUOT | libc::EIO)) => {
            let error = DaemonError::StateDir { path: path.into(), source };
            log::error!("{error}; going on, and after a restart less is known");
            Ok(path.is_dir())
        }
        Err(source) => Err(DaemonError::StateDir { path: path.into(), source }),
    }
}

fn claim(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::metadata(path)?;
    if found.uid() != process::effective_uid() {
        let owner = found.uid();
        return Err(io::Error::other(format!("it belongs to user {owner}, not to us")));
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        log::warn!("{}: mode {mode:04o} lets others in; it is 0700 now", path.display());
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    // The first write would come much later: better to hear now that the disk is full or read-only.
    let probe = path.join(".probe");
    fs::write(&probe, b"")?;
    fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;

    #[test]
    fn ours_alone() {
        let dir = TestDir::new();
        let state = dir.path("a/b");
        let mode = |p: &Path| fs::metadata(p).unwrap().mode() & 0o777;
        assert!(prepare(&state).unwrap());
        assert_eq!(mode(&state), 0o700);
        fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
        prepare(&state).unwrap();
        assert_eq!(mode(&state), 0o700);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
        // Somebody else's: root gives one away, others know one.
        let foreign = if process::effective_uid() == 0 { state } else { "/".into() };
        let _ = std::os::unix::fs::chown(&foreign, Some(65534), None);
        let error = prepare(&foreign).unwrap_err().to_string();
        assert!(error.contains("not to us"), "{error}");
        fs::write(dir.path("file"), b"").unwrap();
        let error = prepare(&dir.path("file")).unwrap_err().to_string();
        assert!(error.ends_with("name another --state-dir, or none"), "{error}");
    }
}
