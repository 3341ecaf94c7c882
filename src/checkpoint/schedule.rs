//! When to write: seldom, since flash wears out.

use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use crate::store::checkpoint::Checkpoint;

/// From a change of a spec to the write. Changes come in bunches: this takes the bunch along, and leaves the other
/// half of the promised 10 s for a busy machine.
const SPECS_WITHIN: Duration = Duration::from_secs(5);
/// From a change of statuses alone to the write.
const STATUSES_WITHIN: Duration = Duration::from_secs(295);
/// After a write that failed.
const RETRY: Duration = Duration::from_secs(60);
/// Revisions served since the last write after which it is due whatever changed: half of the leap that a start makes
/// beyond the persisted revision.
const REVISIONS: u64 = 1 << 19;

/// What tells two checkpoints apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Print {
    /// Of metadata, specs and manifests.
    specs: u64,
    /// Of everything but the revision and the time.
    all: u64,
    revision: u64,
}

impl Print {
    /// The print of a checkpoint.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let (mut specs, mut all) = (DefaultHasher::new(), DefaultHasher::new());
        for pod in &checkpoint.pods {
            for section in [pod.metadata(), pod.spec()] {
                put(&mut specs, section);
            }
            put(&mut all, pod.status());
        }
        for kept in &checkpoint.manifests {
            let manifest = &kept.manifest;
            for part in [kept.origin.as_bytes(), manifest.metadata.as_slice(), manifest.spec.as_slice()] {
                put(&mut specs, part);
            }
        }
        for (uid, instances) in checkpoint.ended.iter() {
            put(&mut all, uid.as_bytes());
            instances.iter().for_each(|instance| put(&mut all, instance.id.as_bytes()));
        }
        all.write_u64(specs.finish());
        Self { specs: specs.finish(), all: all.finish(), revision: checkpoint.revision }
    }
}

/// With its length, so that bytes cannot move from one part to the next unseen.
fn put(hasher: &mut DefaultHasher, bytes: &[u8]) {
    hasher.write_usize(bytes.len());
    hasher.write(bytes);
}

/// Decides when the next write is due. Time comes in as a value.
#[derive(Debug, Default)]
pub struct Schedule {
    on_disk: Option<Print>,
    /// When the write for what was seen last is due.
    due: Option<Instant>,
    not_before: Option<Instant>,
}

impl Schedule {
    /// Starts from what is on disk, if anything is.
    #[must_use]
    pub fn new(on_disk: Option<Print>) -> Self {
        Self { on_disk, ..Self::default() }
    }

    /// Compares what would be written now with what is on disk.
    pub fn see(&mut self, now_is: Print, now: Instant) {
        let delay = match self.on_disk {
            Some(disk) if disk.all == now_is.all && now_is.revision.saturating_sub(disk.revision) < REVISIONS => {
                self.due = None; // back to what is on disk: nothing to write
                return;
            }
            Some(disk) if disk.specs == now_is.specs => STATUSES_WITHIN,
            _ => SPECS_WITHIN,
        };
        let due = now + delay;
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// When to write; `None` where there is nothing to write.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due.map(|due| self.not_before.map_or(due, |earliest| due.max(earliest)))
    }

    /// This is on disk now.
    pub fn wrote(&mut self, print: Print) {
        *self = Self::new(Some(print));
    }

    /// The write failed; the next one is tried after a while.
    pub fn failed(&mut self, now: Instant) {
        self.not_before = Some(now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::pod_bytes::PodBytes;

    fn print(spec: u8, status: u8, revision: u64) -> Print {
        let pods = vec![PodBytes::from_sections(&[], &[0x10, spec], &[0x10, status], &[])];
        Print::of(&Checkpoint { revision, pods, ..Checkpoint::default() })
    }

    fn due_in(schedule: &Schedule, start: Instant) -> Option<u64> {
        schedule.due().map(|due| (due - start).as_secs())
    }

    #[test]
    fn specs_soon_statuses_seldom_and_the_same_never() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut schedule = Schedule::new(None);
        schedule.see(print(1, 1, 1), start);
        assert_eq!(due_in(&schedule, start), Some(5));
        schedule.wrote(print(1, 1, 1));
        assert_eq!(schedule.due(), None);
        schedule.see(print(1, 2, 2), start);
        assert_eq!(due_in(&schedule, start), Some(295));
        schedule.see(print(1, 3, 3), after(100));
        assert_eq!(due_in(&schedule, start), Some(295), "the first change counts");
        schedule.see(print(2, 3, 4), after(101));
        assert_eq!(due_in(&schedule, start), Some(106));
        schedule.see(print(1, 1, 5), after(102));
        assert_eq!(schedule.due(), None, "all is as it was");
        schedule.see(print(1, 1, 1 + REVISIONS), after(103));
        assert_eq!(due_in(&schedule, start), Some(103 + 295), "but the revision has run away");
    }

    #[test]
    fn a_failed_write_is_not_repeated_at_once() {
        let start = Instant::now();
        let mut schedule = Schedule::new(None);
        schedule.see(print(1, 1, 1), start);
        schedule.failed(start + SPECS_WITHIN);
        assert_eq!(due_in(&schedule, start), Some(65));
        schedule.see(print(2, 1, 2), start + SPECS_WITHIN);
        assert_eq!(due_in(&schedule, start), Some(65));
        schedule.wrote(print(2, 1, 2));
        schedule.see(print(3, 1, 3), start);
        assert_eq!(due_in(&schedule, start), Some(5));
    }
}
