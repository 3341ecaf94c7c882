//! Encoded replies that several clients get.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, Receiver, Sender};
use parking_lot::Mutex;

use super::encode::{self, Change, Contract};
use super::reply::Reply;
use crate::store::masked::MaskedPods;
use crate::store::snapshot::{PodEntry, PodId, Snapshot};

/// How long a list is kept that nobody asks for: it is as large as all pods together.
pub(crate) const UNUSED: Duration = Duration::from_secs(5);

/// The whole list, built once for a revision and only when asked for, and kept while somebody asks.
#[derive(Debug)]
pub(crate) struct SharedList {
    last: Mutex<Option<Last>>,
    /// Holds one word: where it is there already, whoever forgets is awake.
    built: (Sender<()>, Receiver<()>),
}

#[derive(Debug)]
struct Last {
    revision: u64,
    reply: Reply,
    used: Instant,
}

impl Default for SharedList {
    fn default() -> Self {
        Self { last: Mutex::default(), built: bounded(1) }
    }
}

impl SharedList {
    /// The reply for this snapshot. Callers that ask for the same one wait for whoever builds it.
    pub(crate) fn of(&self, snapshot: &Snapshot) -> Reply {
        let mut last = self.last.lock();
        match &mut *last {
            Some(last) if last.revision == snapshot.revision => {
                last.used = Instant::now();
                last.reply.clone()
            }
            // An older snapshot than the one that was built last: not worth keeping.
            Some(last) if last.revision > snapshot.revision => build(snapshot),
            _ => {
                let reply = build(snapshot);
                *last = Some(Last { revision: snapshot.revision, reply: reply.clone(), used: Instant::now() });
                let _ = self.built.0.try_send(());
                reply
            }
        }
    }

    /// Says that a list has been built, which is to be forgotten some time.
    pub(crate) fn built(&self) -> &Receiver<()> {
        &self.built.1
    }

    /// Forgets the list if nobody has asked for it in the last [`UNUSED`]. False while one is kept.
    pub(crate) fn forget(&self, now: Instant) -> bool {
        let mut last = self.last.lock();
        if last.as_ref().is_some_and(|last| now.saturating_duration_since(last.used) >= UNUSED) {
            *last = None;
        }
        last.is_none()
    }
}

fn build(snapshot: &Snapshot) -> Reply {
    encode::list(snapshot.pods.iter().map(|p| p.bytes.as_bytes())).into()
}

/// Masks whose last list is kept; the oldest makes room.
const MOST_LISTS: usize = 8;

/// The whole list as a mask shows it, for each mask built once for a revision.
#[derive(Debug, Default)]
pub(crate) struct MaskedLists {
    lists: Mutex<VecDeque<(Arc<MaskedPods>, u64, Reply)>>,
}

impl MaskedLists {
    /// The reply for this snapshot.
    pub(crate) fn of(&self, mask: &Arc<MaskedPods>, snapshot: &Snapshot) -> Reply {
        let mut lists = self.lists.lock();
        let known = lists.iter().position(|(m, _, _)| Arc::ptr_eq(m, mask));
        if let Some((_, _, reply)) = known.and_then(|at| lists.get(at)).filter(|(_, r, _)| *r == snapshot.revision) {
            return reply.clone();
        }
        if let Some(at) = known {
            lists.remove(at);
        } else if lists.len() == MOST_LISTS {
            lists.pop_front();
        }
        let reply = masked_list(Some(mask), &snapshot.pods);
        lists.push_back((Arc::clone(mask), snapshot.revision, reply.clone()));
        reply
    }

    /// Forgets the lists of other revisions: nobody will ask for them.
    pub(crate) fn forget_others(&self, revision: u64) {
        self.lists.lock().retain(|(_, of, _)| *of == revision);
    }
}

/// These pods as a mask shows them.
pub(crate) fn masked_list(mask: Option<&Arc<MaskedPods>>, pods: &[Arc<PodEntry>]) -> Reply {
    match mask {
        None => encode::list(pods.iter().map(|p| p.bytes.as_bytes())).into(),
        Some(mask) => {
            let masked: Vec<_> = pods.iter().map(|p| mask.of(p).bytes).collect();
            encode::list(masked.iter().map(|b| &**b)).into()
        }
    }
}

/// Events that are kept. Watchers that keep up ask for the same few; one that is behind may find nothing and encodes
/// for itself, which costs a copy of the pod. The oldest makes room.
const MOST_EVENTS: usize = 16;
/// Bytes of events that are kept while watches are at their start: all of them ask for every pod.
const BURST_BYTES: usize = 2 << 20;

/// The latest events, encoded once for all watchers that get them.
#[derive(Debug, Default)]
pub(crate) struct SharedEvents {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    events: HashMap<Key, Reply>,
    /// Oldest first.
    order: VecDeque<Key>,
    bytes: usize,
    /// Watches at their start.
    bursts: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    revision: u64,
    change: Change,
    contract: Contract,
    id: Arc<PodId>,
}

impl SharedEvents {
    /// The encoded event of this version of a pod.
    pub(crate) fn of(&self, contract: Contract, change: Change, pod: &PodEntry) -> Reply {
        let key = Key { revision: pod.revision, change, contract, id: Arc::clone(&pod.id) };
        let mut kept = self.kept.lock();
        if let Some(reply) = kept.events.get(&key) {
            return reply.clone();
        }
        let reply = Reply::from(encode::changed(contract, change, pod.bytes.as_bytes()));
        kept.bytes += reply.as_ref().len();
        kept.events.insert(key.clone(), reply.clone());
        kept.order.push_back(key);
        kept.trim();
        reply
    }

