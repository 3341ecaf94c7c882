//! Token buckets: how often a client may ask. Pure; time comes in.

use std::time::{Duration, Instant};

/// A rate with room for a burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens that come back in a second.
    pub per_second: f64,
    /// Tokens there are at most.
    pub burst: f64,
}

impl Rate {
    /// No limit: more than anybody can ask.
    pub const UNLIMITED: Self = Self { per_second: 1e9, burst: 1e9 };
}

/// One bucket. It starts full.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: rate.burst, at: now }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// There is none; the duration says when the next one comes.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.rate.per_second).min(self.rate.burst);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // a rate of nothing never gives a token; an hour stands for never
        let wait = ((1.0 - self.tokens) / self.rate.per_second).clamp(0.0, 3600.0);
        Err(Duration::from_secs_f64(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Rate { per_second: 100.0, burst: 200.0 }, start);
        assert_eq!((0..300).filter(|_| bucket.take(start).is_ok()).count(), 200);
        let wait = bucket.take(start).unwrap_err();
        assert!(wait > Duration::from_millis(9) && wait < Duration::from_millis(11), "{wait:?}");
        let later = start + Duration::from_secs(1);
        assert_eq!((0..300).filter(|_| bucket.take(later).is_ok()).count(), 100);
        let much_later = start + Duration::from_secs(60);
        assert_eq!((0..300).filter(|_| bucket.take(much_later).is_ok()).count(), 200);
        assert!(bucket.take(start).is_err(), "a clock that steps back gives nothing");
    }

    #[test]
    fn a_rate_of_nothing_says_an_hour() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Rate { per_second: 0.0, burst: 0.0 }, now);
        assert_eq!(bucket.take(now), Err(Duration::from_secs(3600)));
    }
}
