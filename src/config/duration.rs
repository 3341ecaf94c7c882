//! Durations as Go writes them, which is how every Kubernetes option takes them: `20s`, `1m30s`, `1.5h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Units from the longest to the shortest, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("us", 1_000),
    ("µs", 1_000), // U+00B5
    ("μs", 1_000), // U+03BC
    ("ns", 1),
    ("s", 1_000_000_000),
];

/// A span of time that is not negative, read and printed like Go's `time.Duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub Duration);

impl GoDuration {
    /// Whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// Nothing, or nothing but a sign.
    Empty,
    /// A number stands without `s`, `m`, ...
    NoUnit,
    /// A unit that Go does not know, or something that is no number.
    Unreadable,
    /// Less than nothing.
    Negative,
    /// More than 2^63 nanoseconds, some 292 years.
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a duration is expected, such as 20s or 1m30s",
            Self::NoUnit => "the unit is missing; write it as 20s, 500ms or 1m30s",
            Self::Unreadable => "not a duration; write it as 20s, 500ms or 1m30s",
            Self::Negative => "a duration cannot be negative",
            Self::TooLong => "longer than 292 years",
        })
    }
}

impl std::error::Error for DurationError {}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text.starts_with('-') {
            return Err(DurationError::Negative);
        }
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        match rest {
            "" => return Err(DurationError::Empty),
            "0" => return Ok(Self(Duration::ZERO)),
            _ => {}
        }
        let mut total = 0u64;
        while !rest.is_empty() {
            let whole = digits(&mut rest);
            let fraction = rest.strip_prefix('.').map(|r| {
                rest = r;
                digits(&mut rest)
            });
            if whole.is_empty() && fraction.is_none_or(str::is_empty) {
                return Err(DurationError::Unreadable);
            }
            let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
            let (unit, after) = rest.split_at_checked(end).ok_or(DurationError::Unreadable)?;
            rest = after;
            if unit.is_empty() {
                return Err(DurationError::NoUnit);
            }
            let (_, nanos) = UNITS.iter().find(|(u, _)| *u == unit).ok_or(DurationError::Unreadable)?;
            let part = scale(whole, fraction.unwrap_or_default(), *nanos).ok_or(DurationError::TooLong)?;
            total = total.checked_add(part).filter(|n| i64::try_from(*n).is_ok()).ok_or(DurationError::TooLong)?;
        }
        Ok(Self(Duration::from_nanos(total)))
    }
}

/// Takes the leading digits off `rest`.
fn digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (head, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    *rest = tail;
    head
}

fn scale(whole: &str, fraction: &str, unit: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (mut nanos, mut place) = (whole.checked_mul(unit)?, unit);
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place)?;
    }
    Some(nanos)
}

impl fmt::Display for GoDuration {
    /// Go's `Duration.String`: `1h0m0s`, `1m30s`, `1.5s`, `500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let trimmed = |n: u128, unit: u128| {
            let text = format!("{}.{:09}", n / unit, n % unit * (1_000_000_000 / unit));
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write!(f, "{}µs", trimmed(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{}ms", trimmed(nanos, 1_000_000)),
            _ => {
                let (minutes, rest) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                write!(f, "{}s", trimmed(rest, 1_000_000_000))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        let table = [
            ("0", 0),
            ("20s", 20_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("+5s", 5_000_000_000),
            ("100ms", 100_000_000),
            ("2us3ns", 2_003),
            ("2µs", 2_000),
            ("2μs", 2_000),
            ("1h1m1s1ms", 3_661_001_000_000),
            ("0.0000000001s", 0),
        ];
        for (text, nanos) in table {
            assert_eq!(text.parse(), Ok(GoDuration(Duration::from_nanos(nanos))), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses_and_negative_spans() {
        let table = [
            ("", DurationError::Empty),
            ("+", DurationError::Empty),
            ("20", DurationError::NoUnit),
            ("1m30", DurationError::NoUnit),
            ("s", DurationError::Unreadable),
            (".s", DurationError::Unreadable),
            ("1d", DurationError::Unreadable),
            ("1 s", DurationError::Unreadable),
            ("1..5s", DurationError::NoUnit),
            ("twenty", DurationError::Unreadable),
            ("-1s", DurationError::Negative),
            ("9223372036854775808ns", DurationError::TooLong),
            ("99999999999999999999h", DurationError::TooLong),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<GoDuration>(), Err(error), "{text}");
        }
    }

    #[test]
    fn prints_as_go_prints() {
        for text in ["0s", "1ns", "1.5µs", "500ms", "1.25ms", "20s", "1.5s", "1m30s", "1h0m0s", "300h0m0.5s"] {
            assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn printed_durations_read_back(nanos in 0..=i64::MAX as u64) {
            let duration = GoDuration(Duration::from_nanos(nanos));
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
