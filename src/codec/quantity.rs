//! `resource.Quantity`: numbers with a suffix, such as `500m`, `1.5Gi` or `1e3`.
//!
//! Rules: `kubernetes/apimachinery pkg/api/resource/quantity.go`. A number is a whole mantissa times a power of
//! ten that is never below 10^-9; finer values are rounded away from zero.

use std::cmp::Ordering;
use std::fmt;

/// The family of suffixes in which a quantity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Powers of 1000: `n u m k M G T P E`.
    DecimalSi,
    /// Powers of 1024: `Ki Mi Gi Ti Pi Ei`.
    BinarySi,
    /// `e3`, `E-6`.
    DecimalExponent,
}

/// A parsed quantity and the text that Kubernetes prints for it.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// Without trailing zeros, unless it is zero.
    mantissa: i128,
    exponent: i32,
    format: Format,
    text: String,
    /// Whether `text` is the input with digits finer than 10^-3, which rounding to milli drops.
    finer_than_milli: bool,
}

/// A text that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError {
    /// The text.
    pub text: String,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "want a quantity such as 500m, 1.5 or 64Mi, got \"{}\"", self.text)
    }
}

impl std::error::Error for QuantityError {}

const NANO: i32 = -9;
const MILLI: i32 = -3;
/// Digits that a number may have for Go's fast path, which alone keeps the text.
const FAST_DIGITS: usize = 18;
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
/// Suffixes in steps of 2^10.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// A text split at its parts; `whole` without leading zeros but not empty, as Go counts its digits.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

enum Suffix {
    Ten(i32, Format),
    Two(u32),
}

fn split(text: &str) -> Option<Parts<'_>> {
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

