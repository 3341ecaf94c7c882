//! How long to wait after failures. Pure: chance comes in as a value.

use std::time::Duration;

/// As the kubelet's own informers (`kubernetes/client-go tools/cache/reflector.go`).
const FIRST: Duration = Duration::from_millis(800);
/// Failures that still count behind a list that worked: the next wait is 3.2 s or more.
const EASED: u32 = 2;
const LONGEST: Duration = Duration::from_secs(30);
/// Longest wait that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// All is well again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Half of it works: lists do, watches may not. Comes back soon, and not so soon that lists are a burden.
    pub(super) fn ease(&mut self) {
        self.failures = self.failures.min(EASED);
    }

    /// Whether there was no failure since all was well.
    pub(super) fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// Notes a failure. The wait doubles with each and is lengthened by up to its own length, so that the nodes of a
    /// cluster do not come back at the same moment; it is never shorter than what the server asked for.
    pub(super) fn next(&mut self, chance: u64, asked: Option<Duration>) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let wait = wait.max(asked.unwrap_or_default().min(LONGEST_ASKED));
        wait + spread(wait, chance)
    }
}

/// A part of `span`, from nothing to nearly all of it, as `chance` has it.
pub(super) fn spread(span: Duration, chance: u64) -> Duration {
    span.mul_f64((chance >> 11) as f64 / (1u64 << 53) as f64)
}

/// A number that nobody can tell beforehand, for the two functions above.
pub(super) fn chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_limit_and_starts_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next(0, None).as_millis()).collect();
        assert_eq!(waits, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        for _ in 0..100 {
            assert_eq!(backoff.next(0, None), LONGEST);
        }
        backoff.ease();
        assert_eq!(backoff.next(0, None), 4 * FIRST);
        backoff.reset();
        backoff.ease();
        assert_eq!(backoff.next(0, None), FIRST);
    }

    #[test]
    fn chance_lengthens_it_and_the_server_may_ask_for_more() {
        let most = Backoff::default().next(u64::MAX, None);
        assert!(most > FIRST && most <= 2 * FIRST, "{most:?}");
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::default().next(0, Some(10 * second)), 10 * second);
        assert_eq!(Backoff::default().next(0, Some(10_000 * second)), LONGEST_ASKED);
    }
}
