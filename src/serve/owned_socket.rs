//! A listening socket that this process owns: from the lock beside it to its removal.
//!
//! The lock file `.NAME.lock` (0600, same directory) is taken first and kept for the life of the socket; it guards the
//! path against another nodepods and makes the temporary name `.NAME.new` ours. Servers that know nothing of the lock
//! are found by connecting. Both files are gone after an orderly exit; a lock left behind by a crash guards nothing.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{lchown, DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::error::ServeError;
use crate::sys::file_id::FileId;
use crate::sys::lock::{Lock, LockFile};
use crate::sys::rename;
use crate::sys::socket::{self, Probe};

/// Connections that the kernel keeps for us until they are accepted; more are refused by connect(2) with EAGAIN.
const BACKLOG: i32 = 128;
/// Mode of parent directories that have to be made.
const DIR_MODE: u32 = 0o750;

/// Where to listen.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// Absolute path of the socket, at most [`socket::MAX_PATH`] bytes.
    pub path: PathBuf,
    /// Permission bits of the socket.
    pub mode: u32,
    /// Its group, and that of directories that have to be made for it; `None` leaves the process's.
    pub group: Option<u32>,
}

/// A bound, listening socket of ours.
#[derive(Debug)]
pub struct OwnedSocket {
    options: SocketOptions,
    listener: UnixListener,
    id: FileId,
    lock: LockFile,
}

/// What stands at the path of a socket that was bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Our socket.
    Ours,
    /// Nothing, or the lock beside it is gone: make it again.
    Vanished,
    /// Somebody else's file: leave it alone.
    Foreign,
}

impl OwnedSocket {
    /// Locks, looks, binds. Missing parent directories are made with mode 0750; a stale socket is replaced.
    ///
    /// # Errors
    /// [`ServeError::LiveServer`] where somebody answers on the path or holds its lock, [`ServeError::NotASocket`]
    /// where another kind of file is there, else what could not be done.
    pub fn bind(options: SocketOptions) -> Result<Self, ServeError> {
        Self::claim(options, true)
    }

    /// The listening end.
    #[must_use]
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// What stands at our path now.
    #[must_use]
    pub fn presence(&self) -> Presence {
        match FileId::of_path(&self.options.path) {
            Ok(id) if id == self.id && self.lock.guards_its_path() => Presence::Ours,
            Ok(id) if id == self.id => Presence::Vanished,
            Ok(_) => Presence::Foreign,
            Err(_) => Presence::Vanished,
        }
    }

    /// Binds again at the same path after the socket (or its lock or its directory) was deleted, only if nothing of
    /// somebody else's is there.
    ///
    /// # Errors
    /// As [`OwnedSocket::bind`]; this socket then stays as it is.
    pub fn remake(&mut self) -> Result<(), ServeError> {
        if self.lock.guards_its_path() {
            let (listener, id) = publish(&self.options, false)?;
            (self.listener, self.id) = (listener, id);
        } else {
            // Our own socket may have outlived its lock file: it answers, but it is in nobody's way.
            if FileId::of_path(&self.options.path).is_ok_and(|id| id == self.id) {
                let path = &self.options.path;
                fs::remove_file(path).map_err(ServeError::io("replace our own socket", path))?;
            }
            *self = Self::claim(self.options.clone(), false)?;
        }
        Ok(())
    }

    fn claim(options: SocketOptions, replace_stale: bool) -> Result<Self, ServeError> {
        let path = &options.path;
        let bad = |problem: String| ServeError::BadPath { path: path.clone(), problem };
        let len = path.as_os_str().len();
        if len > socket::MAX_PATH {
            return Err(bad(format!("{len} bytes are too long for a socket path; at most {} fit", socket::MAX_PATH)));
        }
        let parent = path.parent().filter(|_| path.is_absolute() && path.file_name().is_some());
        let parent = parent.ok_or_else(|| bad("not an absolute path of a socket".into()))?;
        make_directories(parent, options.group)?;
        let lock_path = beside(path, ".lock");
        let lock = match LockFile::acquire(&lock_path).map_err(ServeError::io("lock", &lock_path))? {
            Lock::Ours(lock) => lock,
            Lock::Held(pid) => return Err(ServeError::LiveServer { path: path.clone(), pid }),
        };
        let (listener, id) = publish(&options, replace_stale)?;
        Ok(Self { options, listener, id, lock })
    }
}

