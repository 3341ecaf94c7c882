//! The revision, written down: so that revisions grow over a restart even where the clock does not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::revision::LEAP;

/// The file in the state directory.
const NAME: &str = "revision";

/// Keeps the file up to date, seldom: a start leaps over [`LEAP`] revisions, so half of that may go unwritten.
#[derive(Debug)]
pub struct RevisionFile {
    dir: PathBuf,
    written: Option<u64>,
}

impl RevisionFile {
    /// Reads what was written down in this state directory; `None` where there is nothing that can be read.
    #[must_use]
    pub fn open(dir: &Path) -> (Self, Option<u64>) {
        let text = fs::read_to_string(dir.join(NAME)).unwrap_or_default();
        (Self { dir: dir.into(), written: None }, text.trim().parse().ok())
    }

    /// Writes down the revision from which a run starts, before it serves any: should the process die at once, the next
    /// one finds it. It does not wait for the disk, which only matters to clients that outlive a power cut: none on
    /// this node do.
    ///
    /// # Errors
    /// The file cannot be written; the old one stays.
    pub fn start(&self, revision: u64) -> io::Result<()> {
        self.replace(revision, |_| Ok(()))
    }

    /// Writes the revision down if it is time to, and waits until it is on the disk.
    ///
    /// # Errors
    /// The file cannot be written; the old one stays.
    pub fn served(&mut self, revision: u64) -> io::Result<()> {
        if self.written.is_some_and(|w| revision < w.saturating_add(LEAP / 2)) {
            return Ok(());
        }
        self.written = Some(revision); // also after an error: one message is enough for half a million changes
        self.replace(revision, File::sync_all)?;
        File::open(&self.dir)?.sync_all()
    }

    fn replace(&self, revision: u64, sync: fn(&File) -> io::Result<()>) -> io::Result<()> {
        let (new, place) = (self.dir.join(".revision.new"), self.dir.join(NAME));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        writeln!(file, "{revision}")?;
        sync(&file)?;
        fs::rename(new, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn is_written_seldom_and_read_back() {
        let test = TestDir::new();
        let dir = test.path("state");
        fs::create_dir(&dir).unwrap();
        let (mut file, before) = RevisionFile::open(&dir);
        assert_eq!(before, None);
        file.start(999).unwrap();
        assert_eq!(RevisionFile::open(&dir).1, Some(999));
        file.served(1000).unwrap();
        file.served(1001).unwrap();
        assert_eq!(RevisionFile::open(&dir).1, Some(1000));
        assert_eq!(fs::metadata(dir.join(NAME)).unwrap().mode() & 0o777, 0o600);
        file.served(1000 + LEAP).unwrap();
        assert_eq!(RevisionFile::open(&dir).1, Some(1000 + LEAP));
        fs::write(dir.join(NAME), "rubbish").unwrap();
        assert_eq!(RevisionFile::open(&dir).1, None);
        fs::remove_dir_all(&dir).unwrap();
        assert!(file.served(1000 + 3 * LEAP).is_err());
    }
}
