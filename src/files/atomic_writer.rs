//! Files that change all at once, laid out as the kubelet lays out its volumes.
//!
//! A directory named after the time holds the files, the link `..data` leads to it, and visible links lead through
//! `..data`. Renaming a new link over `..data` changes all files in one step; watchers watch for that. Source:
//! `kubernetes/kubernetes pkg/volume/util/atomic_writer.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{chown, symlink, DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::codec::time::Time;

/// The link to the directory that holds the files.
pub const DATA: &str = "..data";
/// What `fsGroup` adds to the permission bits of directories (`kubernetes/kubernetes pkg/volume/volume_linux.go`).
const GROUP_MODE: u32 = 0o2550;
const NEW_DATA: &str = "..data_tmp";
/// How many names for a new directory are tried.
const ATTEMPTS: u32 = 100;

/// One file: its permission bits and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// Permission bits, whatever the umask.
    pub mode: u32,
    /// Bytes.
    pub data: Vec<u8>,
}

/// Files by their paths: relative, clean, never upwards and not beginning with `..`, as [`crate::downward::volume`]
/// gives them.
pub type Payload = BTreeMap<String, FileContent>;

/// Keeps the files of one directory.
#[derive(Debug)]
pub struct AtomicWriter {
    dir: PathBuf,
    dir_mode: u32,
    group: Option<u32>,
}

impl AtomicWriter {
    /// For the directory `dir`, which exists. Directories below it get the permission bits `dir_mode`; the kubelet's
    /// have 0755.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, dir_mode: u32) -> Self {
        Self { dir: dir.into(), dir_mode, group: None }
    }

    /// The same with files and directories that belong to this group, which new files then have, too: what the kubelet
    /// makes of `fsGroup`. Takes root, or a group of ours.
    #[must_use]
    pub fn of_group(self, group: u32) -> Self {
        Self { dir_mode: self.dir_mode | GROUP_MODE, group: Some(group), ..self }
    }

    /// Makes the directory hold these files and no others. Says whether anything changed: equal contents are not
    /// written again, but links that are missing are made.
    ///
    /// # Errors
    /// A file cannot be written: then those of before stay. Or something that is not ours is in the way of a link.
    pub fn write(&self, payload: &Payload) -> io::Result<bool> {
        if self.group.is_some() {
            self.own(&self.dir, self.dir_mode)?;
        }
        let before = self.current()?;
        let changed = before.as_ref().is_none_or(|old| !holds(&self.dir.join(old), payload));
        if changed {
            let fresh = self.fill(payload)?;
            self.swap(&fresh)?;
        }
        self.link(payload)?;
        self.sweep()?;
        Ok(changed)
    }

    /// The name of the directory behind `..data`.
    fn current(&self) -> io::Result<Option<PathBuf>> {
        match fs::read_link(self.dir.join(DATA)) {
            Ok(name) => Ok(Some(name)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(named(e, &self.dir.join(DATA))),
        }
    }

    /// Writes the files into a new directory and gives its name.
    fn fill(&self, payload: &Payload) -> io::Result<String> {
        let name = self.new_directory()?;
        let fresh = self.dir.join(&name);
        let filled = payload.iter().try_for_each(|(path, file)| {
            let path = fresh.join(path);
            self.make_parents(&fresh, &path)?;
            write_file(&path, file)?;
            self.own(&path, file.mode)
        });
        match filled {
            Ok(()) => Ok(name),
            Err(e) => {
                let _ = fs::remove_dir_all(&fresh);
                Err(e)
            }
        }
    }

    /// A directory `..2006_01_02_15_04_05.123456789`, in UTC.
    fn new_directory(&self) -> io::Result<String> {
        let now = SystemTime::now();
        let nanos = now.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        let moment = Time::from(now).to_string();
        let moment = moment.trim_end_matches('Z').replace(['-', 'T', ':'], "_");
        for attempt in 0..ATTEMPTS {
            let name = format!("..{moment}.{}", nanos.wrapping_add(attempt));
            match self.make_directory(&self.dir.join(&name)) {
                Ok(()) => return Ok(name),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(named(ErrorKind::AlreadyExists.into(), &self.dir))
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(self.dir_mode).create(path).map_err(|e| named(e, path))?;
        self.own(path, self.dir_mode)
    }

    /// Gives what we made its group and, whatever the umask, its permission bits.
    fn own(&self, path: &Path, mode: u32) -> io::Result<()> {
        let given = self.group.map_or(Ok(()), |group| chown(path, None, Some(group)));
        given.and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode))).map_err(|e| named(e, path))
    }

    fn make_parents(&self, top: &Path, path: &Path) -> io::Result<()> {
        let Some(parent) = path.parent().filter(|p| *p != top && !p.exists()) else { return Ok(()) };
        self.make_parents(top, parent)?;
        self.make_directory(parent)
    }

    /// The one step in which all files change.
    fn swap(&self, fresh: &str) -> io::Result<()> {
        let (new, data) = (self.dir.join(NEW_DATA), self.dir.join(DATA));
        match fs::remove_file(&new) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(named(e, &new)),
            _ => {}
        }
        let swapped = symlink(fresh, &new).and_then(|()| fs::rename(&new, &data));
        swapped.map_err(|e| {
            let _ = fs::remove_dir_all(self.dir.join(fresh));
            named(e, &data)
        })
    }

    /// Makes the visible links, one for the first part of each path.
    fn link(&self, payload: &Payload) -> io::Result<()> {
        for first in visible(payload) {
            let (link, target) = (self.dir.join(first), Path::new(DATA).join(first));
            match fs::read_link(&link) {
                Ok(found) if found == target => continue,
                Ok(_) => fs::remove_file(&link).map_err(|e| named(e, &link))?,
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(_) => return Err(named(io::Error::other("something that is no link is in the way"), &link)),
            }
            symlink(&target, &link).map_err(|e| named(e, &link))?;
        }
        Ok(())
    }

    /// Removes links to files that are not there any more, and directories that `..data` does not lead to: the one of
    /// before, and what a writer left that was killed.
    fn sweep(&self) -> io::Result<()> {
        let current = self.current()?;
        for entry in fs::read_dir(&self.dir).map_err(|e| named(e, &self.dir))?.flatten() {
            let name = entry.file_name();
            let Some(text) = name.to_str() else { continue };
            let kind = entry.file_type()?;
            if kind.is_symlink() && !text.starts_with("..") {
                let ours = fs::read_link(entry.path()).is_ok_and(|target| target == Path::new(DATA).join(text));
                if ours && !self.dir.join(DATA).join(text).exists() {
                    fs::remove_file(entry.path()).map_err(|e| named(e, &entry.path()))?;
                }
            } else if kind.is_dir() && is_ours(text) && current.as_deref() != Some(Path::new(text)) {
                fs::remove_dir_all(entry.path()).map_err(|e| named(e, &entry.path()))?;
            }
        }
        Ok(())
    }
}

