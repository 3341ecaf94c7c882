//! `meta.v1.Time`: RFC 3339 text and Unix time, without a clock and without a time zone database.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::wire;

/// Seconds of 0001-01-01T00:00:00Z, Go's zero time.
const ZERO: i64 = -62_135_596_800;
const DAY: i64 = 86_400;

/// A moment in UTC with nanoseconds; Kubernetes keeps whole seconds, [`Time::to_wire`] and `Display` cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    seconds: i64,
    nanos: u32,
}

impl Time {
    /// A moment in whole seconds since 1970.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// A moment in nanoseconds since 1970, as CRI counts.
    #[must_use]
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        let part = nanos.rem_euclid(1_000_000_000);
        Self { seconds: nanos.div_euclid(1_000_000_000), nanos: part as u32 }
    }

    /// Whole seconds since 1970, the fraction cut.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since 1970; at the ends of the range of `i64` (years 1677 and 2262) the end.
    #[must_use]
    pub const fn unix_nanos(self) -> i64 {
        let nanos = self.seconds as i128 * 1_000_000_000 + self.nanos as i128;
        if nanos > i64::MAX as i128 {
            i64::MAX
        } else if nanos < i64::MIN as i128 {
            i64::MIN
        } else {
            nanos as i64
        }
    }

    /// Whether this is Go's zero time, which Kubernetes prints as null.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.seconds == ZERO && self.nanos == 0
    }

    /// Reads RFC 3339 as Go does: any offset, any number of fraction digits, capital `T` and `Z`, no leap seconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = b.get(from..to)?;
            digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
        };
        let sign = |at: usize, want: u8| (b.get(at) == Some(&want)).then_some(());
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        for (at, want) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            sign(at, want)?;
        }
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut at = 19;
        let mut nanos = 0;
        if matches!(b.get(at), Some(b'.' | b',')) {
            let digits = b.get(at + 1..)?.iter().take_while(|d| d.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for i in 0..9 {
                let digit = if i < digits { b.get(at + 1 + i)? - b'0' } else { 0 };
                nanos = nanos * 10 + u32::from(digit);
            }
            at += 1 + digits;
        }
        let offset = match b.get(at)? {
            b'Z' if b.len() == at + 1 => 0,
            c @ (b'+' | b'-') if b.len() == at + 6 => {
                sign(at + 3, b':')?;
                let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                (hours * 60 + minutes) * 60 * if *c == b'-' { -1 } else { 1 }
            }
            _ => return None,
        };
        let seconds = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
        Some(Self { seconds, nanos })
    }

    /// RFC 3339 in UTC with as many fraction digits as needed (Go's `RFC3339Nano`).
    #[must_use]
    pub fn rfc3339_nano(self) -> String {
        let mut text = self.to_string();
        if self.nanos > 0 {
            let fraction = format!("{:09}", self.nanos);
            text.truncate(text.len() - 1);
            text.push('.');
            text.push_str(fraction.trim_end_matches('0'));
            text.push('Z');
        }
        text
    }

    /// `Sun, 06 Nov 1994 08:49:37`: RFC 1123, and what HTTP has of it, without the zone.
    #[must_use]
    pub fn rfc1123(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970 began on a Thursday
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let days = self.seconds.div_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        let named = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
        };
        let s = self.seconds.rem_euclid(DAY);
        let (weekday, month) = (named(&DAYS, days.rem_euclid(7)), named(&MONTHS, month - 1));
        format!("{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }

    /// The encoded `meta.v1.Time`: seconds alone, always written, because the empty message is the zero time.
    #[must_use]
    pub fn to_wire(self) -> Vec<u8> {
        let mut out = Vec::new();
        if !Self::from_unix(self.seconds).is_zero() {
            wire::put_number(&mut out, 1, self.seconds as u64);
        }
        out
    }
}

/// A moment of a machine's clock; one before 1970 is taken for 1970, which is where a clock starts that was never set.
impl From<SystemTime> for Time {
    fn from(at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
    }
}

/// RFC 3339 in UTC, whole seconds.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(DAY));
        let s = self.seconds.rem_euclid(DAY);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day comes last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let y = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * y + y / 4 - y / 100);
    let m = (5 * of_year + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = era * 400 + y + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * m + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, want) in [
            ("2021-01-11T09:47:02.9+02:00", "2021-01-11T07:47:02Z"),
            ("2021-01-11T09:47:02+02:00", "2021-01-11T07:47:02Z"),
            ("2021-01-11T07:47:02Z", "2021-01-11T07:47:02Z"),
            ("2020-02-29T23:59:59-12:30", "2020-03-01T12:29:59Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Time::parse(text).map(|t| t.to_string()).as_deref(), Some(want), "{text}");
        }
        for bad in [
            "",
            "2021-01-11",
            "2021-01-11t07:47:02z",
            "2021-02-29T00:00:00Z",
            "2021-13-01T00:00:00Z",
            "2021-01-11T24:00:00Z",
            "2021-01-11T07:47:60Z",
            "2021-01-11T07:47:02",
            "2021-01-11T07:47:02.Z",
            "2021-01-11T07:47:02+0200",
            "2021-01-11 07:47:02Z",
            "2021-01-11T07:47:02Zx",
            "２021-01-11T07:47:02Z",
        ] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn known_moments() {
        assert_eq!(Time::parse("1970-01-01T00:00:00Z"), Some(Time::from_unix(0)));
        assert_eq!(Time::parse("2001-09-09T01:46:40Z"), Some(Time::from_unix(1_000_000_000)));
        assert_eq!(Time::parse("0001-01-01T00:00:00Z").map(Time::is_zero), Some(true));
        assert_eq!(Time::from_unix_nanos(-1).to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(Time::from_unix_nanos(1_500_000_000).rfc3339_nano(), "1970-01-01T00:00:01.5Z");
        assert_eq!(Time::from_unix(1).rfc3339_nano(), "1970-01-01T00:00:01Z");
        assert_eq!(Time::from_unix(ZERO).to_wire(), b"");
        assert_eq!(Time::from_unix(0).rfc1123(), "Thu, 01 Jan 1970 00:00:00");
        assert_eq!(Time::from_unix(784_111_777).rfc1123(), "Sun, 06 Nov 1994 08:49:37");
        assert_eq!(Time::from_unix(-1).rfc1123(), "Wed, 31 Dec 1969 23:59:59");
        let at = UNIX_EPOCH + std::time::Duration::from_millis(1500);
        assert_eq!(Time::from(at), Time::from_unix_nanos(1_500_000_000));
        assert_eq!(Time::from(UNIX_EPOCH - std::time::Duration::from_secs(1)), Time::from_unix(0));
        assert_eq!(Time::from_unix(0).to_wire(), b"\x08\x00");
    }

    proptest! {
        #[test]
        fn text_and_back(nanos in any::<i64>()) {
            let time = Time::from_unix_nanos(nanos);
            prop_assert_eq!(time.unix_nanos(), nanos);
            prop_assert_eq!(Time::parse(&time.rfc3339_nano()), Some(time));
        }

        #[test]
        fn nothing_panics(seconds in any::<i64>(), text in "\\PC{0,40}") {
            let time = Time::from_unix(seconds);
            let _ = (time.to_string(), time.rfc1123(), time.unix_nanos(), Time::parse(&text));
        }
    }
}
