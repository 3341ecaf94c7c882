//! The place where the current snapshot stands, and how readers learn that there is a newer one.

use std::sync::Arc;

use crossbeam_channel::{bounded, Receiver, Sender};
use parking_lot::Mutex;

use super::contacts::Contacts;
use super::snapshot::Snapshot;

/// Holds the current snapshot. The reconciler publishes, everybody else reads.
///
/// The two locks are never held together: reading the snapshot does not wait for subscribers to be woken.
#[derive(Debug)]
pub struct Store {
    current: Mutex<Arc<Snapshot>>,
    contacts: Arc<Contacts>,
    subscribers: Mutex<Subscribers>,
}

#[derive(Debug, Default)]
struct Subscribers {
    closed: bool,
    next: u64,
    wakers: Vec<(u64, Sender<()>)>,
}

impl Store {
    /// A store that serves `first` until something is published.
    #[must_use]
    pub fn new(first: Snapshot) -> Arc<Self> {
        Arc::new(Self { current: Mutex::new(Arc::new(first)), contacts: Arc::default(), subscribers: Mutex::default() })
    }

    /// The current snapshot. Holds the lock no longer than it takes to clone the `Arc`.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.lock())
    }

    /// What is known of the sources beside the snapshots. Sources write it, and nobody is woken.
    #[must_use]
    pub fn contacts(&self) -> &Arc<Contacts> {
        &self.contacts
    }

    /// Makes `snapshot` the current one and wakes all subscribers.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.replace(snapshot);
        self.wake();
    }

    /// Subscribes to changes. Read [`Store::current`] after subscribing: whatever is published later wakes.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>) -> Subscription {
        // One place: when it is full a wake-up is already waiting, and one is as good as many, since whoever is
        // woken looks at the current snapshot. So a full channel loses nothing.
        let (waker, changed) = bounded(1);
        let mut subscribers = self.subscribers.lock();
        let number = subscribers.next;
        subscribers.next += 1;
        if !subscribers.closed {
            subscribers.wakers.push((number, waker));
        }
        Subscription { store: Arc::clone(self), number, changed }
    }

    /// Ends all watches: the daemon stops. The last snapshot stays readable.
    pub fn close(&self) {
        let mut subscribers = self.subscribers.lock();
        subscribers.closed = true;
        subscribers.wakers = Vec::new(); // their receivers see the disconnection
    }

    /// Whether [`Store::close`] was called.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.subscribers.lock().closed
    }

    /// First half of publishing. It must come before [`Store::wake`]: a reader that was woken has to find the news.
    fn replace(&self, snapshot: Arc<Snapshot>) {
        let old = std::mem::replace(&mut *self.current.lock(), snapshot);
        drop(old); // after the lock: freeing a snapshot takes longer than cloning an Arc
    }

    fn wake(&self) {
        for (_, waker) in &self.subscribers.lock().wakers {
            let _ = waker.try_send(()); // full: a wake-up is already waiting
        }
    }
}

/// A reader's end of the wake-ups; dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    store: Arc<Store>,
    number: u64,
    changed: Receiver<()>,
}

impl Subscription {
    /// Receives once (or more) after each change. Disconnected means that the store was closed.
    #[must_use]
    pub fn changed(&self) -> &Receiver<()> {
        &self.changed
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.store.subscribers.lock().wakers.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod interleavings;

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::TryRecvError;

    #[test]
    fn a_published_snapshot_is_current_and_wakes_once() {
        let store = Store::new(Snapshot::empty(1));
        let subscription = store.subscribe();
        assert_eq!(subscription.changed().try_recv(), Err(TryRecvError::Empty));
        store.publish(Arc::new(Snapshot::empty(2)));
        store.publish(Arc::new(Snapshot::empty(3)));
        assert_eq!(subscription.changed().try_recv(), Ok(()));
        assert_eq!(subscription.changed().try_recv(), Err(TryRecvError::Empty));
        assert_eq!(store.current().revision, 3);
    }

    #[test]
    fn closing_ends_subscriptions_old_and_new() {
        let store = Store::new(Snapshot::empty(1));
        let before = store.subscribe();
        store.close();
        assert!(store.closed());
        let after = store.subscribe();
        assert_eq!(before.changed().try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(after.changed().try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(store.current().revision, 1);
    }

    #[test]
    fn a_dropped_subscription_is_forgotten() {
        let store = Store::new(Snapshot::empty(1));
        let (a, b) = (store.subscribe(), store.subscribe());
        drop(a);
        assert_eq!(store.subscribers.lock().wakers.len(), 1);
        store.publish(Arc::new(Snapshot::empty(2)));
        assert_eq!(b.changed().try_recv(), Ok(()));
    }
}
