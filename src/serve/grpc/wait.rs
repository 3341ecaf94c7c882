//! Waiting for what the gRPC core does, with an end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

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
}
