//! What gRPC's core rings: its wakers, for threads that wait on channels.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crossbeam_channel::{bounded, Receiver, Sender};

/// A waker, and where its owner hears that it was rung: when the core has a message or is ready for one, and when the
/// peer is gone.
pub(crate) fn new() -> (Waker, Receiver<()>) {
    // One place: when it is full it was rung already, and once is as good as twice.
    let (ring, rung) = bounded(1);
    (Waker::from(Arc::new(Bell(ring))), rung)
}

struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _ = self.0.try_send(()); // full, or nobody waits any more
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_heard_once_however_often_it_is_rung() {
        let (waker, rung) = super::new();
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert_eq!(rung.try_iter().count(), 1);
        waker.wake_by_ref();
        assert_eq!(rung.try_iter().count(), 1, "and again after that");
        drop(rung);
        waker.wake();
    }
}
