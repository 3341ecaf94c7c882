//! What a YAML scalar means: the rules of YAML 1.1 in the shape that Kubernetes' library gives them.
//!
//! Source: `kubernetes-sigs/yaml goyaml.v2/resolve.go`. No base-60 numbers; timestamps stay text.

use serde_json::Value;

use crate::codec::base64;
use crate::codec::time::Time;

/// A scalar by its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// A fraction, or a whole number beyond `i64`.
    Float(f64),
    /// The text as it stands.
    Text,
}

impl Scalar {
    /// The JSON value. Whole floats become integers, because Go prints them without a fraction.
    pub(super) fn value(self, text: &str) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => b.into(),
            Self::Int(n) => n.into(),
            Self::Float(f) if !f.is_finite() => return Err(format!("{text} cannot be expressed in JSON")),
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9.2e18 => (f as i64).into(),
            Self::Float(f) => f.into(),
            Self::Text => text.into(),
        })
    }

    /// The scalar as an object key.
    pub(super) fn key(self, text: &str) -> Result<String, String> {
        match self {
            Self::Null => Err("null cannot be a key".into()),
            Self::Bool(b) => Ok(b.to_string()),
            Self::Int(n) => Ok(n.to_string()),
            Self::Float(f) => Ok(shortest(&format!("{:e}", f as f32))),
            Self::Text => Ok(text.into()),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text => "str",
        }
    }
}

/// The meaning of a plain scalar without a tag.
pub(super) fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.bytes().next() {
        Some(b'.') => float(text).unwrap_or(Scalar::Text),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let digits = text.replace('_', "");
            int(&digits).or_else(|| float(&digits)).unwrap_or(Scalar::Text)
        }
        _ => Scalar::Text,
    }
}

/// The meaning of a scalar with a tag such as `int`; `None` for a tag outside YAML's own.
pub(super) fn tagged(text: &str, tag: Option<&str>) -> Result<(Scalar, Option<String>), String> {
    let found = plain(text);
    let fits = match tag {
        Some("binary") => {
            let bytes = base64::decode(text).ok_or("!!binary holds no base64")?;
            return Ok((Scalar::Text, Some(String::from_utf8_lossy(&bytes).into_owned())));
        }
        Some("int") => match found {
            Scalar::Float(f) => f.fract() == 0.0 && f.abs() > 9.2e18,
            _ => matches!(found, Scalar::Int(_)),
        },
        Some("float") => matches!(found, Scalar::Int(_) | Scalar::Float(_)),
        Some("bool") => matches!(found, Scalar::Bool(_)),
        Some("null") => found == Scalar::Null,
        Some("timestamp") => found == Scalar::Text,
        _ => return Ok((Scalar::Text, None)),
    };
    match (fits, tag) {
        (false, Some(tag)) => Err(format!("cannot read the {} `{text}` as !!{tag}", found.name())),
        _ => Ok((found, None)),
    }
}

/// Whole numbers as Go's `ParseInt` with base 0 reads them.
fn int(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.get(..2).map(str::to_ascii_lowercase);
    let (digits, base) = match lower.as_deref() {
        Some("0x") => (unsigned.get(2..)?, 16),
        Some("0o") => (unsigned.get(2..)?, 8),
        Some("0b") => (unsigned.get(2..)?, 2),
        Some(p) if p.starts_with('0') => (unsigned.get(1..)?, 8),
        _ => (unsigned, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let size = digits.chars().filter_map(|c| c.to_digit(base));
    let exact = size.clone().try_fold(0i128, |n, d| n.checked_mul(base.into())?.checked_add(d.into()));
    let exact = exact.map(|n| if text.starts_with('-') { -n } else { n });
    if let Some(n) = exact.and_then(|n| i64::try_from(n).ok()) {
        return Some(Scalar::Int(n));
    }
    if base == 10 {
        return float(text);
    }
    let size = size.fold(0.0, |n, d| n * f64::from(base) + f64::from(d));
    size.is_finite().then_some(Scalar::Float(if text.starts_with('-') { -size } else { size }))
}

/// Decimal fractions: `1.`, `.5`, `1e3`; too large a number is no number.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let sound = match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()),
        None => digits(number) && !number.is_empty(),
    };
    if !sound || !exponent.is_none_or(|e| digits(e) && !e.is_empty()) {
        return None;
    }
    text.parse().ok().filter(|f: &f64| f.is_finite()).map(Scalar::Float)
}

/// A float as Go's `FormatFloat(f, 'g', -1, _)` writes it, from Rust's shortest digits with an exponent.
pub(super) fn shortest(scientific: &str) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        if let Ok(f) = scientific.parse::<f64>() {
            return f.to_string();
        }
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Numbers to the base of 60, such as `12:30:45`: text here, numbers for other readers of YAML 1.1.
pub(super) fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut places = number.split(':');
    let digit = |b: &u8| b.is_ascii_digit() || *b == b'_';
    let whole = places.next().unwrap_or_default().as_bytes();
    let mut rest = places.peekable();
    rest.peek().is_some()
        && whole.first().is_some_and(u8::is_ascii_digit)
        && whole.iter().all(digit)
        && fraction.as_bytes().iter().all(digit)
        && rest.all(|place| matches!(place.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// The timestamps that Go's library knows: a date, a date and a time without an offset, RFC 3339 with short fields.
pub(super) fn is_timestamp(text: &str) -> bool {
    let (date, time) = text.split_once(['T', 't', ' ']).map_or((text, None), |(d, t)| (d, Some(t)));
    let mut fields = date.split('-');
    let (Some(year), Some(month), Some(day), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return false;
    };
    let short = |field: &str| matches!(field.len(), 1 | 2) && field.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || !short(month) || !short(day) {
        return false;
    }
    let (clock, offset) = match time {
        None => ("0:0:0", "Z"),
        Some(time) if text.contains(' ') => (time, "Z"),
        Some(time) => time.split_at(time.find(['Z', '+', '-']).unwrap_or(time.len())),
    };
    let padded = |field: &str| format!("{field:0>2}");
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let clock: Vec<_> = clock.split(':').collect();
    let [hour, minute, second] = clock.as_slice() else {
        return false;
    };
    [hour, minute, second].iter().all(|f| short(f)) && {
        let (month, day, hour) = (padded(month), padded(day), padded(hour));
        let (minute, second) = (padded(minute), padded(second));
        Time::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}{offset}")).is_some()
    }
}