fn suffix(text: &str) -> Option<Suffix> {
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

/// A run of digits as a number; `None` where it does not fit.
fn digits(mut text: impl Iterator<Item = u8>) -> Option<i128> {
    text.try_fold(0i128, |n, d| n.checked_mul(10)?.checked_add(i128::from(d - b'0')))
}

fn pow10(exponent: u32) -> i128 {
    10i128.saturating_pow(exponent)
}

/// Division that rounds away from zero.
fn div_up(n: i128, by: i128) -> i128 {
    n / by + if n % by == 0 { 0 } else { n.signum() }
}

impl Parts<'_> {
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
    fn decimal(&self, exponent: i32) -> Option<(i128, i32)> {
        let limit = exponent.saturating_add(9).clamp(0, 27);
        let (fraction, places) = self.fraction(limit as usize)?;
        let whole = digits(self.whole.bytes())?.checked_mul(pow10(places))?;
        Some((self.signed(whole.checked_add(fraction)?), exponent.checked_sub(places as i32)?))
    }

    /// The number times 2^`bits` in nanos, capped at the end of `i64`.
    fn binary(&self, bits: u32) -> i128 {
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
    fn keeps_decimal(&self, exponent: i32) -> bool {
        let scale = exponent.saturating_sub(self.fraction.len() as i32);
        let joined = [self.whole, self.fraction].concat();
        joined.len() <= FAST_DIGITS
            && scale >= NANO
            && scale % 3 == 0
            && !joined.starts_with('0')
            && !joined.ends_with("000")
    }

    /// Whether Go keeps the text of a binary number as it was typed.
    fn keeps_binary(&self, bits: u32) -> bool {
        let fast = self.whole.len() + (bits * 3 / 10) as usize <= 14;
        fast && self.fraction.is_empty() && self.whole.parse::<u64>().is_ok_and(|n| n % 8 != 0)
    }
}

impl Quantity {
    /// Reads a quantity; blanks around it do not count.
    ///
    /// # Errors
    /// The text is no quantity, or has more digits than any quantity needs.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Self::read(text.trim()).ok_or_else(|| QuantityError { text: text.chars().take(80).collect() })
    }

    fn read(text: &str) -> Option<Self> {
        let parts = split(text)?;
        let (mut read, kept) = match suffix(parts.suffix)? {
            Suffix::Ten(exponent, format) => {
                let (mantissa, scale) = parts.decimal(exponent)?;
                (Self::canonical(mantissa, scale, format), parts.keeps_decimal(exponent).then_some(scale))
            }
            Suffix::Two(bits) => {
                let nanos = parts.binary(bits);
                let format = if (1..pow10(9)).contains(&nanos.abs()) { Format::DecimalSi } else { Format::BinarySi };
                (Self::canonical(nanos, NANO, format), parts.keeps_binary(bits).then_some(0))
            }
        };
        if let Some(scale) = kept {
            read.text = text.to_string();
            read.finer_than_milli = scale < MILLI;
        }
        Some(read)
    }

    /// The quantity `mantissa * 10^exponent` with its canonical text.
    fn canonical(mut mantissa: i128, mut exponent: i32, format: Format) -> Self {
        if exponent < NANO {
            // more than 38 places drop every digit
            mantissa = div_up(mantissa, pow10((NANO - exponent).unsigned_abs()));
            exponent = NANO;
        }
        while mantissa != 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        if mantissa == 0 {
            exponent = 0;
        }
        let mut made = Self { mantissa, exponent, format, text: String::new(), finer_than_milli: false };
        made.text = made.canonical_text();
        made
    }

    fn canonical_text(&self) -> String {
        if self.mantissa == 0 {
            return "0".into();
        }
        if let (Format::BinarySi, Some(whole)) = (self.format, self.whole()) {
            if whole.abs() >= 1024 {
                let (mut n, mut suffix) = (whole, "");
                let mut steps = BINARY.iter();
                while n % 1024 == 0 {
                    let Some(next) = steps.next() else { break };
                    (n, suffix) = (n / 1024, next);
                }
                return format!("{n}{suffix}");
            }
        }
        let exponent = self.exponent.div_euclid(3) * 3;
        let n = self.mantissa.saturating_mul(pow10((self.exponent - exponent).unsigned_abs()));
        let named = DECIMAL.iter().find(|(_, e)| *e == exponent).map(|(s, _)| *s);
        match (self.format, named) {
            (Format::DecimalSi | Format::BinarySi, Some(suffix)) => format!("{n}{suffix}"),
            (_, Some("")) => n.to_string(),
            _ => format!("{n}e{exponent}"),
        }
    }

    /// The value if it is a whole number.
    fn whole(&self) -> Option<i128> {
        (self.exponent >= 0).then(|| self.scaled(0))
    }

    /// The value in units of 10^`unit`, rounded away from zero, at the ends of `i128` the end.
    fn scaled(&self, unit: i32) -> i128 {
        let steps = self.exponent.saturating_sub(unit);
        let power = pow10(steps.unsigned_abs());
        if steps >= 0 {
            self.mantissa.saturating_mul(power)
        } else {
            div_up(self.mantissa, power)
        }
    }

    fn clamped(n: i128) -> i64 {
        n.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// A whole number.
    #[must_use]
    pub fn from_value(value: i64, format: Format) -> Self {
        Self::canonical(i128::from(value), 0, format)
    }

    /// A number of thousandths.
    #[must_use]
    pub fn from_milli(milli: i64, format: Format) -> Self {
        Self::canonical(i128::from(milli), MILLI, format)
    }

    /// The text that Kubernetes prints: as it was typed where Go keeps that, else canonical.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The family of suffixes in which the text is written.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Whole units, rounded away from zero; capped at the ends of `i64`.
    #[must_use]
    pub fn value(&self) -> i64 {
        Self::clamped(self.scaled(0))
    }

    /// Thousandths, rounded away from zero; capped at the ends of `i64`.
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        Self::clamped(self.scaled(MILLI))
    }

    /// How often `divisor` goes into the value, rounded towards plus infinity and capped at the ends of `i64`. Zero
    /// where the divisor is.
    #[must_use]
    pub fn div_ceil(&self, divisor: &Self) -> i64 {
        let unit = self.exponent.min(divisor.exponent);
        let (n, by) = (self.scaled(unit), divisor.scaled(unit));
        let Some(floor) = n.checked_div_euclid(by) else { return 0 };
        let rest = n.checked_rem_euclid(by).unwrap_or_default();
        // Euclid rounds towards the side of the remainder: below for a positive divisor, above for a negative one.
        Self::clamped(floor.saturating_add(i128::from(rest != 0 && by > 0)))
    }

    /// Whether the value is zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// The quantity without anything finer than a thousandth (Go's `RoundUp(resource.Milli)`); a text that shows
    /// nothing finer is kept.
    #[must_use]
    pub fn round_up_to_milli(&self) -> Self {
        if self.exponent >= MILLI && !self.finer_than_milli {
            return self.clone();
        }
        Self::canonical(self.scaled(MILLI), MILLI, self.format)
    }

    /// The sum, in the format of the first that is not zero.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        let unit = self.exponent.min(other.exponent);
        Self::canonical(self.scaled(unit).saturating_add(other.scaled(unit)), unit, format)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Quantities are compared by value: `1` equals `1000m`.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        // Mantissas have no trailing zeros, so equal values have equal parts; where aligning saturates, the
        // larger power of ten decides.
        let unit = self.exponent.min(other.exponent);
        let by_value = self.scaled(unit).cmp(&other.scaled(unit));
        let sign = self.mantissa.signum() as i32;
        by_value.then_with(|| (sign * self.exponent).cmp(&(sign * other.exponent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Input and output, verified with kubectl.
    const VECTORS: &str = "0.5 500m 1000m 1 1024Mi 1Gi 1.5Gi 1536Mi 1.5 1500m 0.0001 100u 100.035Ki 102435840m \
        0.5Mi 512Ki 0.05Gi 53687091200m 0.025Ti 27487790694400m 512Ki 512Ki 1023Ki 1023Ki 0.5Ki 512 0.001Ki 1024m \
        .001Ki 1024m 1500Mi 1500Mi 1025Mi 1025Mi 8Ki 8Ki 64000Ki 64000Ki 123456789Ki 123456789Ki 1048576Ki 1Gi \
        1048575Ki 1048575Ki 1536Mi 1536Mi 1Ei 1Ei 9Ei 9223372036854775807 12E 12E 8192 8192 65536 65536 1000 1k \
        100000 100k 1000k 1M 1001k 1001k 0.5G 500M 64000000 64M 1000000m 1k 1500u 1500u 3.001n 4n \
        0.0000000001 1n -1 -1 -0.5 -500m -1.0000000001 -1000000001n .5 500m 1.0 1 1.000 1 10.000 10 2.50 2500m \
        0.1 100m 0.10 100m 0.100 100m 100m 100m 1m 1m 0 0 00 0 000 0 0.0 0 0e0 0 0Ki 0 1e3 1e3 1E3 1E3 1e6 1e6 \
        1E6 1E6 1e2 100 1.5e3 1500 15e2 1500 1500e3 1500e3 0.1e1 1 2e0 2e0 1e-3 1e-3 1.500 1.500 1.250 1.250 \
        1234567.891 1234567.891 01 01 007Mi 007Mi +5 +5 1. 1. 1.G 1.G +1.5 1500m .500 500m 1000E 1e21";

    #[test]
    fn vectors() {
        let words: Vec<_> = VECTORS.split_whitespace().collect();
        assert_eq!(words.len() % 2, 0);
        for pair in words.chunks(2) {
            let got = Quantity::parse(pair[0]).map(|q| q.to_string());
            assert_eq!(got.as_deref(), Ok(pair[1]), "{}", pair[0]);
        }
    }

    #[test]
    fn not_quantities() {
        for bad in ["", " ", ".", "+", "-", "1ki", "1K", "1 Gi", "1e", "1e+", "e3", "Ki", "1.2.3", "0x1", "١", "--1"] {
            assert!(Quantity::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Quantity::parse(" 5Mi\n").map(|q| q.to_string()).as_deref(), Ok("5Mi"));
    }

    #[test]
    fn values_round_up() {
        for (text, value, milli) in [
            ("1", 1, 1000),
            ("1m", 1, 1),
            ("1u", 1, 1),
            ("-1500m", -2, -1500),
            ("1.5Gi", 1_610_612_736, 1_610_612_736_000),
            ("12E", i64::MAX, i64::MAX),
            ("1e40", i64::MAX, i64::MAX),
            ("0", 0, 0),
        ] {
            let q = Quantity::parse(text).unwrap();
            assert_eq!((q.value(), q.milli_value()), (value, milli), "{text}");
        }
    }

    #[test]
    fn divisors_round_up() {
        for (text, divisor, want) in [
            ("15m", "1m", 15),
            ("1500m", "1", 2),
            ("4Mi", "1Ki", 4096),
            ("1G", "1Mi", 954),
            ("0", "1Gi", 0),
            ("1n", "1", 1),
            ("-1500m", "1", -1),
            ("1500m", "-1", -1),
            ("1e40", "1", i64::MAX),
            ("1", "0", 0),
        ] {
            let of = |text| Quantity::parse(text).unwrap();
            assert_eq!(of(text).div_ceil(&of(divisor)), want, "{text} by {divisor}");
        }
    }

    #[test]
    fn rounding_to_milli() {
        for (text, want) in
            [("1500u", "2m"), ("100m", "100m"), ("1.500", "1.500"), ("1.500001", "1501m"), ("0.1Ki", "102400m")]
        {
            assert_eq!(Quantity::parse(text).unwrap().round_up_to_milli().as_str(), want);
        }
    }

    #[test]
    fn sums_and_order() {
        let q = |s| Quantity::parse(s).unwrap();
        assert_eq!(q("500m").plus(&q("1")).as_str(), "1500m");
        assert_eq!(q("0").plus(&q("64Mi")).as_str(), "64Mi");
        assert_eq!(q("64Mi").plus(&q("64Mi")).as_str(), "128Mi");
        assert_eq!(q("1"), q("1000m"));
        assert!(q("1Ki") > q("1k") && q("-1") < q("0") && q("1e50") > q("1e49") && q("-1e50") < q("-1e49"));
    }

    proptest! {
        #[test]
        fn printed_text_is_read_back(text in "[+-]?[0-9]{0,12}(\\.[0-9]{0,12})?(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[0-9]|E-[0-9])") {
            if let Ok(q) = Quantity::parse(&text) {
                let again = Quantity::parse(q.as_str()).unwrap();
                prop_assert_eq!(&again, &q, "{} {}", q.as_str(), again.as_str());
                prop_assert_eq!(again.as_str(), q.as_str());
            }
        }

        #[test]
        fn nothing_panics(a in "[-+0-9.eEinumkKMGTP]{0,60}", b in "[0-9]{1,40}[.eE][-+0-9]{0,40}(Ei)?") {
            if let (Ok(a), Ok(b)) = (Quantity::parse(&a), Quantity::parse(&b)) {
                let sum = a.plus(&b);
                let _ = (a.cmp(&b), sum.round_up_to_milli(), sum.value(), sum.milli_value());
            }
        }
    }
}
