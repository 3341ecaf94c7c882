//! Static pod manifests in a directory or one file.
//!
//! inotify says when to look; a full look every `file_check_frequency` catches what inotify cannot see (the target
//! of a link that changes elsewhere, network file systems). Every look is a whole one: list, compare stamps, read
//! what changed. So a lost event costs time, never truth.

mod cache;
mod events;
pub(crate) mod scan;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{never, select, Receiver};

use self::cache::Cache;
pub use self::cache::Reader;
use self::events::{Event, Events};
use self::scan::Scan;
use self::watch::{Meaning, PathWatch};
use super::reporter::{Reporter, Stopped};
use crate::heartbeat;
use crate::plain::plain;
use crate::pod::finding::{Finding, Severity};
use crate::pod::manifest::{Manifest, ManifestFile};
use crate::store::update::{HealthState, SourceId, Update};

/// A file that is being written is read when it was left alone this long, unless its writer closes it first.
const QUIET: Duration = Duration::from_millis(20);
/// A file that is never left alone is read all the same.
const LONGEST_WRITE: Duration = Duration::from_millis(500);

/// Lines in the log about one file; what else is wrong in it is data all the same.
const MOST_LINES: usize = 10;

/// Batches of events that are taken before a look.
const AT_ONCE: usize = 64;

/// Where the manifests are: fixed by option, or looked up anew at each full look.
pub type Locate = Box<dyn Fn() -> Option<PathBuf> + Send>;

/// The source's state; owned by its thread.
struct Manifests {
    reporter: Reporter,
    locate: Locate,
    every: Duration,
    reread: Receiver<()>,
    cache: Cache,
    path: Option<PathBuf>,
    /// Whether something was ever found at `path`.
    existed: bool,
    watch: Option<PathWatch>,
    watch_failed: bool,
    /// Files that are being written: when first and when last touched.
    writing: HashMap<PathBuf, (Instant, Instant)>,
    /// What lies there and is no file, at the last look.
    passed_over: Vec<(PathBuf, &'static str)>,
    /// Files that an event named: read whatever their stamp says.
    touched: HashSet<PathBuf>,
    sent: Option<Vec<ManifestFile>>,
}

/// Runs the source until the reporter's stop. A message in `reread` brings the next full look forward; make it a
/// `bounded(1)` channel and drop what does not fit.
/// `remembered` are the last good manifests of a former run by path: they stand in for files that are broken now.
pub fn run(
    reporter: Reporter,
    locate: Locate,
    every: Duration,
    reread: Receiver<()>,
    reader: Reader,
    remembered: BTreeMap<String, Arc<Manifest>>,
) {
    let (events, failed) = match Events::start() {
        Ok(events) => (Some(events), false),
        Err(e) => {
            log::warn!("manifests: no inotify ({e}); changes show at the next re-read, every {every:?}");
            (None, true)
        }
    };
    let mut source = Manifests {
        reporter,
        locate,
        every,
        reread,
        cache: Cache::new(reader, remembered),
        path: None,
        existed: false,
        watch: events.as_ref().map(|e| PathWatch::new(e.watches.clone())),
        watch_failed: failed,
        writing: HashMap::new(),
        passed_over: Vec::new(),
        touched: HashSet::new(),
        sent: None,
    };
    let batches = events.as_ref().map_or_else(never, |e| e.batches.clone());
    let Stopped = source.work(&batches);
    drop(batches);
    if let Some(Events { batches, thread, .. }) = events {
        drop(batches);
        // A reader that cannot be woken ends with the process; a stop does not wait for it.
        if source.watch.is_some_and(|watch| watch.wake_reader()) {
            let _ = thread.join();
        }
    }
}

impl Manifests {
    fn work(&mut self, batches: &Receiver<Vec<Event>>) -> Stopped {
        let mut batches = batches.clone();
        loop {
            if let Err(stopped) = self.full_look() {
                return stopped;
            }
            let mut next_full = Instant::now() + self.every;
            loop {
                let wake = self.settles_at().map_or(next_full, |t| t.min(next_full));
                let rest = heartbeat::rest(Some(wake));
                select! {
                    recv(self.reporter.stop()) -> _ => return Stopped,
                    recv(batches) -> batch => match batch {
                        // What already waits counts too: many new files are one look.
                        Ok(batch) => if !self.take(batches.try_iter().take(AT_ONCE).fold(batch, join)) { continue },
                        Err(_) => {
                            batches = never(); // the reader has said why it ended; full looks go on
                            continue;
                        }
                    },
                    recv(self.reread) -> asked => match asked {
                        Ok(()) => next_full = Instant::now(),
                        Err(_) => {
                            self.reread = never(); // nobody asks any more
                            continue;
                        }
                    },
                    recv(crossbeam_channel::at(wake)) -> _ => {}
                }
                drop(rest);
                if Instant::now() >= next_full {
                    break;
                }
                if let Err(stopped) = self.look() {
                    return stopped;
                }
            }
        }
    }

