//! Snapshots of the past to which clients may come back: with a continue token, or with the revision they know.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshot::{PodEntry, Snapshot};

/// How long a snapshot is kept once a newer one is known; an API server's are, too (`kubernetes/kubernetes
/// --etcd-compaction-interval`). Unchanged pods are shared between snapshots, so that one costs what has changed since:
/// on a node that changes that is soon every pod.
pub const KEPT_FOR: Duration = Duration::from_secs(300);

/// Kept snapshots, by growing revision.
#[derive(Debug)]
pub struct Past {
    most: usize,
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    snapshot: Arc<Snapshot>,
    /// Since when it is known to be replaced: when [`Past::forget`] saw it first.
    old_since: Option<Instant>,
}

impl Past {
    /// Keeps this many; the oldest goes when there are more.
    #[must_use]
    pub fn of_at_most(most: usize) -> Self {
        Self { most, kept: VecDeque::new() }
    }

    /// Keeps a snapshot that a client was shown. One that is older than everything in a full row is not kept.
    pub fn keep(&mut self, snapshot: &Arc<Snapshot>) {
        let place = self.kept.partition_point(|k| k.snapshot.revision < snapshot.revision);
        if self.kept.get(place).is_some_and(|k| k.snapshot.revision == snapshot.revision) {
            return;
        }
        self.kept.insert(place, Kept { snapshot: Arc::clone(snapshot), old_since: None });
        if self.kept.len() > self.most {
            self.kept.pop_front();
        }
    }

    /// Forgets what is too old, now that `revision` is current. When to come back for more, which is also when what is
    /// current now may have been replaced; `None` where nothing is kept.
    pub fn forget(&mut self, revision: u64, now: Instant) -> Option<Instant> {
        for old in self.kept.iter_mut().filter(|k| k.snapshot.revision < revision) {
            old.old_since.get_or_insert(now);
        }
        self.kept.retain(|k| k.old_since.is_none_or(|since| now.saturating_duration_since(since) < KEPT_FOR));
        self.kept.iter().map(|k| k.old_since.unwrap_or(now) + KEPT_FOR).min()
    }

    /// The newest snapshot that is not newer than `revision`.
    #[must_use]
    pub fn up_to(&self, revision: u64) -> Option<&Arc<Snapshot>> {
        let after = self.kept.partition_point(|k| k.snapshot.revision <= revision);
        Some(&self.kept.get(after.checked_sub(1)?)?.snapshot)
    }

    /// The snapshot with exactly this revision.
    #[must_use]
    pub fn exactly(&self, revision: u64) -> Option<&Arc<Snapshot>> {
        self.up_to(revision).filter(|s| s.revision == revision)
    }

    /// The oldest snapshot that is not older than `revision`.
    #[must_use]
    pub fn not_before(&self, revision: u64) -> Option<&Arc<Snapshot>> {
        self.kept.iter().map(|k| &k.snapshot).find(|s| s.revision >= revision)
    }

    /// The pods that a client knows who was shown everything up to `revision`, a later version of a pod behind an
    /// earlier one. `None` where that revision is no longer remembered.
    ///
    /// The client may know pods of a snapshot newer than its revision: it names the revision of the last pod that it
    /// was sent, and the snapshot may have had more to send.
    #[must_use]
    pub fn known_at(&self, revision: u64, current: &Snapshot) -> Option<Vec<Arc<PodEntry>>> {
        let before = self.up_to(revision)?;
        let snapshots = [Some(&**before), self.not_before(revision).map(|s| &**s), Some(current)];
        let pods = snapshots.into_iter().flatten().flat_map(|s| &s.pods);
        Some(pods.filter(|p| p.revision <= revision).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(revision: u64) -> Arc<Snapshot> {
        Arc::new(Snapshot::empty(revision))
    }

    fn revisions(past: &Past) -> Vec<u64> {
        past.kept.iter().map(|k| k.snapshot.revision).collect()
    }

    #[test]
    fn the_newest_are_kept_in_order() {
        let mut past = Past::of_at_most(3);
        assert!(past.up_to(5).is_none() && past.not_before(0).is_none());
        for revision in [10, 30, 20, 20] {
            past.keep(&snapshot(revision));
        }
        let revision = |s: Option<&Arc<Snapshot>>| s.map(|s| s.revision);
        assert_eq!([9, 10, 29, 99].map(|r| revision(past.up_to(r))), [None, Some(10), Some(20), Some(30)]);
        assert_eq!([0, 20, 21, 31].map(|r| revision(past.not_before(r))), [Some(10), Some(20), Some(30), None]);
        assert_eq!([20, 21].map(|r| revision(past.exactly(r))), [Some(20), None]);
        past.keep(&snapshot(40));
        past.keep(&snapshot(1));
        assert_eq!(revisions(&past), [20, 30, 40]);
    }

    #[test]
    fn what_is_current_stays_and_what_is_old_goes_in_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut past = Past::of_at_most(8);
        assert_eq!(past.forget(1, start), None);
        past.keep(&snapshot(1));
        assert_eq!(past.forget(1, at(10_000)), Some(at(10_300)), "nothing is newer");
        past.keep(&snapshot(2));
        assert_eq!(past.forget(2, at(10_001)), Some(at(10_301)));
        past.keep(&snapshot(1));
        assert_eq!(past.forget(2, at(10_300)), Some(at(10_301)), "being shown again does not make it younger");
        assert_eq!(past.forget(2, at(10_301)), Some(at(10_601)));
        assert_eq!(revisions(&past), [2]);
        // Nobody is shown the third one, and still the second is old.
        assert_eq!(past.forget(3, at(10_400)), Some(at(10_700)));
        assert_eq!(past.forget(9, at(10_700)), None);
    }
}
