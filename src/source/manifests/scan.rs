//! Which files count as manifests: one look at the manifest path.
//!
//! The kubelet's rules (`kubernetes/kubernetes pkg/kubelet/config/file.go`): every entry whose name has no leading
//! dot, whatever its suffix; links are followed; directories and special files are passed over; sorted by name.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The kubelet refuses larger manifests.
pub const MAX_BYTES: u64 = 10 << 20;

/// What tells one version of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(m: &Metadata) -> Self {
        Self {
            device: m.dev(),
            inode: m.ino(),
            size: m.size(),
            modified: (m.mtime(), m.mtime_nsec()),
            changed: (m.ctime(), m.ctime_nsec()),
        }
    }

    /// When the file was last touched: nanoseconds since the epoch.
    #[must_use]
    pub fn changed_ns(&self) -> i128 {
        i128::from(self.changed.0) * 1_000_000_000 + i128::from(self.changed.1)
    }
}

/// One directory entry that counts.
#[derive(Debug)]
pub struct Entry {
    /// Its path, as the user would write it.
    pub path: PathBuf,
    /// Its version, or why it cannot be looked at (a link to nowhere).
    pub stamp: io::Result<Stamp>,
}

/// What lies at the manifest path.
#[derive(Debug)]
pub enum Scan {
    /// Nothing: counts as an empty directory, as for the kubelet.
    Missing,
    /// A directory, or one file.
    Found {
        /// What counts, sorted by name.
        entries: Vec<Entry>,
        /// Directories and special files that lie beside them, each with what it is in a person's words.
        passed_over: Vec<(PathBuf, &'static str)>,
    },
}

/// Looks at `path`, which may be a directory or one file.
///
/// # Errors
/// When the path exists and cannot be read (or one of its parents cannot), or is neither file nor directory.
pub fn scan(path: &Path) -> io::Result<Scan> {
    let at = match fs::metadata(path) {
        Ok(m) => m,
        Err(e) if is_missing(&e) => return Ok(Scan::Missing),
        Err(e) => return Err(e),
    };
    if at.is_file() {
        let entries = vec![Entry { path: path.into(), stamp: Ok(Stamp::of(&at)) }];
        return Ok(Scan::Found { entries, passed_over: Vec::new() });
    }
    if !at.is_dir() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is neither a directory nor a regular file"));
    }
    let listed = match fs::read_dir(path) {
        Ok(l) => l,
        Err(e) if is_missing(&e) => return Ok(Scan::Missing),
        Err(e) => return Err(e),
    };
    let (mut entries, mut passed_over) = (Vec::new(), Vec::new());
    for entry in listed {
        let name = entry?.file_name();
        if name.as_bytes().starts_with(b".") {
            continue;
        }
        let path = path.join(&name);
        let stamp = match fs::metadata(&path) {
            Ok(m) if m.is_file() => Ok(Stamp::of(&m)),
            Ok(m) => {
                passed_over.push((path, what_it_is(m.file_type())));
                continue;
            }
            // Gone between the listing and the look, unless a link is left that leads nowhere.
            Err(e) if e.kind() == ErrorKind::NotFound && fs::symlink_metadata(&path).is_err() => continue,
            Err(e) => Err(e),
        };
        entries.push(Entry { path, stamp });
    }
    entries.sort_unstable_by(|a, b| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes()));
    Ok(Scan::Found { entries, passed_over })
}

fn what_it_is(kind: FileType) -> &'static str {
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

/// A parent that is a file (ENOTDIR) means the path does not exist, too.
fn is_missing(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Reads a manifest and the stamp of what was read.
///
/// # Errors
/// When it cannot be opened or read, is no regular file, or is larger than [`MAX_BYTES`].
pub fn read(path: &Path) -> io::Result<(Vec<u8>, Stamp)> {
    // O_NONBLOCK: a FIFO that took the file's place must not hang the thread.
    let file: File = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let m = file.metadata()?;
    if !m.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(m.size().min(MAX_BYTES)).unwrap_or(0) + 1);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let text = "it is larger than 10 MiB, the kubelet's limit; a manifest holds one pod";
        return Err(io::Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok((bytes, Stamp::of(&m)))
}
