//! Which files hold the log of a container.
//!
//! `<root>/<namespace>_<pod>_<uid>/<container>/<instance>.log`, and beside it what was rotated away:
//! `0.log.20240102-030405`, later compressed to `0.log.20240102-030405.gz` (`kubernetes/kubernetes
//! pkg/kubelet/logs/container_log_manager.go`).

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why a log cannot be read.
#[derive(Debug)]
pub enum LogError {
    /// The pod has no log of such a container (or of an earlier instance of it).
    NotFound,
    /// A name that is no part of a path, or a file that is elsewhere.
    Outside(PathBuf),
    /// The file system refused.
    Io(PathBuf, io::Error),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such log"),
            Self::Outside(path) => write!(f, "{}: not a file in the log directory of the pod", path.display()),
            Self::Io(path, e) => write!(f, "{}: cannot read the log: {e}", path.display()),
        }
    }
}

impl std::error::Error for LogError {}

/// Whose log it is.
#[derive(Clone, Copy, Debug)]
pub struct LogPlace<'a> {
    /// Where the runtime keeps the logs of all pods: `/var/log/pods`.
    pub root: &'a Path,
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// `metadata.name`.
    pub pod: &'a str,
    /// The pod's UIDs, the likeliest first: a mirror pod's differs from the one in the path.
    pub uids: &'a [String],
    /// Name of the container.
    pub container: &'a str,
}

/// The log files of one instance of a container.
#[derive(Clone, Debug)]
pub struct LogFiles {
    /// Directory of the pod, without symbolic links.
    pod_dir: PathBuf,
    dir: PathBuf,
    /// Counts the restarts: `0` is the first.
    instance: u64,
}

impl LogFiles {
    /// Finds the newest instance, or the one before it.
    ///
    /// # Errors
    /// There is none, or the place is not to be trusted.
    pub fn find(place: &LogPlace<'_>, previous: bool) -> Result<Self, LogError> {
        let root = match fs::canonicalize(place.root) {
            Ok(root) => root,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(LogError::NotFound),
            Err(e) => return Err(LogError::Io(place.root.to_path_buf(), e)),
        };
        let container = part(place.container)?;
        for uid in place.uids {
            let pod_dir = root.join(part(&format!("{}_{}_{uid}", place.namespace, place.pod))?);
            let dir = pod_dir.join(container);
            let mut instances: Vec<u64> = match names(&dir) {
                Ok(names) => names.iter().filter_map(|n| n.strip_suffix(".log")?.parse().ok()).collect(),
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(LogError::Io(dir, e)),
            };
            instances.sort_unstable_by(|a, b| b.cmp(a));
            let Some(instance) = instances.get(usize::from(previous)) else { return Err(LogError::NotFound) };
            return Ok(Self { pod_dir, dir, instance: *instance });
        }
        Err(LogError::NotFound)
    }

    /// Which instance it is: the number of restarts before it.
    #[must_use]
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// The file that the runtime writes.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.dir.join(format!("{}.log", self.instance))
    }

    /// What was rotated away, oldest first. A file that is just being compressed may be there twice and counts once.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn rotated(&self) -> Result<Vec<PathBuf>, LogError> {
        let prefix = format!("{}.log.", self.instance);
        let names = names(&self.dir).map_err(|e| LogError::Io(self.dir.clone(), e))?;
        let stamp = |name: &String| {
            let rest = name.strip_prefix(&prefix)?;
            let stamp = rest.strip_suffix(".gz").unwrap_or(rest);
            let sound = stamp.bytes().all(|b| b.is_ascii_digit() || b == b'-') && stamp.len() == 15;
            sound.then(|| (stamp.to_owned(), rest.len()))
        };
        let mut found: Vec<_> = names.iter().filter_map(|name| Some((stamp(name)?, name))).collect();
        found.sort_unstable();
        found.dedup_by(|later, first| later.0 .0 == first.0 .0); // the shorter name, which is not compressed, stays
        Ok(found.into_iter().map(|(_, name)| self.dir.join(name)).collect())
    }

    /// Opens one of the files. Symbolic links are not followed, and whatever was opened must be a plain file beneath
    /// the directory of the pod.
    ///
    /// # Errors
    /// It is gone, is something else, or is elsewhere.
    pub fn open(&self, path: &Path) -> Result<File, LogError> {
        let failed = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => LogError::NotFound,
            _ if e.raw_os_error() == Some(libc::ELOOP) => LogError::Outside(path.to_path_buf()),
            _ => LogError::Io(path.to_path_buf(), e),
        };
        // O_NONBLOCK: opening a pipe would wait for its writer.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
        let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(failed)?;
        let plain = file.metadata().map_err(failed)?.is_file();
        if plain && real.starts_with(&self.pod_dir) {
            Ok(file)
        } else {
            Err(LogError::Outside(path.to_path_buf()))
        }
    }
}

/// One part of a path.
fn part(name: &str) -> Result<&str, LogError> {
    match name {
        "" | "." | ".." => Err(LogError::Outside(name.into())),
        name if name.contains(['/', '\0']) => Err(LogError::Outside(name.into())),
        name => Ok(name),
    }
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
