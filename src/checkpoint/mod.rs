//! What outlives a restart: the last known pods, last good manifests and the revision, in the state directory.
//!
//! A checkpoint is a help, never a condition: whatever is wrong with it costs one log line, and the daemon goes on.

mod error;
mod file;
mod revision_file;
mod saver;
mod schedule;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::file::CheckpointFile;
use self::revision_file::RevisionFile;
use self::schedule::Print;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::time::Time;
use crate::pod::manifest::Manifest;
use crate::store::checkpoint::{Checkpoint, Kept};
use crate::store::update::{Health, HealthState, SourceId, Update};
use crate::store::Ended;

pub use self::error::FileError;
pub use self::saver::{Manifests, Saver};

/// Last good manifests of a former run: they stand in for what is broken now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Of files, by path.
    pub files: BTreeMap<String, Arc<Manifest>>,
    /// Of URLs: the URL as it may be shown, and one of its pods.
    pub urls: Vec<(String, Arc<Manifest>)>,
}

impl Remembered {
    fn of(all: Vec<Kept>) -> Self {
        let (urls, files): (Vec<_>, Vec<_>) = all.into_iter().partition(|kept| kept.source == SourceId::Http);
        let pair = |kept: Kept| (kept.origin, kept.manifest);
        Self { files: files.into_iter().map(pair).collect(), urls: urls.into_iter().map(pair).collect() }
    }
}

/// The state directory with what was found in it at the start.
#[derive(Debug)]
pub struct Restored {
    file: CheckpointFile,
    revision_file: RevisionFile,
    pods: Option<Vec<PodBytes>>,
    as_of_ms: u64,
    print: Option<Print>,
    /// The last revision that was written down: give it to `Revision::start`.
    pub revision: Option<u64>,
    /// Last good manifests: for the sources, and for the next checkpoint until these have spoken.
    pub manifests: Remembered,
    /// Ended instances: give them to `Reconciler::remember`.
    pub ended: Arc<Ended>,
}

/// Reads the checkpoint in `state_dir`; logs what is wrong with it. Call it before the sources start.
#[must_use]
pub fn restore(state_dir: &Path) -> Restored {
    let file = CheckpointFile::in_dir(state_dir);
    let (revision_file, written) = RevisionFile::open(state_dir);
    let loaded = file.load().unwrap_or_else(|e| {
        log::error!("checkpoint: {e}");
        None
    });
    let print = loaded.as_ref().map(Print::of);
    let Some(Checkpoint { revision, as_of_ms, pods, manifests, ended }) = loaded else {
        let (manifests, ended) = Default::default();
        return Restored { file, revision_file, pods: None, as_of_ms: 0, print, revision: written, manifests, ended };
    };
    log::info!("checkpoint: {} pods of {} restored", pods.len(), Time::from_unix_nanos(nanos(as_of_ms)).rfc3339_nano());
    let manifests = Remembered::of(manifests);
    let revision = written.max(Some(revision));
    Restored { file, revision_file, pods: Some(pods), as_of_ms, print, revision, manifests, ended }
}

impl Restored {
    /// Writes down the revision from which this run starts. A disk that does not take it costs a line in the log.
    pub fn starts_from(&self, revision: u64) {
        if let Err(e) = self.revision_file.start(revision) {
            unwritten(&e);
        }
    }

    /// What the reconciler is to be told before all sources: the pods, and how old they are. Empty the second time,
    /// and where there was no checkpoint.
    pub fn updates(&mut self) -> Vec<Update> {
        let Some(pods) = self.pods.take() else { return Vec::new() };
        let source = SourceId::Checkpoint;
        vec![Update::Health(source, self.stands_in()), Update::Pods { source, pods }]
    }

    /// How the checkpoint is while its pods are served.
    fn stands_in(&self) -> Health {
        self.health(HealthState::Down, "the pods of sources that have not answered yet")
    }

    /// `Down` while its pods stand in for those of others, so that their age is told beside every answer.
    fn health(&self, state: HealthState, error: &str) -> Health {
        let target = self.file.path().to_string_lossy().into_owned();
        let since = UNIX_EPOCH + Duration::from_millis(self.as_of_ms);
        Health { state, since, error: error.into(), target }
    }
}

fn unwritten(e: &io::Error) {
    log::warn!("cannot write the revision down: {e}; after a restart, watches may begin anew");
}

fn nanos(ms: u64) -> i64 {
    i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}

/// Milliseconds since the epoch; 0 for times before it.
fn unix_ms(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
