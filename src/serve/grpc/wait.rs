//! Waiting for what the gRPC core does, with an end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use crossbeam_channel::{bounded, Receiver, Sender};

/// Waits for `future` until `deadline`; `None` when it is not done by then.
pub(crate) fn until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        thread::park_timeout(left);
    }
}

/// A waker that can be waited for together with other channels.
pub(crate) fn channel() -> (Waker, Receiver<()>) {
    struct Nudge(Sender<()>);
    impl Wake for Nudge {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }
        fn wake_by_ref(self: &Arc<Self>) {
            let _ = self.0.try_send(()); // full: a nudge is already waiting, and one is as good as many
        }
    }
    let (nudge, nudged) = bounded(1);
    (Waker::from(Arc::new(Nudge(nudge))), nudged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future;
    use std::time::Duration;

    #[test]
    fn ends_with_the_future_or_the_deadline() {
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(until(future::ready(1), soon), Some(1));
        assert_eq!(until(future::pending::<()>(), soon), None);
        assert!(Instant::now() >= soon);
    }

    #[test]
    fn many_nudges_are_one() {
        let (waker, nudged) = channel();
        waker.wake_by_ref();
        waker.wake();
        assert_eq!(nudged.try_iter().count(), 1);
    }
}
