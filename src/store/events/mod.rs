//! What was seen to happen to the pods of this node, in the form of Kubernetes events.
//!
//! These are our own observations: what changed between two snapshots, and when the runtime says it did. What a
//! kubelet alone knows (pulls, probes, back-off) is not among them.

mod facts;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::snapshot::{PodEntry, PodId, Snapshot};
use facts::{Fact, What};

/// Events that are kept. With names, reasons and messages an event takes about half a KiB, so all of them take less
/// than 256 KiB; the oldest goes for a new one.
pub const MOST: usize = 256;
/// Events of one pod among them: a pod in a crash loop pushes out its own alone.
pub const MOST_OF_A_POD: usize = 16;
/// How long an event is kept, in seconds: as long as an API server does.
const KEPT: i64 = 3600;

/// Something that happened, as often as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodEvent {
    /// The pod it happened to.
    pub pod: Arc<PodId>,
    /// The part of the pod, such as `spec.containers{main}`; empty for the whole.
    pub field_path: String,
    /// Whether it is of the type Warning, else Normal.
    pub warning: bool,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// When it happened first, in seconds since the epoch.
    pub first: i64,
    /// When it happened last.
    pub last: i64,
    /// How often.
    pub count: u32,
    /// Revision at which it was made: its name.
    pub number: u64,
    /// Revision of its last change.
    pub revision: u64,
}

/// The events of the last hour. Pure: the time comes in as a value.
#[derive(Debug)]
pub struct EventLog {
    /// By growing revision.
    events: VecDeque<Arc<PodEvent>>,
    /// The last one that was given.
    revision: u64,
    /// Before this, events may be missing.
    start: u64,
    previous: Option<Arc<Snapshot>>,
}

impl EventLog {
    /// An empty log whose revisions grow from `revision`.
    #[must_use]
    pub fn new(revision: u64) -> Self {
        Self { events: VecDeque::new(), revision, start: revision, previous: None }
    }

    /// Compares with the snapshot before and notes what has happened. `now` is in seconds since the epoch. The first
    /// snapshot of a known node tells what its pods' statuses remember of the last hour.
    pub fn observe(&mut self, snapshot: &Arc<Snapshot>, now: i64) {
        if !snapshot.initialized {
            return;
        }
        self.revision = self.revision.max(snapshot.revision);
        match self.previous.replace(Arc::clone(snapshot)) {
            None => {
                let pods = snapshot.pods.iter();
                let mut facts: Vec<_> =
                    pods.flat_map(|p| facts::of(p.bytes.status()).into_iter().map(move |f| (p, f))).collect();
                facts.sort_by_key(|(_, fact)| fact.at);
                let recent = |(_, fact): &(&Arc<PodEntry>, Fact)| fact.at.is_some_and(|at| at > now - KEPT);
                facts.into_iter().filter(recent).for_each(|(pod, fact)| self.note_fact(&pod.id, fact, now));
            }
            Some(before) => self.compare(&before, snapshot, now),
        }
        let before = self.events.len();
        self.events.retain(|event| event.last > now - KEPT);
        self.forgot(before != self.events.len());
    }

    /// Events went without a trace: who has not seen everything up to now has to list again.
    fn forgot(&mut self, some: bool) {
        if some {
            self.start = self.revision;
        }
    }

    /// The events, those that changed last at the end.
    pub fn events(&self) -> impl Iterator<Item = &Arc<PodEvent>> {
        self.events.iter()
    }

    /// Revision of the last change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A client that has seen everything up to an older revision than this may have missed something.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    fn compare(&mut self, before: &Snapshot, after: &Snapshot, now: i64) {
        for old in &before.pods {
            if after.by_uid(&old.id.uid).is_none() {
                self.note(&old.id, String::new(), false, "Removed", "Pod is gone from this node".into(), now);
            }
        }
        for new in &after.pods {
            match before.by_uid(&new.id.uid) {
                Some(old) if Arc::ptr_eq(old, new) || old.bytes.status() == new.bytes.status() => {}
                old => {
                    if old.is_none() {
                        self.note(&new.id, String::new(), false, "Added", "Pod is on this node".into(), now);
                    }
                    let known = old.map(|old| facts::of(old.bytes.status())).unwrap_or_default();
                    let news = facts::of(new.bytes.status()).into_iter().filter(|fact| !known.contains(fact));
                    news.for_each(|fact| self.note_fact(&new.id, fact, now));
                }
            }
        }
    }

    fn note_fact(&mut self, pod: &Arc<PodId>, fact: Fact, now: i64) {
        let name = &fact.container;
        let (warning, reason, message) = match fact.what {
            What::Started => (false, "Started".into(), format!("Started container {name}")),
            What::Ended(code, reason) => {
                let reason = match reason.as_str() {
                    "" if code == 0 => "Completed".into(),
                    "" => "Error".into(),
                    _ => reason,
                };
                (code != 0, reason, format!("Container {name} ended with exit code {code}"))
            }
            What::Waits(reason) => (true, reason, format!("Container {name} cannot start")),
        };
        self.note(pod, fact.field_path, warning, &reason, message, fact.at.unwrap_or(now));
    }

    fn note(&mut self, pod: &Arc<PodId>, field_path: String, warning: bool, reason: &str, message: String, at: i64) {
        self.revision += 1;
        let revision = self.revision;
        let same = |e: &Arc<PodEvent>| {
            e.pod == *pod && e.field_path == field_path && e.reason == reason && e.message == message
        };
        let before = self.events.iter().position(same).and_then(|place| self.events.remove(place));
        let event = match before {
            Some(before) => PodEvent {
                first: before.first.min(at),
                last: before.last.max(at),
                count: before.count.saturating_add(1),
                revision,
                ..(*before).clone()
            },
            None => PodEvent {
                pod: Arc::clone(pod),
                field_path,
                warning,
                reason: reason.into(),
                message,
                first: at,
                last: at,
                count: 1,
                number: revision,
                revision,
            },
        };
        if self.events.iter().filter(|e| e.pod == *pod).count() >= MOST_OF_A_POD {
            let oldest = self.events.iter().position(|e| e.pod == *pod);
            let oldest = oldest.and_then(|place| self.events.remove(place));
            self.forgot(oldest.is_some());
        }
        if self.events.len() >= MOST {
            self.events.pop_front();
            self.forgot(true);
        }
        self.events.push_back(Arc::new(event));
    }
}

/// The log, shared between the owner of the pods, who observes, and those who read.
#[derive(Debug)]
pub struct Events(Mutex<EventLog>);

/// The log at one moment.
#[derive(Clone, Debug)]
pub struct EventsView {
    /// Those that changed last at the end.
    pub events: Vec<Arc<PodEvent>>,
    /// Revision of the last change.
    pub revision: u64,
    /// A client that has seen everything up to an older revision than this may have missed something.
    pub start: u64,
}

impl Events {
    /// An empty log whose revisions grow from `revision`.
    #[must_use]
    pub fn new(revision: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(EventLog::new(revision))))
    }

    /// See [`EventLog::observe`]. Call it before the snapshot is published: who is woken by it finds its events.
    pub fn observe(&self, snapshot: &Arc<Snapshot>, now: i64) {
        self.0.lock().observe(snapshot, now);
    }

    /// The log as it is now. Holds the lock no longer than it takes to clone the pointers.
    #[must_use]
    pub fn look(&self) -> EventsView {
        let log = self.0.lock();
        EventsView { events: log.events().cloned().collect(), revision: log.revision(), start: log.start() }
    }
}

#[cfg(test)]
mod tests;