impl Drop for OwnedSocket {
    fn drop(&mut self) {
        if FileId::of_path(&self.options.path).is_ok_and(|id| id == self.id) {
            if let Err(e) = fs::remove_file(&self.options.path) {
                log::warn!("{}: cannot remove our socket: {e}", self.options.path.display());
            }
        }
    }
}

/// Makes a listening socket under the temporary name and gives it its own: nobody ever sees one that does not listen
/// yet or has another mode. The caller holds the lock.
fn publish(options: &SocketOptions, replace_stale: bool) -> Result<(UnixListener, FileId), ServeError> {
    let path = &options.path;
    make_way(path, replace_stale)?;
    let temporary = beside(path, ".new");
    remove_if_there(&temporary).map_err(ServeError::io("remove", &temporary))?;
    let listener = socket::listen(&temporary, options.mode, BACKLOG).map_err(ServeError::io("bind", &temporary))?;
    let named = finish(&temporary, options);
    if named.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    Ok((listener, named?))
}

fn finish(temporary: &Path, options: &SocketOptions) -> Result<FileId, ServeError> {
    let path = &options.path;
    let found = fs::symlink_metadata(temporary).map_err(ServeError::io("stat", temporary))?;
    if found.permissions().mode() & 0o7777 != options.mode {
        // The umask took bits away that were asked for. Only this direction is possible: the mode was set first.
        let permissions = Permissions::from_mode(options.mode);
        fs::set_permissions(temporary, permissions).map_err(ServeError::io("set the mode of", temporary))?;
    }
    if options.group.is_some() {
        lchown(temporary, None, options.group).map_err(ServeError::io("set the group of", temporary))?;
    }
    let id = FileId::of_path(temporary).map_err(ServeError::io("stat", temporary))?;
    rename::into_free_name(temporary, path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => ServeError::LiveServer { path: path.clone(), pid: None },
        _ => ServeError::io("rename a new socket to", path)(e),
    })?;
    Ok(id)
}

/// Leaves `path` free, or says who is there.
fn make_way(path: &Path, replace_stale: bool) -> Result<(), ServeError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(ServeError::io("stat", path)(e)),
    };
    if !found.file_type().is_socket() {
        return Err(ServeError::NotASocket { path: path.to_path_buf() });
    }
    match socket::probe(path).map_err(ServeError::io("find out whether anybody answers on", path))? {
        Probe::Stale if replace_stale => {
            log::info!("{}: replacing a stale socket", path.display());
            remove_if_there(path).map_err(ServeError::io("remove the stale socket", path))
        }
        Probe::Missing => Ok(()),
        Probe::Live | Probe::Stale => Err(ServeError::LiveServer { path: path.to_path_buf(), pid: None }),
    }
}

/// Makes `dir` and its missing parents, each with mode 0750 whatever the umask. Those that exist stay as they are.
fn make_directories(dir: &Path, group: Option<u32>) -> Result<(), ServeError> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|d| !d.exists()).collect();
    for made in missing.into_iter().rev() {
        match DirBuilder::new().mode(DIR_MODE).create(made) {
            Ok(()) => {
                let permissions = Permissions::from_mode(DIR_MODE);
                fs::set_permissions(made, permissions).map_err(ServeError::io("set the mode of", made))?;
                if group.is_some() {
                    lchown(made, None, group).map_err(ServeError::io("set the group of", made))?;
                }
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(ServeError::io("make the directory", made)(e)),
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// `/run/x/pods.sock` and `.lock` give `/run/x/.pods.sock.lock`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;
