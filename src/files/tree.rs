//! A directory with all pods, `NAMESPACE/NAME/phase` and so on, for programs that speak neither gRPC nor HTTP.
//!
//! The files of one pod change together (see [`super::atomic_writer`]); a pod that is gone vanishes in one step. The
//! directory is for its owner alone, since labels and annotations may say what is nobody's business.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::atomic_writer::{AtomicWriter, FileContent, DATA};
use crate::codec::pod_bytes::PodBytes;
use crate::downward::facts;
use crate::pod::lookup::text;
use crate::pod::successor::succeeds;
use crate::sys::lock::{Lock, LockFile};
use crate::sys::process;

/// Says that a directory is ours.
const MARK: &str = ".nodepods-tree";
/// Held while somebody keeps the directory.
const LOCK: &str = ".lock";
/// Where what is to be removed goes first.
const GONE: &str = ".gone";
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Why a directory cannot be kept.
#[derive(Debug)]
pub enum TreeError {
    /// It holds something, and not what we wrote.
    NotOurs(PathBuf),
    /// It belongs to this other user.
    Owner(PathBuf, u32),
    /// Another process keeps it; its id, where it is known.
    Kept(PathBuf, Option<u32>),
    /// It cannot be made or read.
    Io(PathBuf, io::Error),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs(path) => {
                write!(
                    f,
                    "{}: it is not empty and not a tree of ours; name a new or an empty directory",
                    path.display()
                )
            }
            Self::Owner(path, uid) => write!(f, "{}: it belongs to user {uid}, not to us", path.display()),
            Self::Kept(path, Some(pid)) => write!(f, "{}: process {pid} keeps it already", path.display()),
            Self::Kept(path, None) => write!(f, "{}: another process keeps it already", path.display()),
            Self::Io(path, e) => write!(f, "{}: {e}; name a directory that can be written", path.display()),
        }
    }
}

impl std::error::Error for TreeError {}

/// Namespace and name: the place of a pod.
type Place = (String, String);

/// The directory while we keep it.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// What was written, by place.
    written: BTreeMap<Place, PodBytes>,
    _lock: LockFile,
}

