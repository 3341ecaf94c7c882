//! `resource.Quantity`: numbers with a suffix, such as `500m`, `1.5Gi` or `1e3`.
//!
//! Rules: `kubernetes/apimachinery pkg/api/resource/quantity.go`. A number is a whole mantissa times a power of
//! ten that is never below 10^-9; finer values are rounded away from zero.

use std::cmp::Ordering;
use std::fmt;

mod text;

use self::text::Suffix;

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

impl Quantity {
    /// Reads a quantity; blanks around it do not count.
    ///
    /// # Errors
    /// The text is no quantity, or has more digits than any quantity needs.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Self::read(text.trim()).ok_or_else(|| QuantityError { text: text.chars().take(80).collect() })
    }

    fn read(text: &str) -> Option<Self> {
        let parts = text::split(text)?;
        let (mut read, kept) = match parts.suffix()? {
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
        made.text = text::canonical(&made);
        made
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

fn pow10(exponent: u32) -> i128 {
    10i128.saturating_pow(exponent)
}

/// Division that rounds away from zero.
fn div_up(n: i128, by: i128) -> i128 {
    n / by + if n % by == 0 { 0 } else { n.signum() }
}

#[cfg(test)]
mod tests;