/// Whether a directory's name is one that a writer gives: `..` and a year.
fn is_ours(name: &str) -> bool {
    let digits = name.strip_prefix("..").unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
    digits >= 4
}

fn visible(payload: &Payload) -> BTreeSet<&str> {
    payload.keys().filter_map(|path| path.split('/').next()).collect()
}

/// Whether the directory holds these files and no others.
fn holds(dir: &Path, payload: &Payload) -> bool {
    let mut found = BTreeSet::new();
    if collect(dir, dir, &mut found).is_err() || !found.iter().eq(payload.keys()) {
        return false;
    }
    payload.iter().all(|(path, file)| fs::read(dir.join(path)).is_ok_and(|data| data == file.data))
}

fn collect(top: &Path, dir: &Path, found: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.symlink_metadata()?.is_dir() {
            collect(top, &path, found)?;
        } else {
            let below = path.strip_prefix(top).unwrap_or(&path);
            found.insert(below.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn write_file(path: &Path, file: &FileContent) -> io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(file.mode).open(path);
    made.and_then(|mut made| made.write_all(&file.data)).map_err(|e| named(e, path))
}

/// The error with the path in its words.
fn named(e: io::Error, path: &Path) -> io::Error {
    io::Error::new(e.kind(), format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("nodepods-writer-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir(&dir).unwrap();
            Self(dir)
        }

        fn write(&self, files: &[(&str, u32, &str)]) -> io::Result<bool> {
            let file = |(path, mode, data): &(&str, u32, &str)| {
                (path.to_string(), FileContent { mode: *mode, data: data.as_bytes().to_vec() })
            };
            AtomicWriter::new(&self.0, 0o755).write(&files.iter().map(file).collect())
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap()
        }

        /// Names in the directory, those of hidden directories as `..`.
        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = entries.map(|n| if is_ours(&n) { "..".into() } else { n }).collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_kubelets_layout() {
        let dir = Scratch::new("layout");
        assert!(dir.write(&[("labels", 0o644, "a=\"1\""), ("d/e/secret", 0o400, "x")]).unwrap());
        assert_eq!(dir.names(), ["..", "..data", "d", "labels"]);
        assert_eq!((dir.read("labels"), dir.read("d/e/secret")), ("a=\"1\"".into(), "x".into()));
        assert_eq!(fs::read_link(dir.0.join("d")).unwrap(), Path::new("..data/d"));
        let target = fs::read_link(dir.0.join(DATA)).unwrap().into_os_string().into_string().unwrap();
        assert_eq!((target.len() > "..2006_01_02_15_04_05.".len(), target.matches('_').count()), (true, 5), "{target}");
        let mode = |path: &str| fs::metadata(dir.0.join(path)).unwrap().mode() & 0o777;
        assert_eq!((mode("labels"), mode("d/e/secret"), mode("d/e"), mode("..data")), (0o644, 0o400, 0o755, 0o755));
    }

    #[test]
    fn a_group_of_its_own() {
        let dir = Scratch::new("group");
        // The group of whoever runs the test, which anybody may give.
        let group = fs::metadata(&dir.0).unwrap().gid();
        let file = FileContent { mode: 0o440, data: b"x".to_vec() };
        let payload = Payload::from([("d/a".to_string(), file)]);
        assert!(AtomicWriter::new(&dir.0, 0o755).of_group(group).write(&payload).unwrap());
        for (path, mode) in [("", 0o2755), ("..data", 0o2755), ("d", 0o2755), ("d/a", 0o440)] {
            let found = fs::metadata(dir.0.join(path)).unwrap();
            assert_eq!((found.gid(), found.mode() & 0o7777), (group, mode), "{path}");
        }
    }

    #[test]
    fn equal_contents_are_left_alone_and_links_repaired() {
        let dir = Scratch::new("equal");
        let files = [("a", 0o644, "1"), ("b", 0o644, "2")];
        dir.write(&files).unwrap();
        let before = fs::read_link(dir.0.join(DATA)).unwrap();
        fs::remove_file(dir.0.join("a")).unwrap();
        fs::remove_file(dir.0.join("b")).unwrap();
        symlink("/etc/passwd", dir.0.join("b")).unwrap();
        assert!(!dir.write(&files).unwrap());
        assert_eq!(fs::read_link(dir.0.join(DATA)).unwrap(), before);
        assert_eq!((dir.read("a"), dir.read("b")), ("1".into(), "2".into()));
    }

    #[test]
    fn what_is_gone_goes_and_what_is_foreign_stays() {
        let dir = Scratch::new("gone");
        dir.write(&[("a", 0o644, "1"), ("b/c", 0o644, "2")]).unwrap();
        fs::write(dir.0.join("mine"), "x").unwrap();
        fs::create_dir(dir.0.join("..2020_left_by_a_crash")).unwrap();
        symlink("nowhere", dir.0.join(NEW_DATA)).unwrap();
        assert!(dir.write(&[("b/d", 0o644, "3")]).unwrap());
        assert_eq!(dir.names(), ["..", "..data", "b", "mine"]);
        assert_eq!(dir.read("b/d"), "3");
        assert!(!dir.0.join("b/c").exists());
        assert!(dir.write(&[]).unwrap());
        assert_eq!(dir.names(), ["..", "..data", "mine"]);
    }

    #[test]
    fn a_failure_leaves_the_files_of_before() {
        let dir = Scratch::new("failure");
        dir.write(&[("a", 0o644, "1")]).unwrap();
        // A file cannot be a directory, too.
        let error = dir.write(&[("a", 0o644, "2"), ("a/b", 0o644, "3")]).unwrap_err();
        assert!(error.to_string().contains("/a"), "{error}");
        assert_eq!((dir.read("a"), dir.names()), ("1".into(), vec!["..".into(), "..data".into(), "a".into()]));
        fs::remove_file(dir.0.join("a")).unwrap();
        fs::write(dir.0.join("a"), "mine").unwrap();
        assert!(dir.write(&[("a", 0o644, "2")]).unwrap_err().to_string().contains("in the way"));
        assert_eq!(dir.read("a"), "mine");
    }

    /// A reader between two versions sees one of them, never a mixture.
    #[test]
    fn readers_see_one_version() {
        let dir = Scratch::new("readers");
        let version = |n: u32| {
            let text = n.to_string().repeat(50);
            dir.write(&[("a", 0o644, &text), ("b", 0o644, &text)])
        };
        version(0).unwrap();
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| {
                let mut seen = BTreeSet::new();
                while !seen.contains(&"9".repeat(50)) {
                    // One resolution of ..data for both files.
                    let Ok(data) = fs::canonicalize(dir.0.join(DATA)) else { continue };
                    let both = (fs::read_to_string(data.join("a")), fs::read_to_string(data.join("b")));
                    if let (Ok(a), Ok(b)) = both {
                        assert_eq!(a, b);
                        seen.insert(a);
                    }
                }
            });
            (1..10).for_each(|n| assert!(version(n).unwrap()));
            reader.join().unwrap();
        });
    }
}
