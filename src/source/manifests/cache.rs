//! What is known about each manifest file: its version, its current meaning, and its last good pod.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::scan::{self, Entry, Stamp};
use crate::pod::finding::Finding;
use crate::pod::manifest::{bound, settle_duplicates, Manifest, ManifestFile};

/// Two writes within one tick of the file system's clock (at most 10 ms) can leave the same stamp; a file that was
/// read this soon after a change is read once more at the next scan.
const UNSETTLED_NS: i128 = 100_000_000;

/// Turns the bytes of one file into what it means.
pub type Reader = fn(origin: &str, bytes: &[u8]) -> ManifestFile;

#[derive(Debug)]
struct Known {
    /// `None`: read again at the next scan.
    stamp: Option<Stamp>,
    /// Hash of the bytes, where they could be read.
    digest: Option<u64>,
    file: ManifestFile,
}

/// The files of the manifest path, by path.
#[derive(Debug)]
pub struct Cache {
    reader: Reader,
    /// For bytes that are read again and are the same: while many files are moved in, most are.
    hasher: RandomState,
    files: BTreeMap<PathBuf, Known>,
    /// Last good manifests of a former run, until the first look that finds files.
    remembered: BTreeMap<String, Arc<Manifest>>,
}

impl Cache {
    /// An empty cache that understands files with `reader`. `remembered` are last good manifests of a former run, by
    /// path.
    #[must_use]
    pub fn new(reader: Reader, remembered: BTreeMap<String, Arc<Manifest>>) -> Self {
        Self { reader, hasher: RandomState::new(), files: BTreeMap::new(), remembered }
    }

    /// Takes over what a scan found: reads new and changed files, forgets the ones that are gone.
    ///
    /// `touched` files are read whatever their stamp says; those in `busy` are being written and keep their last
    /// meaning until they rest.
    pub fn refresh(&mut self, entries: Vec<Entry>, touched: &HashSet<PathBuf>, busy: &HashSet<PathBuf>) {
        let mut old = std::mem::take(&mut self.files);
        let mut room = bound::Room::default();
        for Entry { path, stamp } in entries {
            let known = old.remove(&path);
            if busy.contains(&path) {
                if let Some(mut known) = known {
                    room.keep(&mut known.file);
                    self.files.insert(path, known);
                }
                continue;
            }
            let same = matches!((&known, &stamp), (Some(k), Ok(s)) if k.stamp == Some(*s)) && !touched.contains(&path);
            let mut next = match known {
                Some(known) if same => known,
                known => match stamp.and_then(|_| scan::read(&path)) {
                    Ok((bytes, stamp)) => {
                        let digest = Some(self.hasher.hash_one(&bytes));
                        let file = match known {
                            Some(known) if known.digest == digest => known.file,
                            known => self.meaning(&path, &bytes, known),
                        };
                        Known { stamp: settled(stamp), digest, file }
                    }
                    // Deleted since the scan; its event will come. A link to nowhere stays, as a finding.
                    Err(e) if e.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => continue,
                    Err(e) => {
                        let file = unreadable(&path, &e, self.last_good(&path, known));
                        Known { stamp: None, digest: None, file }
                    }
                },
            };
            room.keep(&mut next.file);
            self.files.insert(path, next);
        }
        if !self.files.is_empty() {
            self.remembered.clear();
        }
    }

    fn last_good(&self, path: &Path, last: Option<Known>) -> Option<Arc<Manifest>> {
        match last {
            Some(known) => known.file.pod,
            None => self.remembered.get(&*path.to_string_lossy()).cloned(),
        }
    }

    fn meaning(&self, path: &Path, bytes: &[u8], last: Option<Known>) -> ManifestFile {
        let file = (self.reader)(&path.to_string_lossy(), bytes);
        with_last_good(file, self.last_good(path, last))
    }

    /// All files in name order, as the reconciler gets them: each pod in one of them.
    #[must_use]
    pub fn files(&self) -> Vec<ManifestFile> {
        let mut files: Vec<ManifestFile> = self.files.values().map(|k| k.file.clone()).collect();
        settle_duplicates(&mut files);
        files
    }
}

/// The stamp, unless the file changed so lately that a further change might not show in it.
fn settled(stamp: Stamp) -> Option<Stamp> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i128::try_from(d.as_nanos()).unwrap_or(0));
    (now - stamp.changed_ns() > UNSETTLED_NS).then_some(stamp)
}

fn with_last_good(mut file: ManifestFile, last: Option<Arc<Manifest>>) -> ManifestFile {
    if file.pod.is_none() {
        file.pod = last;
        file.stale = file.pod.is_some();
    }
    file
}

fn unreadable(path: &Path, e: &io::Error, last: Option<Arc<Manifest>>) -> ManifestFile {
    let origin = path.to_string_lossy().into_owned();
    let finding = match e.kind() {
        io::ErrorKind::NotFound => {
            Finding::unreadable(&origin, &"the link leads to a file that does not exist; correct or remove it")
        }
        _ => Finding::unreadable(&origin, e),
    };
    with_last_good(ManifestFile { origin, pod: None, stale: false, findings: vec![finding] }, last)
}
