//! When to nudge: a hint and what CRI says are some milliseconds apart.

use std::time::{Duration, Instant};

use super::places::Hint;
use crate::source::cri::Nudge;

/// From the directory to the running process: 40 to 60 ms were measured.
const STARTS: Duration = Duration::from_millis(60);
/// A second look for when the first one came too early.
const AGAIN: Duration = Duration::from_millis(100);
/// The same after a start, which takes longer.
const AGAIN_STARTED: Duration = Duration::from_millis(250);

/// The nudges that are due. Two places are enough: of several the earliest counts, and the last has the last word.
#[derive(Debug, Default)]
pub struct Pace {
    first: Option<Instant>,
    last: Option<Instant>,
    /// The container that ended last and was not told yet.
    ended: Option<String>,
}

impl Pace {
    /// Notes what was seen.
    pub fn note(&mut self, hint: Hint, now: Instant) {
        let (soon, again) = match hint {
            Hint::Starts => (STARTS, AGAIN_STARTED),
            // At once: whoever asks waits until the runtime says so too.
            Hint::Ended(id) => {
                self.ended = id.or(self.ended.take());
                (Duration::ZERO, AGAIN)
            }
            Hint::Appeared => (Duration::ZERO, AGAIN_STARTED),
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

    /// Takes out what is due at `now`: `None` where it is not time to nudge.
    pub fn take(&mut self, now: Instant) -> Option<Nudge> {
        let mut due = false;
        for place in [&mut self.first, &mut self.last] {
            due |= place.take_if(|at| *at <= now).is_some();
        }
        due.then(|| self.ended.take().map_or(Nudge::Look, Nudge::Ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nudges(hints: &[(u64, Hint)]) -> Vec<(u64, Nudge)> {
        let start = Instant::now();
        let (mut pace, mut told) = (Pace::default(), Vec::new());
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            hints.iter().filter(|(at, _)| *at == ms).for_each(|(_, hint)| pace.note(hint.clone(), now));
            told.extend(pace.take(now).map(|nudge| (ms, nudge)));
        }
        assert_eq!(pace.next(), None);
        told
    }

    #[test]
    fn soon_and_once_more() {
        let ended = |id: &str| Hint::Ended(Some(id.into()));
        let tells = |id: &str| Nudge::Ended(id.into());
        assert!(nudges(&[]).is_empty());
        assert_eq!(nudges(&[(0, ended("a"))]), [(0, tells("a")), (100, Nudge::Look)]);
        assert_eq!(nudges(&[(0, Hint::Starts)]), [(60, Nudge::Look), (250, Nudge::Look)]);
        assert_eq!(nudges(&[(0, Hint::Starts), (10, ended("b"))])[0], (10, tells("b")));
        assert_eq!(nudges(&[(0, ended("a")), (0, Hint::Ended(None))])[0], (0, tells("a")));
        let storm: Vec<_> = (0..500).map(|ms| (ms, Hint::Starts)).collect();
        assert_eq!(nudges(&storm).len(), 10, "one in 61 ms, and the last word");
    }
}
