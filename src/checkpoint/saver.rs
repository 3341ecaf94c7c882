//! The thread that writes checkpoints.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{after, at, bounded, never, select, Receiver, Sender};
use parking_lot::Mutex;

use super::schedule::{Print, Schedule};
use super::{unix_ms, unwritten, Remembered, Restored};
use crate::heartbeat::{self, Heartbeats};
use crate::pod::manifest::{Manifest, ManifestFile};
use crate::store::checkpoint::{Checkpoint, Kept};
use crate::store::snapshot::{PodEntry, Snapshot};
use crate::store::update::{HealthState, SourceId, Update};
use crate::store::Store;

/// Snapshots are looked at no more often than this: a busy node publishes many, and few are written.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const STACK: usize = 256 << 10;
/// The entry of `metadata.annotations` on pods that only the runtime knows: without a spec they are no use later.
const PARTIAL: &[u8] = b"\x0a\x10nodepods.io/spec\x12\x07partial";

/// The last good manifests of each source. Its end at the reconciler notes them, its end at the saver writes them.
#[derive(Clone, Debug, Default)]
pub struct Manifests(Arc<Mutex<BTreeMap<SourceId, Heard>>>);

/// What one source has.
#[derive(Debug)]
struct Heard {
    /// In this run; else in a former one, and the source has not spoken since.
    now: bool,
    kept: Vec<Kept>,
}

impl Manifests {
    /// Those of a former run: what a source cannot read now must not be forgotten.
    fn of(former: Remembered) -> Self {
        let heard = |source, former: Vec<(String, Arc<Manifest>)>| {
            let kept = former.into_iter().map(|(origin, manifest)| Kept { source, origin, manifest });
            (source, Heard { now: false, kept: kept.collect() })
        };
        let Remembered { files, urls } = former;
        let both = [heard(SourceId::File, files.into_iter().collect()), heard(SourceId::Http, urls)];
        Self(Arc::new(Mutex::new(both.into())))
    }

    /// Takes the manifests out of an update before the reconciler applies it, so that they are written together with
    /// what it makes of them.
    pub fn note(&self, update: &Update) {
        let Update::Manifests { source, files } = update else { return };
        let kept = |file: &ManifestFile| {
            let manifest = file.pod.clone()?;
            Some(Kept { source: *source, origin: file.origin.clone(), manifest })
        };
        self.0.lock().insert(*source, Heard { now: true, kept: files.iter().filter_map(kept).collect() });
    }

    /// All of them but for those of a source that this run does not ask.
    fn all(&self, snapshot: &Snapshot) -> Vec<Kept> {
        let asked = |id: &SourceId| snapshot.sources.iter().any(|(s, h)| s == id && h.state != HealthState::Absent);
        let heard = self.0.lock();
        heard.iter().filter(|(id, h)| h.now || asked(id)).flat_map(|(_, h)| &h.kept).cloned().collect()
    }
}

