//! How a quantity is written: a number and a suffix.

use super::{div_up, pow10, Format, Quantity, NANO};

/// Digits that a number may have for Go's fast path, which alone keeps the text.
const FAST_DIGITS: usize = 18;
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
/// Suffixes in steps of 2^10.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// A text split at its parts; `whole` without leading zeros but not empty, as Go counts its digits.
pub(super) struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

/// What the number before it is multiplied with.
pub(super) enum Suffix {
    /// A power of ten.
    Ten(i32, Format),
    /// A power of two.
    Two(u32),
}

/// Splits a text; `None` where there is no number at its start.
pub(super) fn split(text: &str) -> Option<Parts<'_>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let stripped = whole.trim_start_matches('0');
    let whole = if stripped.is_empty() { "0" } else { stripped };
    Some(Parts { negative: text.starts_with('-'), whole, fraction, suffix })
}

impl Parts<'_> {
    /// Its suffix; `None` where there is none of that name.
    pub(super) fn suffix(&self) -> Option<Suffix> {
        let text = self.suffix;
        if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == text) {
            return Some(Suffix::Ten(*exponent, Format::DecimalSi));
        }
        if let Some(step) = BINARY.iter().position(|s| *s == text) {
            return Some(Suffix::Two(10 * (step as u32 + 1)));
        }
        let exponent = text.strip_prefix(['e', 'E'])?;
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|d| d.is_ascii_digit()) {
            return None;
        }
        Some(Suffix::Ten(exponent.parse().ok()?, Format::DecimalExponent))
    }

    fn signed(&self, n: i128) -> i128 {
        if self.negative {
            -n
        } else {
            n
        }
    }

    /// The first `limit` fraction digits, and one more in the last place if digits that are not zero follow.
    fn fraction(&self, limit: usize) -> Option<(i128, u32)> {
        let (kept, cut) = self.fraction.split_at(self.fraction.len().min(limit));
        let more = i128::from(cut.bytes().any(|d| d != b'0'));
        Some((digits(kept.bytes())? + more, kept.len() as u32))
    }

    /// The number as a mantissa with a power of ten.
    pub(super) fn decimal(&self, exponent: i32) -> Option<(i128, i32)> {
        let limit = exponent.saturating_add(9).clamp(0, 27);
        let (fraction, places) = self.fraction(limit as usize)?;
        let whole = digits(self.whole.bytes())?.checked_mul(pow10(places))?;
        Some((self.signed(whole.checked_add(fraction)?), exponent.checked_sub(places as i32)?))
    }

    /// The number times 2^`bits` in nanos, capped at the end of `i64`.
    pub(super) fn binary(&self, bits: u32) -> i128 {
        let max = i128::from(i64::MAX) * pow10(9);
        let whole = digits(self.whole.bytes()).unwrap_or(i128::MAX);
        if whole > i128::from(i64::MAX) >> bits {
            return self.signed(max);
        }
        // 20 digits times 2^60 still fit into 127 bits
        let (fraction, places) = self.fraction(20).unwrap_or_default();
        let nanos = match places {
            0..=9 => (fraction << bits) * pow10(9 - places),
            _ => div_up(fraction << bits, pow10(places - 9)),
        };
        self.signed(((whole << bits) * pow10(9) + nanos).min(max))
    }

    /// Whether Go keeps the text of a decimal number as it was typed.
    pub(super) fn keeps_decimal(&self, exponent: i32) -> bool {
        let scale = exponent.saturating_sub(self.fraction.len() as i32);
        let joined = [self.whole, self.fraction].concat();
        joined.len() <= FAST_DIGITS
            && scale >= NANO
            && scale % 3 == 0
            && !joined.starts_with('0')
            && !joined.ends_with("000")
    }

    /// Whether Go keeps the text of a binary number as it was typed.
    pub(super) fn keeps_binary(&self, bits: u32) -> bool {
        let fast = self.whole.len() + (bits * 3 / 10) as usize <= 14;
        fast && self.fraction.is_empty() && self.whole.parse::<u64>().is_ok_and(|n| n % 8 != 0)
    }
}

/// A run of digits as a number; `None` where it does not fit.
fn digits(mut text: impl Iterator<Item = u8>) -> Option<i128> {
    text.try_fold(0i128, |n, d| n.checked_mul(10)?.checked_add(i128::from(d - b'0')))
}

/// How Kubernetes writes a number.
pub(super) fn canonical(q: &Quantity) -> String {
    if q.mantissa == 0 {
        return "0".into();
    }
    if let (Format::BinarySi, Some(whole)) = (q.format, q.whole()) {
        if whole.unsigned_abs() >= 1024 {
            let (mut n, mut suffix) = (whole, "");
            let mut steps = BINARY.iter();
            while n % 1024 == 0 {
                let Some(next) = steps.next() else { break };
                (n, suffix) = (n / 1024, next);
            }
            return format!("{n}{suffix}");
        }
    }
    let exponent = q.exponent.div_euclid(3) * 3;
    let n = q.mantissa.saturating_mul(pow10((q.exponent - exponent).unsigned_abs()));
    let named = DECIMAL.iter().find(|(_, e)| *e == exponent).map(|(s, _)| *s);
    match (q.format, named) {
        (Format::DecimalSi | Format::BinarySi, Some(suffix)) => format!("{n}{suffix}"),
        (_, Some("")) => n.to_string(),
        _ => format!("{n}e{exponent}"),
    }
}
