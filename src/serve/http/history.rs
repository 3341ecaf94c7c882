//! Snapshots that clients have seen, so that a watch can go on from the revision that its client names.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::store::snapshot::{PodEntry, Snapshot};

/// Snapshots that are kept. Unchanged pods are shared between them, so each costs its changes and a list of pointers.
/// The oldest goes when there are more; whoever asks for it is told to list again.
const KEPT: usize = 16;

/// The snapshots, by growing revision.
#[derive(Debug, Default)]
pub(crate) struct History {
    kept: Mutex<VecDeque<Arc<Snapshot>>>,
}

impl History {
    /// Notes that a client is shown this snapshot.
    pub(crate) fn note(&self, snapshot: &Arc<Snapshot>) {
        let mut kept = self.kept.lock();
        let place = kept.partition_point(|s| s.revision < snapshot.revision);
        if kept.get(place).is_some_and(|s| s.revision == snapshot.revision) {
            return;
        }
        if kept.len() == KEPT {
            if place == 0 {
                return; // older than everything that is kept
            }
            kept.pop_front();
            kept.insert(place - 1, Arc::clone(snapshot));
        } else {
            kept.insert(place, Arc::clone(snapshot));
        }
    }

    /// The newest snapshot that is not newer than `revision`.
    pub(crate) fn up_to(&self, revision: u64) -> Option<Arc<Snapshot>> {
        let kept = self.kept.lock();
        let after = kept.partition_point(|s| s.revision <= revision);
        kept.get(after.checked_sub(1)?).cloned()
    }

    /// The pods that a client knows who was shown everything up to `revision`, a later version of a pod behind an
    /// earlier one. `None` where that revision is no longer remembered.
    ///
    /// The client may know pods of a snapshot newer than its revision: it names the revision of the last pod that it
    /// was sent, and the snapshot may have had more to send.
    pub(crate) fn known_at(&self, revision: u64, current: &Snapshot) -> Option<Vec<Arc<PodEntry>>> {
        let before = self.up_to(revision)?;
        let after = self.kept.lock().iter().find(|s| s.revision >= revision).cloned();
        let snapshots = [Some(&*before), after.as_deref(), Some(current)];
        let pods = snapshots.into_iter().flatten().flat_map(|s| &s.pods);
        Some(pods.filter(|p| p.revision <= revision).cloned().collect())
    }

    /// The snapshot with exactly this revision.
    pub(crate) fn exactly(&self, revision: u64) -> Option<Arc<Snapshot>> {
        self.up_to(revision).filter(|s| s.revision == revision)
    }

    /// The oldest revision that is kept.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.kept.lock().front().map(|s| s.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_in_order() {
        let history = History::default();
        assert!(history.up_to(5).is_none() && history.oldest().is_none());
        for revision in [10, 30, 20, 20] {
            history.note(&Arc::new(Snapshot::empty(revision)));
        }
        let up_to = |revision| history.up_to(revision).map(|s| s.revision);
        assert_eq!((up_to(9), up_to(10), up_to(29), up_to(99)), (None, Some(10), Some(20), Some(30)));
        assert_eq!(history.exactly(20).map(|s| s.revision), Some(20));
        assert!(history.exactly(21).is_none());
        for revision in 100..100 + KEPT as u64 {
            history.note(&Arc::new(Snapshot::empty(revision)));
        }
        history.note(&Arc::new(Snapshot::empty(1)));
        assert_eq!((history.oldest(), history.kept.lock().len()), (Some(100), KEPT));
    }
}
