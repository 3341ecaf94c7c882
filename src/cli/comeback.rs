//! A daemon that went away, and how long it is given to come back.

use std::iter;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::exit::{Exit, Failure};

/// Pauses between attempts to reach it; later ones are as long as the longest.
const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2)];
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The attempts to reach a daemon again.
pub struct Comeback(Box<dyn Iterator<Item = Duration>>);

impl Comeback {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Box::new(PAUSES.into_iter().chain(iter::repeat(LONGEST_PAUSE))))
    }

    /// Pauses before the next attempt. A stream that was `complete` is a loss that is told, and begins anew with short
    /// pauses.
    pub fn wait(&mut self, complete: bool) {
        if complete {
            eprintln!("Warning: the daemon went away; waiting for it");
            *self = Self::new();
        }
        let pause = self.0.next().unwrap_or(LONGEST_PAUSE);
        thread::sleep(pause + jitter(pause));
    }
}

/// A stream of the daemon ended, which none does while it runs.
#[must_use]
pub fn ended() -> Failure {
    Failure::new(
        Exit::Unavailable,
        "error: the daemon ended the watch\nIs it being restarted? 'systemctl status nodepods' says.",
    )
}

/// Up to half as long again, so that many watchers do not come back at the same moment.
fn jitter(pause: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    pause.mul_f64(f64::from(nanos) / 2e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_never_end() {
        let pauses: Vec<_> = Comeback::new().0.take(100).collect();
        assert_eq!(pauses.len(), 100);
        assert!(pauses.is_sorted() && pauses[99] == LONGEST_PAUSE);
        assert!(jitter(LONGEST_PAUSE) <= LONGEST_PAUSE / 2);
    }
}
