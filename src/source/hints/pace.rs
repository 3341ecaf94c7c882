//! When to nudge: a hint and what CRI says are some milliseconds apart.

use std::time::{Duration, Instant};

use super::places::Hint;

/// The last thing that containerd does before it notes the end.
const ENDED: Duration = Duration::from_millis(2);
/// From the directory's new name to its removal: 1 to 25 ms were measured, more on a busy machine. In case the
/// removal cannot be seen.
const ENDS: Duration = Duration::from_millis(60);
/// From the directory to the running process: 40 to 60 ms were measured.
const STARTS: Duration = Duration::from_millis(60);
/// A second look for when the first one came too early.
const AGAIN: Duration = Duration::from_millis(60);
/// The same after a start, which takes longer.
const AGAIN_STARTED: Duration = Duration::from_millis(250);

/// The nudges that are due. Two places are enough: of several the earliest counts, and the last has the last word.
#[derive(Debug, Default)]
pub struct Pace {
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Pace {
    /// Notes what was seen.
    pub fn note(&mut self, hint: Hint, now: Instant) {
        let (soon, again) = match hint {
            Hint::Starts => (STARTS, AGAIN_STARTED),
            Hint::Ends => (ENDS, AGAIN),
            Hint::Ended => (ENDED, AGAIN),
        };
        let (soon, again) = (now + soon, now + again);
        self.first = Some(self.first.map_or(soon, |at| at.min(soon)));
        self.last = Some(self.last.map_or(again, |at| at.max(again)));
    }

    /// When the next nudge is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.first.or(self.last)
    }

    /// Takes out what is due at `now`; true if it is time to nudge.
    pub fn take(&mut self, now: Instant) -> bool {
        let mut due = false;
        for place in [&mut self.first, &mut self.last] {
            due |= place.take_if(|at| *at <= now).is_some();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nudges(hints: &[(u64, Hint)]) -> Vec<u64> {
        let start = Instant::now();
        let (mut pace, mut told) = (Pace::default(), Vec::new());
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            hints.iter().filter(|(at, _)| *at == ms).for_each(|(_, hint)| pace.note(*hint, now));
            if pace.take(now) {
                told.push(ms);
            }
        }
        assert_eq!(pace.next(), None);
        told
    }

    #[test]
    fn soon_and_once_more() {
        assert!(nudges(&[]).is_empty());
        assert_eq!(nudges(&[(0, Hint::Ended)]), [2, 60]);
        assert_eq!(nudges(&[(0, Hint::Starts)]), [60, 250]);
        assert_eq!(nudges(&[(0, Hint::Ends), (10, Hint::Ended)]), [12, 70]);
        assert_eq!(nudges(&[(0, Hint::Ends)]), [60]);
        let storm: Vec<_> = (0..500).map(|ms| (ms, Hint::Starts)).collect();
        assert_eq!(nudges(&storm).len(), 10, "one in 61 ms, and the last word");
    }
}