    /// A watch is at its start while the guard lives.
    pub(crate) fn burst(self: &Arc<Self>) -> Burst {
        self.kept.lock().bursts += 1;
        Burst(Arc::clone(self))
    }
}

impl Kept {
    fn trim(&mut self) {
        while self.order.len() > MOST_EVENTS && (self.bursts == 0 || self.bytes > BURST_BYTES) {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= self.events.remove(&oldest).map_or(0, |reply| reply.as_ref().len());
        }
    }
}

/// A watch at its start.
#[derive(Debug)]
pub(crate) struct Burst(Arc<SharedEvents>);

impl Drop for Burst {
    fn drop(&mut self) {
        let mut kept = self.0.kept.lock();
        kept.bursts -= 1;
        kept.trim();
        if kept.bursts == 0 {
            kept.order.shrink_to(MOST_EVENTS);
            kept.events.shrink_to(MOST_EVENTS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::grpc::testing::{entry, snapshot};
    use crate::store::masked::{MaskCache, MaskText};

    fn place(reply: &Reply) -> *const u8 {
        reply.as_ref().as_ptr()
    }

    #[test]
    fn a_list_is_built_once_a_revision() {
        let (list, pod) = (SharedList::default(), entry("a", 1));
        let first = list.of(&snapshot(1, &[&pod]));
        assert_eq!(place(&first), place(&list.of(&snapshot(1, &[&pod]))));
        let second = list.of(&snapshot(2, &[&pod, &entry("b", 2)]));
        assert!(second.as_ref().len() > first.as_ref().len());
        assert_eq!(list.of(&snapshot(1, &[&pod])).as_ref(), first.as_ref());
        assert_eq!(place(&second), place(&list.of(&snapshot(2, &[]))));
    }

    #[test]
    fn a_list_that_nobody_asks_for_is_forgotten() {
        let (list, pod) = (SharedList::default(), entry("a", 1));
        assert!(list.forget(Instant::now()) && list.built().is_empty());
        list.of(&snapshot(1, &[&pod]));
        assert!(list.built().try_recv().is_ok());
        assert!(!list.forget(Instant::now()));
        assert!(list.forget(Instant::now() + UNUSED));
        list.of(&snapshot(1, &[&pod]));
        assert!(list.built().try_recv().is_ok());
    }

    #[test]
    fn an_event_is_encoded_once_and_forgotten_in_turn() {
        let (events, pod) = (SharedEvents::default(), entry("a", 1));
        let first = events.of(Contract::Kubelet, Change::Added, &pod);
        assert_eq!(place(&first), place(&events.of(Contract::Kubelet, Change::Added, &pod)));
        assert_ne!(first.as_ref(), events.of(Contract::Kubelet, Change::Modified, &pod).as_ref());
        assert_ne!(first.as_ref(), events.of(Contract::Documented, Change::Added, &pod).as_ref());
        for revision in 2..100 {
            events.of(Contract::Kubelet, Change::Added, &entry("b", revision));
        }
        assert_eq!(kept(&events), MOST_EVENTS);
    }

    fn kept(events: &SharedEvents) -> usize {
        let kept = events.kept.lock();
        assert_eq!(kept.events.len(), kept.order.len());
        assert_eq!(kept.bytes, kept.events.values().map(|r| r.as_ref().len()).sum::<usize>());
        kept.events.len()
    }

    #[test]
    fn while_watches_start_all_of_their_pods_are_kept() {
        let events = Arc::<SharedEvents>::default();
        let pods: Vec<_> = (0..100).map(|n| entry(&n.to_string(), n + 1)).collect();
        let all =
            || -> Vec<_> { pods.iter().map(|pod| place(&events.of(Contract::Kubelet, Change::Added, pod))).collect() };
        let (one, other) = (events.burst(), events.burst());
        let first = all();
        drop(one);
        assert_eq!(all(), first);
        drop(other);
        assert_eq!(kept(&events), MOST_EVENTS);
        let _burst = events.burst();
        let name = "x".repeat(BURST_BYTES / 40);
        for revision in 0..100 {
            events.of(Contract::Kubelet, Change::Added, &entry(&name, revision));
            assert!(events.kept.lock().bytes <= BURST_BYTES || kept(&events) <= MOST_EVENTS);
        }
    }

    #[test]
    fn a_masked_list_is_built_once_a_revision() {
        let (lists, masks, pod) = (MaskedLists::default(), MaskCache::default(), entry("a", 1));
        let mask = masks.get(&MaskText::Text("metadata.name".into())).unwrap();
        let first = lists.of(&mask, &snapshot(1, &[&pod]));
        assert_eq!(first.as_ref(), b"\x0a\x05\x0a\x03\x0a\x01a");
        assert_eq!(place(&first), place(&lists.of(&mask, &snapshot(1, &[]))));
        assert!(lists.of(&mask, &snapshot(2, &[])).as_ref().is_empty());
        for n in 0..20 {
            let mask = masks.get(&MaskText::Text(format!("metadata.labels['{n}']"))).unwrap();
            lists.of(&mask, &snapshot(1, &[&pod]));
        }
        assert_eq!(lists.lists.lock().len(), MOST_LISTS);
        lists.of(&mask, &snapshot(2, &[]));
        lists.forget_others(2);
        assert_eq!(lists.lists.lock().len(), 1);
    }
}