impl Tree {
    /// Takes the directory: a new one, an empty one of our own user, or one that was such a tree before.
    ///
    /// # Errors
    /// It is none of these, or another process keeps it.
    pub fn claim(root: &Path) -> Result<Self, TreeError> {
        let failed = |e: io::Error| TreeError::Io(root.into(), e);
        match DirBuilder::new().mode(DIR_MODE).create(root) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(failed(e)),
            _ => {}
        }
        let found = fs::symlink_metadata(root).map_err(failed)?;
        if !found.is_dir() {
            return Err(TreeError::NotOurs(root.into()));
        }
        if found.uid() != process::effective_uid() {
            return Err(TreeError::Owner(root.into(), found.uid()));
        }
        let empty = fs::read_dir(root).map_err(failed)?.next().is_none();
        if !empty && !root.join(MARK).exists() {
            return Err(TreeError::NotOurs(root.into()));
        }
        fs::set_permissions(root, Permissions::from_mode(DIR_MODE)).map_err(failed)?;
        let lock = match LockFile::acquire(&root.join(LOCK)).map_err(failed)? {
            Lock::Ours(lock) => lock,
            Lock::Held(pid) => return Err(TreeError::Kept(root.into(), pid)),
        };
        fs::write(root.join(MARK), "Kept by nodepods. Do not write here.\n").map_err(failed)?;
        let mut tree = Self { root: root.into(), written: BTreeMap::new(), _lock: lock };
        tree.sweep().map_err(failed)?;
        Ok(tree)
    }

    /// Makes the directory show these pods and no others. What did not change is not touched. A pod that cannot be
    /// written is among the errors, and tried again next time; so is one whose name cannot be a file's.
    pub fn show<'a>(&mut self, pods: impl IntoIterator<Item = &'a PodBytes>) -> Vec<String> {
        let mut errors = Vec::new();
        let mut wanted: BTreeMap<Place, &PodBytes> = BTreeMap::new();
        for pod in pods {
            let place = (text(pod, "metadata.namespace").into_owned(), text(pod, "metadata.name").into_owned());
            if !facts::is_file_name(&place.0) || !facts::is_file_name(&place.1) {
                errors.push(format!("pod {:?}/{:?}: its name cannot be a file's", place.0, place.1));
            } else if wanted.get(&place).is_none_or(|other| succeeds(pod, other)) {
                wanted.insert(place, pod);
            }
        }
        let gone: Vec<Place> = self.written.keys().filter(|place| !wanted.contains_key(*place)).cloned().collect();
        for place in gone {
            match self.remove(&place.0, &place.1) {
                Ok(()) => drop(self.written.remove(&place)),
                Err(e) => errors.push(format!("pod {}/{} cannot be removed: {e}", place.0, place.1)),
            }
        }
        for (place, pod) in wanted {
            if self.written.get(&place) == Some(pod) {
                continue;
            }
            match self.write(&place, pod) {
                Ok(()) => drop(self.written.insert(place, pod.clone())),
                Err(e) => errors.push(format!("pod {}/{}: {e}", place.0, place.1)),
            }
        }
        errors
    }

    fn write(&self, (namespace, name): &Place, pod: &PodBytes) -> io::Result<()> {
        let dir = self.root.join(namespace).join(name);
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(&dir)?;
        let files = facts::files(pod).map_err(io::Error::other)?;
        let content = |(path, text): (String, String)| (path, FileContent { mode: FILE_MODE, data: text.into_bytes() });
        AtomicWriter::new(dir, DIR_MODE).write(&files.into_iter().map(content).collect()).map(drop)
    }

    /// Removes the directory of a pod, and of its namespace with the last one.
    fn remove(&self, namespace: &str, name: &str) -> io::Result<()> {
        let gone = self.root.join(GONE);
        match fs::rename(self.root.join(namespace).join(name), &gone) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let _ = fs::remove_dir(self.root.join(namespace)); // not empty: other pods are in it
        absent(fs::remove_dir_all(&gone))
    }

    /// Takes stock of what an earlier keeper left, so that pods which are gone meanwhile are removed.
    fn sweep(&mut self) -> io::Result<()> {
        absent(fs::remove_dir_all(self.root.join(GONE)))?;
        let unknown = PodBytes::from_sections(b"", b"", b"", b"");
        for (namespace, dir) in directories(&self.root)? {
            for (name, dir) in directories(&dir)? {
                if dir.join(DATA).is_symlink() {
                    self.written.insert((namespace.clone(), name), unknown.clone());
                }
            }
        }
        Ok(())
    }
}

/// Subdirectories with their names, hidden ones left out.
fn directories(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        match name.to_str().filter(|name| !name.starts_with('.')) {
            Some(name) if entry.file_type()?.is_dir() => found.push((name.to_string(), entry.path())),
            _ => {}
        }
    }
    Ok(found)
}

