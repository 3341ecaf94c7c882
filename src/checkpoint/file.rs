//! The checkpoint's file: read with suspicion, replaced in one step.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{too_large, FileError};
use crate::store::checkpoint::{Checkpoint, MAX_BYTES};
use crate::sys::process;

/// `checkpoint` in the state directory.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    dir: PathBuf,
}

impl CheckpointFile {
    /// The file in this directory, whether it exists or not.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { dir: dir.into() }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// Where it is written before it replaces the old one. Always the same name, so that killed writers leave no
    /// more than one behind.
    fn draft(&self) -> PathBuf {
        self.dir.join("checkpoint.new")
    }

    /// What was saved last; `None` where nothing was. A file that cannot be understood is put aside as
    /// `checkpoint.bad`, over the one that was put aside before it.
    ///
    /// # Errors
    /// It is there and cannot be used. The message says why; the daemon starts without it.
    pub fn load(&self) -> Result<Option<Checkpoint>, FileError> {
        let path = self.path();
        let bytes = match self.read() {
            Ok(bytes) => bytes,
            Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        Checkpoint::decode(&bytes).map(Some).map_err(|source| {
            let aside = self.dir.join("checkpoint.bad");
            let aside = fs::rename(&path, &aside).is_ok().then_some(aside);
            FileError::Content { path, source, aside }
        })
    }

    fn read(&self) -> Result<Vec<u8>, FileError> {
        let path = self.path();
        let failed = |source| FileError::Read { path: path.clone(), source };
        let untrusted = |problem| Err(FileError::Untrusted { path: path.clone(), problem });
        // Not waiting for a writer where somebody has put a pipe, and not following a link.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
            Err(e) if e.raw_os_error() == Some(libc::ELOOP) => {
                return untrusted("it is a symbolic link; remove it".into());
            }
            opened => opened.map_err(failed)?,
        };
        let found = file.metadata().map_err(failed)?;
        let (owner, us) = (found.uid(), process::effective_uid());
        if !found.is_file() {
            return untrusted("it is no regular file; remove it".into());
        }
        if owner != us {
            return untrusted(format!("it belongs to user {owner} and we run as {us}; remove it or change its owner"));
        }
        let mode = found.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return untrusted(format!(
                "its mode {mode:04o} lets others write it; remove it, or trust it with chmod 0600"
            ));
        }
        if mode & 0o055 != 0 {
            log::warn!("{}: mode {mode:04o} lets others read it; it is 0600 now", path.display());
            file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > MAX_BYTES {
            return untrusted(too_large());
        }
        Ok(bytes)
    }

    /// Replaces the file: after a crash at any moment either the old one is there or the new one, whole.
    ///
    /// # Errors
    /// The step that failed. The old file is as it was; where the directory alone could not be synced, a power cut may
    /// bring it back.
    pub fn save(&self, bytes: &[u8]) -> Result<(), FileError> {
        let draft = self.draft();
        let saved = self.replace(&draft, bytes);
        if saved.is_err() {
            // On a full disk half a file does nobody any good.
            let _ = fs::remove_file(&draft);
        }
        saved.map_err(|(step, source)| FileError::Write { path: self.path(), step, source })
    }

    fn replace(&self, draft: &Path, bytes: &[u8]) -> Result<(), (&'static str, io::Error)> {
        match fs::remove_file(draft) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(("create", e)),
            _ => {}
        }
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft);
        let mut file = new.map_err(|e| ("create", e))?;
        file.write_all(bytes).map_err(|e| ("write", e))?;
        // Before the rename: else a power cut can leave the new name with nothing in it.
        file.sync_all().map_err(|e| ("sync", e))?;
        fs::rename(draft, self.path()).map_err(|e| ("rename", e))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(|e| ("sync", e))
    }
}

#[cfg(test)]
mod tests;
