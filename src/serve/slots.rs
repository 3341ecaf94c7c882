//! Places for what runs as long as a client wants: so many at a time, and all of it ends when told to.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{bounded, Receiver, Sender};
use parking_lot::{Condvar, Mutex};

/// How many there may be, and how many are taken.
pub(crate) struct Slots {
    most: usize,
    taken: Mutex<usize>,
    one_free: Condvar,
    /// Closed when the server stops.
    stop: Mutex<Option<Sender<()>>>,
    stopped: Receiver<()>,
}

impl Slots {
    /// With room for `most`.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        // Nothing is ever sent: closing it is the message, and it reaches everybody.
        let (stop, stopped) = bounded(0);
        Arc::new(Self { most, taken: Mutex::new(0), one_free: Condvar::new(), stop: Mutex::new(Some(stop)), stopped })
    }

    /// A place until it is dropped; `None` where all are taken.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Slot> {
        let mut taken = self.taken.lock();
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Slot(Arc::clone(self)))
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many are taken now.
    pub(crate) fn count(&self) -> usize {
        *self.taken.lock()
    }

    /// Tells all who have one to come to their end.
    pub(crate) fn stop(&self) {
        drop(self.stop.lock().take());
    }

    /// Disconnected once they are to end.
    pub(crate) fn stopped(&self) -> &Receiver<()> {
        &self.stopped
    }

    /// Waits until none is taken; false when some are at the deadline.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let mut taken = self.taken.lock();
        !self.one_free.wait_while_until(&mut taken, |n| *n > 0, deadline).timed_out()
    }
}

/// One of the places.
pub(crate) struct Slot(Arc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.taken.lock() -= 1;
        self.0.one_free.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn there_are_so_many_and_all_end_when_told_to() {
        let slots = Slots::new(2);
        let taken = [slots.take(), slots.take()];
        assert!(slots.take().is_none());
        let threads = taken.map(|slot| {
            let stopped = slots.stopped().clone();
            thread::spawn(move || {
                let _slot = slot;
                assert!(stopped.recv().is_err());
            })
        });
        assert_eq!(slots.count(), 2);
        assert!(!slots.wait(Instant::now()));
        slots.stop();
        assert!(slots.wait(Instant::now() + Duration::from_secs(10)));
        assert!(slots.take().is_some());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
