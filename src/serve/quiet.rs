//! Complaints that may come in floods, said once in a while.

use std::time::{Duration, Instant};

/// Lets the first complaint through, then one a minute, and counts what it held back.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    last: Option<Instant>,
    held_back: u64,
}

const EVERY: Duration = Duration::from_secs(60);

impl Quiet {
    /// Whether to speak now; if so, with how many complaints were held back since the last time.
    pub(crate) fn speak(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.duration_since(last) < EVERY) {
            self.held_back += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_two_lines_with_a_number() {
        let (mut quiet, start) = (Quiet::default(), Instant::now());
        assert_eq!(quiet.speak(start), Some(0));
        assert!((1..60).all(|s| quiet.speak(start + Duration::from_secs(s)).is_none()));
        assert_eq!(quiet.speak(start + EVERY), Some(59));
        assert_eq!(quiet.speak(start + EVERY * 2), Some(0));
    }
}
