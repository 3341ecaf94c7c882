//! The files that are checked: those that are named, and those of a directory that a kubelet would read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::advice;
use crate::pod::finding::{Finding, Severity, MAX_FILE_BYTES};
use crate::pod::manifest::{self, settle_duplicates, ManifestFile};
use crate::source::manifests::scan::{self, Scan};

/// What was found, in the order of the command line.
#[derive(Debug, Default)]
pub struct Linted {
    /// One entry a file. Those of one directory stand in name order.
    pub files: Vec<ManifestFile>,
    /// Entries of the named directories that a kubelet passes over, such as hidden files.
    pub passed_over: Vec<String>,
}

impl Linted {
    /// Checks a file, or a directory by the kubelet's rules. What is named is checked even if its name is hidden.
    pub fn path(&mut self, path: &Path) {
        let origin = path.to_string_lossy();
        match scan::scan(path) {
            Ok(Scan::Missing) => self.files.push(failed(&origin, Finding::unreadable(&origin, &missing(path)))),
            Err(e) => self.files.push(failed(&origin, Finding::unreadable(&origin, &e))),
            Ok(Scan::Found { entries, .. }) => {
                let read: Vec<PathBuf> = entries.into_iter().map(|e| e.path).collect();
                self.note_passed_over(path, &read);
                for file in read {
                    self.file(&file);
                }
            }
        }
    }

    /// Checks a text.
    pub fn text(&mut self, origin: &str, bytes: &[u8]) {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return self.files.push(failed(origin, Finding::too_large(origin)));
        }
        let mut file = manifest::read(origin, bytes);
        file.findings.extend(advice::about_text(origin, bytes));
        self.files.push(file);
    }

    fn file(&mut self, path: &Path) {
        let origin = path.to_string_lossy();
        match scan::read(path) {
            Ok((bytes, _)) => self.text(&origin, &bytes),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                self.files.push(failed(&origin, Finding::unreadable(&origin, &missing(path))));
            }
            Err(e) => self.files.push(failed(&origin, Finding::unreadable(&origin, &e))),
        }
        let leftover = advice::about_name(&origin, path);
        if let Some(file) = self.files.last_mut() {
            file.findings.extend(leftover);
        }
    }

    fn note_passed_over(&mut self, dir: &Path, read: &[PathBuf]) {
        let Ok(entries) = std::fs::read_dir(dir) else { return }; // a file
        let others = entries.flatten().map(|e| e.path()).filter(|p| !read.contains(p));
        let mut names: Vec<_> = others.map(|p| p.to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        self.passed_over.append(&mut names);
    }

    /// Looks at the files together: those of one directory that ask for the same pod.
    pub fn finish(&mut self, node: &str) {
        let mut directories: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (i, file) in self.files.iter().enumerate() {
            let directory = Path::new(&file.origin).parent().map(Path::to_path_buf).unwrap_or_default();
            directories.entry(directory).or_default().push(i);
        }
        for places in directories.into_values() {
            let mut together: Vec<ManifestFile> = places.iter().filter_map(|&i| self.files.get(i).cloned()).collect();
            settle_duplicates(&mut together);
            for (i, file) in places.into_iter().zip(together) {
                if let Some(place) = self.files.get_mut(i) {
                    *place = file;
                }
            }
        }
        for file in &mut self.files {
            let advice = file.pod.as_deref().map(|pod| advice::about_pod(&file.origin, pod, node));
            file.findings.extend(advice.into_iter().flatten());
            file.findings.sort_by_key(|f| (f.line, f.column));
        }
    }

    /// The worst finding there is.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.files.iter().flat_map(|f| &f.findings).map(|f| f.severity).max()
    }
}

/// Why there is nothing under a path.
fn missing(path: &Path) -> &'static str {
    match path.is_symlink() {
        true => "it is a link to something that does not exist; correct or remove the link",
        false => "it does not exist; check the path",
    }
}

fn failed(origin: &str, finding: Finding) -> ManifestFile {
    ManifestFile { origin: origin.to_owned(), pod: None, stale: false, findings: vec![finding] }
}
