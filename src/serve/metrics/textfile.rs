//! The page as a file, for the textfile collector of node_exporter: metrics without a port.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{bounded, Receiver, RecvTimeoutError, Sender};

use super::page::Page;

/// How often the file is written: as often as Prometheus' own default has it read.
const EVERY: Duration = Duration::from_secs(15);
const STACK: usize = 128 * 1024;

/// Keeps the file up to date. When it is dropped, the file goes too: old figures would look like new ones.
#[derive(Debug)]
pub struct Textfile {
    /// Closing it stops the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Textfile {
    /// Starts the thread `metrics-file`, which writes at once and then every 15 seconds. A file that cannot be written
    /// is tried again, and complained about once until it can.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(path: PathBuf, page: Arc<Page>) -> io::Result<Self> {
        let (stop, stopped) = bounded(0); // nothing is ever sent: closing it is the message
        let body = move || run(&path, &page, &stopped);
        let thread = thread::Builder::new().name("metrics-file".into()).stack_size(STACK).spawn(body)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Textfile {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|t| t.join().is_err()) {
            log::error!("the thread metrics-file ended in a panic");
        }
    }
}

fn run(path: &Path, page: &Page, stopped: &Receiver<()>) {
    let mut failed = false;
    loop {
        match write(path, &page.without_process()) {
            Ok(()) => failed = false,
            Err(e) if !failed => {
                failed = true;
                log::warn!("{}: cannot write metrics: {e}; trying again every {} s", path.display(), EVERY.as_secs());
            }
            Err(_) => {}
        }
        if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
            let _ = fs::remove_file(path); // it may never have been written
            return;
        }
    }
}

/// Writes a draft beside the file and moves it into place: a reader sees one page or the other. The draft's name does
/// not end in `.prom`, so that the collector leaves it alone. Everybody may read it, whatever our umask.
fn write(path: &Path, page: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_os_string();
    name.push(".new");
    let draft = path.with_file_name(name);
    let _ = fs::remove_file(&draft); // of a process that was killed; a link is not followed
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .write_all(page.as_bytes())
        .and_then(|()| file.set_permissions(fs::Permissions::from_mode(0o644)))
        .and_then(|()| fs::rename(&draft, path));
    written.inspect_err(|_| drop(fs::remove_file(&draft)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::snapshot::Snapshot;
    use crate::store::Store;

    #[test]
    fn is_there_whole_and_goes_with_the_daemon() {
        let dir = std::env::temp_dir().join(format!("nodepods-textfile-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("nodepods.prom");
        fs::write(dir.join("nodepods.prom.new"), "left behind").unwrap();
        write(&path, "a 1\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a 1\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);

        let page = Page::new(Store::new(Snapshot::empty(1)), Arc::default(), || (0, 0));
        assert!(!page.without_process().contains("process_") && page.text().contains("process_"));
        drop(Textfile::start(path.clone(), page).unwrap());
        assert!(!path.exists());

        fs::remove_dir_all(&dir).unwrap();
        assert!(write(&path, "").is_err());
    }
}
