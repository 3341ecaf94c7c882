//! What one watcher is sent: differences between what it was last sent and what is true now.
//!
//! Level-triggered: there is no queue of events. A watcher remembers, for each pod, what it sent last. It compares
//! that with the current snapshot, works off the differences as one batch, and only then looks again. A slow client
//! gets fewer and fresher events, a hot pod takes one turn a batch like any other, and memory is bounded by the
//! number of pods. Between two calls neither a snapshot nor a pod is held.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::snapshot::{PodEntry, PodId, Snapshot};

/// One event of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The pod is new to this watcher.
    Added(Arc<PodEntry>),
    /// The pod differs from what this watcher was last sent.
    Modified(Arc<PodEntry>),
    /// The pod left the list (or the selection).
    Deleted(Arc<PodId>),
    /// Every pod of the start was sent. Comes once.
    InitialSyncComplete,
}

/// What a watcher wants to see: a selection of pods, and what of them.
pub trait View {
    /// Whether the watcher sees this pod. Entering the selection is ADDED, leaving it DELETED.
    fn selects(&self, pod: &PodEntry) -> bool;

    /// What the watcher sees of a pod: two versions that are the same here are no news to it.
    fn news(&self, pod: &PodEntry) -> News;
}

/// What a watcher sees of a pod, as one number: a revision, or a hash of masked bytes. Never zero, so that a watcher
/// remembers its absence for nothing; it remembers one for each pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News(NonZeroU64);

impl News {
    /// The same for the same number.
    #[must_use]
    pub fn of(number: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(number))
    }
}

/// Every pod, whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Everything;

impl View for Everything {
    fn selects(&self, _: &PodEntry) -> bool {
        true
    }

    fn news(&self, pod: &PodEntry) -> News {
        News::of(pod.revision)
    }
}

/// What this watcher knows about one pod.
#[derive(Debug)]
struct Seen {
    id: Arc<PodId>,
    /// Revision of the version that was judged last: each version is judged once.
    revision: u64,
    /// What was sent last; `None` where the selection leaves the pod out, which the client takes for absent.
    sent: Option<News>,
}

/// How far the start of the watch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fresh,
    InitialBatch,
    Live,
}

/// The state of one watch.
#[derive(Debug)]
pub struct Watcher<V = Everything> {
    view: V,
    phase: Phase,
    /// Sorted by UID.
    seen: Vec<Seen>,
    /// Pods that differed at the last look and were not dealt with yet.
    batch: VecDeque<Arc<PodId>>,
    suppressed: u64,
}

impl Watcher {
    /// A watch over every pod.
    #[must_use]
    pub fn new() -> Self {
        Self::with_view(Everything)
    }
}

impl Default for Watcher {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: View> Watcher<V> {
    /// A watch over what `view` shows.
    #[must_use]
    pub fn with_view(view: V) -> Self {
        Self { view, phase: Phase::Fresh, seen: Vec::new(), batch: VecDeque::new(), suppressed: 0 }
    }

    /// A watch that goes on for a client that has been sent these pods in these versions; of two versions of one pod
    /// the later in order counts. There is no initial batch and no marker: the first events are what differs.
    #[must_use]
    pub fn resume<'p>(view: V, known: impl IntoIterator<Item = &'p Arc<PodEntry>>) -> Self {
        let newest: BTreeMap<&str, &Arc<PodEntry>> = known.into_iter().map(|p| (p.id.uid.as_str(), p)).collect();
        let seen = |pod: &Arc<PodEntry>| Seen {
            id: Arc::clone(&pod.id),
            revision: pod.revision,
            sent: view.selects(pod).then(|| view.news(pod)),
        };
        let seen = newest.into_values().map(seen).collect();
        Self { view, phase: Phase::Live, seen, batch: VecDeque::new(), suppressed: 0 }
    }

    /// The next event, or `None` when this watcher's client knows everything that is in `current`. Pass the newest
    /// snapshot each time: what is sent of a pod is its latest state, not the one that put it into the batch.
    ///
    /// First ADDED for each pod in UID order, then INITIAL_SYNC_COMPLETE once, then changes; within a batch what
    /// is gone comes before what is new or changed, so that a pod that was replaced leaves before it enters.
    pub fn next(&mut self, current: &Snapshot) -> Option<Event> {
        loop {
            while let Some(id) = self.batch.pop_front() {
                if let Some(event) = self.resolve(&id, current) {
                    return Some(event);
                }
            }
            match self.phase {
                Phase::Fresh => {
                    self.phase = Phase::InitialBatch;
                    self.seen.reserve_exact(current.pods.len());
                    self.look(current);
                }
                Phase::InitialBatch => {
                    self.phase = Phase::Live;
                    self.batch = VecDeque::new(); // no batch to come is as large
                    return Some(Event::InitialSyncComplete);
                }
                Phase::Live => {
                    self.look(current);
                    if self.batch.is_empty() {
                        return None;
                    }
                }
            }
        }
    }

    /// Versions of pods that were no news to this watcher, since the last call.
    pub fn take_suppressed(&mut self) -> u64 {
        std::mem::take(&mut self.suppressed)
    }

    /// Makes the next batch: one walk along both lists, which are sorted by UID.
    fn look(&mut self, current: &Snapshot) {
        let mut changed = Vec::new();
        let mut seen = self.seen.iter().peekable();
        for pod in &current.pods {
            while let Some(gone) = seen.next_if(|s| s.id.uid < pod.id.uid) {
                self.batch.push_back(Arc::clone(&gone.id));
            }
            match seen.next_if(|s| s.id.uid == pod.id.uid) {
                Some(s) if s.revision == pod.revision => {}
                Some(s) if s.sent.is_some() && !self.view.selects(pod) => self.batch.push_back(Arc::clone(&s.id)),
                _ => changed.push(Arc::clone(&pod.id)),
            }
        }
        self.batch.extend(seen.map(|gone| Arc::clone(&gone.id)));
        self.batch.extend(changed);
    }

    /// Compares what was last sent of one pod with what is true now.
    fn resolve(&mut self, id: &PodId, current: &Snapshot) -> Option<Event> {
        let place = self.seen.binary_search_by(|s| s.id.uid.cmp(&id.uid));
        let Some(pod) = current.by_uid(&id.uid) else {
            let gone = self.seen.remove(place.ok()?);
            return gone.sent.map(|_| Event::Deleted(gone.id));
        };
        let now = self.view.selects(pod).then(|| self.view.news(pod));
        let seen = Seen { id: Arc::clone(&pod.id), revision: pod.revision, sent: now };
        let before = match place {
            Ok(at) => self.seen.get_mut(at).and_then(|s| std::mem::replace(s, seen).sent),
            Err(at) => {
                self.seen.insert(at, seen);
                None
            }
        };
        match (before, now) {
            (None, Some(_)) => Some(Event::Added(Arc::clone(pod))),
            (Some(_), None) => Some(Event::Deleted(Arc::clone(&pod.id))),
            (Some(before), Some(now)) if before != now => Some(Event::Modified(Arc::clone(pod))),
            (Some(_), Some(_)) => {
                self.suppressed += 1;
                None
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests;