    /// Notes what a batch of events says. True when it is time to look.
    fn take(&mut self, batch: Vec<Event>) -> bool {
        let (Some(watch), Some(path)) = (&self.watch, &self.path) else { return false };
        let now = Instant::now();
        let mut look = false;
        for (wd, mask, name) in batch {
            let file = |name: Option<_>| name.map_or_else(|| path.clone(), |n: std::ffi::OsString| path.join(n));
            match watch.meaning(&wd, mask, name.as_deref()) {
                Meaning::Nothing => {}
                Meaning::Everything => look = true,
                Meaning::Writing(name) => {
                    self.writing.entry(file(name)).and_modify(|w| w.1 = now).or_insert((now, now));
                }
                Meaning::Done(name) => {
                    let file = file(name);
                    self.writing.remove(&file);
                    self.touched.insert(file);
                    look = true;
                }
            }
        }
        look
    }

    /// When the first of the files that are being written counts as written.
    fn settles_at(&self) -> Option<Instant> {
        self.writing.values().map(|&(first, last)| (last + QUIET).min(first + LONGEST_WRITE)).min()
    }

    /// Asks again where the manifests are, and reads them.
    fn full_look(&mut self) -> Result<(), Stopped> {
        let path = (self.locate)();
        if path != self.path {
            if let Some(path) = &path {
                log::info!("manifests: reading {}", path.display());
            }
            self.path = path;
            self.existed = false;
            self.writing.clear();
        }
        self.look()
    }

    fn look(&mut self) -> Result<(), Stopped> {
        let Some(path) = self.path.clone() else {
            self.reporter.health(HealthState::Absent, "this kind of node has no manifest directory by default", "")?;
            return self.send(Vec::new());
        };
        let target = path.to_string_lossy().into_owned();
        self.follow(&path);
        let now = Instant::now();
        let (busy, ready): (HashMap<_, _>, HashMap<_, _>) = std::mem::take(&mut self.writing)
            .into_iter()
            .partition(|(_, (first, last))| now < (*last + QUIET).min(*first + LONGEST_WRITE));
        self.touched.extend(ready.into_keys());
        match scan::scan(&path) {
            Ok(Scan::Found { entries, passed_over }) => {
                self.note_passed_over(passed_over);
                self.cache.refresh(entries, &self.touched, &busy.keys().cloned().collect());
                self.existed = true;
                self.reporter.health(HealthState::Up, "", &target)?;
            }
            Ok(Scan::Missing) => {
                self.cache.refresh(Vec::new(), &self.touched, &HashSet::new());
                let text = format!("{target} does not exist; it is read as soon as it does");
                // One that was there and is gone holds nothing. One that never was may be a wrong name.
                let state = if self.existed { HealthState::Up } else { HealthState::Starting };
                if self.reporter.health(state, &text, &target)? {
                    log::info!("manifests: {text}");
                }
            }
            Err(e) => {
                let text = plain(format!("{target} cannot be read: {e}; the last known manifests are kept"));
                if self.reporter.health(HealthState::Down, &text, &target)? {
                    log::error!("manifests: {text}");
                }
                self.writing = busy;
                return Ok(());
            }
        }
        self.touched.clear();
        self.writing = busy;
        self.send(self.cache.files())
    }

    /// One line for each thing that lies where manifests are and is none, as a kubelet has.
    fn note_passed_over(&mut self, found: Vec<(PathBuf, &'static str)>) {
        for (path, what) in found.iter().filter(|f| !self.passed_over.contains(f)) {
            log::warn!("manifests: {} is {what}: not read, as by a kubelet; remove or rename it", path.display());
        }
        self.passed_over = found;
    }

    fn follow(&mut self, path: &Path) {
        let Some(watch) = &mut self.watch else { return };
        let failed = watch.follow(path).err();
        if let Some(e) = failed.as_ref().filter(|_| !self.watch_failed) {
            let path = path.display();
            log::warn!(
                "manifests: {path} cannot be watched ({e}); changes show at the next re-read, every {:?}",
                self.every
            );
        }
        self.watch_failed = failed.is_some();
    }

    fn send(&mut self, files: Vec<ManifestFile>) -> Result<(), Stopped> {
        if self.sent.as_ref() == Some(&files) {
            return Ok(());
        }
        log_changes(self.sent.as_deref().unwrap_or_default(), &files);
        self.sent = Some(files.clone());
        self.reporter.send(Update::Manifests { source: SourceId::File, files })
    }
}

fn join(mut all: Vec<Event>, more: Vec<Event>) -> Vec<Event> {
    all.extend(more);
    all
}

/// One line for each finding that is new, up to [`MOST_LINES`] a file, and one for each file that has none any more.
fn log_changes(before: &[ManifestFile], now: &[ManifestFile]) {
    let known: HashMap<&str, &[Finding]> = before.iter().map(|f| (f.origin.as_str(), &*f.findings)).collect();
    for file in now {
        let old = known.get(file.origin.as_str()).copied().unwrap_or_default();
        let mut news = file.findings.iter().filter(|f| !old.contains(f));
        for finding in news.by_ref().take(MOST_LINES) {
            match finding.severity {
                Severity::Error if file.stale => log::error!("{finding} (its last good pod is kept)"),
                Severity::Error => log::error!("{finding}"),
                Severity::Warning => log::warn!("{finding}"),
            }
        }
        match news.count() {
            0 => {}
            more => log::warn!("{0}: {more} more; `nodepods lint {0}` shows them", file.origin),
        }
        if !old.is_empty() && file.findings.is_empty() {
            log::info!("{}: good again", file.origin);
        }
    }
}