/// A running thread `checkpoint`. Dropping it writes what is still unwritten.
#[derive(Debug)]
pub struct Saver {
    manifests: Manifests,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// Starts the thread. `updates` leads to the reconciler: it hears when the restored pods are no longer needed.
    ///
    /// # Errors
    /// The kernel gives no thread.
    pub fn start(
        store: Arc<Store>,
        mut restored: Restored,
        updates: Sender<Update>,
        beats: &Heartbeats,
    ) -> io::Result<Self> {
        let manifests = Manifests::of(std::mem::take(&mut restored.manifests));
        let (stop, stopped) = bounded(0); // nothing is ever sent: its end is the message
        let work = Work {
            schedule: Schedule::new(restored.print),
            standing_in: restored.print.is_some(),
            restored,
            store,
            updates,
            manifests: manifests.clone(),
            last_trouble: String::new(),
            left_out: 0,
        };
        let (name, beats) = ("checkpoint", beats.clone());
        let thread = thread::Builder::new().name(name.into()).stack_size(STACK).spawn(move || {
            let _watched = beats.enter(name);
            work.run(&stopped);
        })?;
        Ok(Self { manifests, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the reconciler's thread notes manifests.
    #[must_use]
    pub fn manifests(&self) -> Manifests {
        self.manifests.clone()
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The thread's state.
struct Work {
    store: Arc<Store>,
    restored: Restored,
    updates: Sender<Update>,
    manifests: Manifests,
    schedule: Schedule,
    /// The restored pods are served in the place of a source that has not answered.
    standing_in: bool,
    last_trouble: String,
    left_out: usize,
}

impl Work {
    fn run(mut self, stopped: &Receiver<()>) {
        let subscription = self.store.subscribe();
        let mut changed = subscription.changed().clone();
        loop {
            let snapshot = self.store.current();
            self.stand_in_or_rest(&snapshot);
            self.look(&snapshot);
            if let Err(e) = self.restored.revision_file.served(snapshot.revision) {
                unwritten(&e);
            }
            let due = self.schedule.due();
            let rest = heartbeat::rest(due);
            let due = due.map_or_else(never, at);
            select! {
                recv(stopped) -> _ => break,
                recv(changed) -> more => {
                    if more.is_err() {
                        changed = never(); // the store is closed: the stop comes next
                    }
                    select! {
                        recv(stopped) -> _ => break,
                        recv(after(LOOK_EVERY)) -> _ => {}
                    }
                }
                recv(due) -> _ => {
                    drop(rest);
                    self.write();
                }
            }
        }
        let last = self.store.current();
        self.look(&last);
        if self.schedule.due().is_some() {
            self.write();
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        if let Some(checkpoint) = self.checkpoint(snapshot) {
            self.schedule.see(Print::of(&checkpoint), Instant::now());
        }
    }

    /// Says whether the restored pods are served in the place of others.
    fn stand_in_or_rest(&mut self, snapshot: &Snapshot) {
        let served = snapshot.held.get(&SourceId::Checkpoint).is_some_and(|n| *n > 0);
        if self.restored.print.is_none() || !snapshot.initialized || self.standing_in == served {
            return;
        }
        let health = match served {
            true => self.restored.stands_in(),
            false => self.restored.health(HealthState::Resting, ""),
        };
        // Full: the reconciler is busy, and this can be said at the next look as well.
        if self.updates.try_send(Update::Health(SourceId::Checkpoint, health)).is_ok() {
            self.standing_in = served;
        }
    }

    /// What would be written now; `None` while the node is not known, since less is known then than is on disk.
    fn checkpoint(&self, snapshot: &Snapshot) -> Option<Checkpoint> {
        let pods = snapshot.pods.iter().filter(|pod| !is_partial(pod)).map(|pod| pod.bytes.clone());
        snapshot.initialized.then(|| Checkpoint {
            revision: snapshot.revision,
            as_of_ms: as_of(snapshot, self.restored.as_of_ms, unix_ms(SystemTime::now())),
            pods: pods.collect(),
            manifests: self.manifests.all(snapshot),
            ended: Arc::clone(&snapshot.ended),
        })
    }

    fn write(&mut self) {
        let Some(checkpoint) = self.checkpoint(&self.store.current()) else { return };
        let encoded = checkpoint.encode();
        if encoded.left_out > self.left_out {
            log::warn!(
                "checkpoint: {} pods, manifests or ended instances do not fit and are left out",
                encoded.left_out
            );
        }
        self.left_out = encoded.left_out;
        let trouble = match self.restored.file.save(&encoded.bytes) {
            Ok(()) => {
                log::debug!("checkpoint: {} pods, {} bytes", checkpoint.pods.len(), encoded.bytes.len());
                self.schedule.wrote(Print::of(&checkpoint));
                String::new()
            }
            Err(e) => {
                self.schedule.failed(Instant::now());
                e.to_string()
            }
        };
        if trouble != self.last_trouble {
            if trouble.is_empty() {
                log::info!("checkpoint: written again");
            } else {
                log::error!("checkpoint: {trouble}; pods are served all the same");
            }
            self.last_trouble = trouble;
        }
    }
}

fn is_partial(pod: &PodEntry) -> bool {
    const ANNOTATIONS: u32 = 12;
    let fields = crate::codec::wire::fields(pod.bytes.metadata()).map_while(Result::ok);
    let is_mark = |value| matches!(value, crate::codec::wire::Value::Bytes(PARTIAL));
    fields.into_iter().any(|field| field.number == ANNOTATIONS && is_mark(field.value))
}

/// When the pods of the sources that can vanish were last known to be true: now, while the source answers; when it went
/// away, after that; what the checkpoint said, where it has not answered yet. The kubelet and the API server know the
/// same pods, the manifest URL has its own: the older ones count.
fn as_of(snapshot: &Snapshot, restored_ms: u64, now_ms: u64) -> u64 {
    let last = |ids: &[SourceId]| {
        let expected = snapshot.sources.iter().filter(|(id, h)| ids.contains(id) && h.state != HealthState::Absent);
        let known = expected.map(|(_, health)| match health.state {
            HealthState::Up => now_ms,
            HealthState::Down => unix_ms(health.since),
            _ if restored_ms > 0 => restored_ms,
            _ => now_ms,
        });
        known.max()
    };
    let groups = [last(&[SourceId::Kubelet, SourceId::ApiServer]), last(&[SourceId::Http])];
    groups.into_iter().flatten().min().unwrap_or(now_ms)
}

#[cfg(test)]
mod tests;