fn absent(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::schema::id;
    use serde_json::json;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("nodepods-tree-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            Self(dir)
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap_or_else(|e| format!("{path}: {e}"))
        }

        /// Everything that is not hidden, down to the names of pods.
        fn pods(&self) -> Vec<String> {
            let namespaces = directories(&self.0).unwrap().into_iter();
            let names = |(namespace, dir): (String, PathBuf)| {
                let names = directories(&dir).unwrap().into_iter().map(|(name, _)| name);
                names.map(move |name| format!("{namespace}/{name}")).collect::<Vec<_>>()
            };
            let mut all: Vec<_> = namespaces.flat_map(names).collect();
            all.sort();
            all
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn pod(namespace: &str, name: &str, uid: &str, deleted: bool, phase: &str) -> PodBytes {
        let mut metadata = json!({"namespace": namespace, "name": name, "uid": uid});
        if deleted {
            metadata["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
        }
        let metadata = json::to_wire(id::OBJECT_META, &metadata).unwrap().bytes;
        let status = json::to_wire(id::POD_STATUS, &json!({"phase": phase})).unwrap().bytes;
        PodBytes::from_sections(&metadata, b"", &status, b"")
    }

    #[test]
    fn pods_come_change_and_go() {
        let dir = Scratch::new("life");
        let mut tree = Tree::claim(&dir.0).unwrap();
        let (web, db) = (pod("shop", "web", "1", false, "Pending"), pod("shop", "db", "2", false, "Running"));
        assert!(tree.show([&web, &db]).is_empty());
        assert_eq!(
            (dir.pods(), dir.read("shop/web/phase")),
            (vec!["shop/db".into(), "shop/web".into()], "Pending\n".into())
        );
        let data = |name: &str| fs::read_link(dir.0.join("shop").join(name).join(DATA)).unwrap();
        let before = (data("web"), data("db"));
        assert!(tree.show([&pod("shop", "web", "1", false, "Running"), &db]).is_empty());
        assert_eq!(dir.read("shop/web/phase"), "Running\n");
        assert!(data("web") != before.0 && data("db") == before.1, "only what changed is written");
        assert!(tree.show([&pod("infra", "dns", "3", false, "Running")]).is_empty());
        assert_eq!(dir.pods(), ["infra/dns"]);
        assert!(!dir.0.join("shop").exists());
        assert!(tree.show(std::iter::empty()).is_empty());
        assert!(dir.pods().is_empty());
    }

    #[test]
    fn for_the_owner_alone() {
        let dir = Scratch::new("modes");
        let mut tree = Tree::claim(&dir.0).unwrap();
        tree.show([&pod("shop", "web", "1", false, "Running")]);
        let mode = |path: &str| fs::metadata(dir.0.join(path)).unwrap().mode() & 0o777;
        assert_eq!((mode(""), mode("shop"), mode("shop/web"), mode("shop/web/..data")), (0o700, 0o700, 0o700, 0o700));
        assert_eq!(mode("shop/web/phase"), 0o600);
    }

    #[test]
    fn the_next_keeper_removes_what_is_gone() {
        let dir = Scratch::new("next");
        let mut tree = Tree::claim(&dir.0).unwrap();
        let web = pod("shop", "web", "1", false, "Running");
        tree.show([&web, &pod("shop", "old", "2", false, "Running")]);
        assert!(matches!(Tree::claim(&dir.0), Err(TreeError::Kept(_, Some(pid))) if pid == std::process::id()));
        drop(tree);
        let mut tree = Tree::claim(&dir.0).unwrap();
        assert_eq!(dir.pods(), ["shop/old", "shop/web"]);
        assert!(tree.show([&web]).is_empty());
        assert_eq!(dir.pods(), ["shop/web"]);
    }

    #[test]
    fn directories_of_others_are_refused() {
        let dir = Scratch::new("foreign");
        fs::create_dir(&dir.0).unwrap();
        fs::write(dir.0.join("letter"), "dear").unwrap();
        assert!(matches!(Tree::claim(&dir.0), Err(TreeError::NotOurs(_))));
        assert!(matches!(Tree::claim(&dir.0.join("letter")), Err(TreeError::NotOurs(_))));
        assert!(matches!(Tree::claim(&dir.0.join("a/b")), Err(TreeError::Io(..))));
        std::os::unix::fs::symlink(&dir.0, dir.0.join("link")).unwrap();
        assert!(matches!(Tree::claim(&dir.0.join("link")), Err(TreeError::NotOurs(_))));
        assert_eq!(dir.read("letter"), "dear");
    }

    #[test]
    fn of_two_pods_with_one_name_the_one_that_stays() {
        let dir = Scratch::new("twins");
        let mut tree = Tree::claim(&dir.0).unwrap();
        let (old, new) = (pod("a", "web", "9", true, "Running"), pod("a", "web", "1", false, "Pending"));
        for pods in [[&old, &new], [&new, &old]] {
            assert!(tree.show(pods).is_empty());
            assert_eq!(dir.read("a/web/uid"), "1\n");
        }
    }

    #[test]
    fn names_cannot_lead_out() {
        let dir = Scratch::new("names");
        let mut tree = Tree::claim(&dir.0).unwrap();
        let errors = tree.show([&pod("..", "x", "1", false, "Running"), &pod("a", "b/../../x", "2", false, "Running")]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(dir.pods().is_empty());
        // A file that is in the way costs that pod alone, and only as long as it is there.
        fs::write(dir.0.join("shop"), "x").unwrap();
        let pods = [&pod("shop", "web", "3", false, "Running"), &pod("infra", "dns", "4", false, "Running")];
        assert_eq!(tree.show(pods).len(), 1);
        assert_eq!(dir.pods(), ["infra/dns"]);
        fs::remove_file(dir.0.join("shop")).unwrap();
        assert!(tree.show(pods).is_empty());
        assert_eq!(dir.pods(), ["infra/dns", "shop/web"]);
    }
}
