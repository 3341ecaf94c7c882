//! Messages with a JSON form of their own: what stands in their bytes, and how they are written.

use std::borrow::Cow;

use super::quantity::Quantity;
use super::time::Time;
use super::wire::{self, Value, WireError};

/// The last byte string with this number.
fn text(bytes: &[u8], number: u32) -> Result<&[u8], WireError> {
    let mut found: &[u8] = &[];
    for field in wire::fields(bytes) {
        let field = field?;
        if let (true, Value::Bytes(b)) = (field.number == number, field.value) {
            found = b;
        }
    }
    Ok(found)
}

/// The text of an encoded `resource.Quantity` as Kubernetes prints it: zero is `0`; a text that is not a quantity
/// stays as it is.
pub(crate) fn quantity(bytes: &[u8]) -> Result<Cow<'_, str>, WireError> {
    let text = String::from_utf8_lossy(text(bytes, 1)?);
    if text.is_empty() {
        return Ok("0".into());
    }
    Ok(match Quantity::parse(&text) {
        Ok(q) if q.as_str() != text => Cow::Owned(q.as_str().to_string()),
        _ => text,
    })
}

/// An encoded `resource.Quantity`.
pub(crate) fn encode_quantity(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    wire::put_bytes(&mut out, 1, text.as_bytes());
    out
}

/// The JSON text of an encoded `meta.v1.FieldsV1`; `None` where it holds none.
pub(crate) fn fields_v1(bytes: &[u8]) -> Result<Option<Cow<'_, str>>, WireError> {
    let raw = String::from_utf8_lossy(text(bytes, 1)?);
    let sound = serde_json::from_str::<serde_json::Value>(&raw).is_ok();
    Ok(sound.then_some(raw))
}

/// `meta.v1.Time`, the empty message being the zero time. Go cuts the fraction.
pub(crate) fn time(bytes: &[u8]) -> Result<Option<Time>, WireError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut seconds = 0u64;
    for field in wire::fields(bytes) {
        let field = field?;
        if let (1, Value::Varint(n)) = (field.number, field.value) {
            seconds = n;
        }
    }
    let time = Time::from_unix(seconds as i64);
    Ok((!time.is_zero()).then_some(time))
}

/// `intstr.IntOrString`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrString<'a> {
    /// A number: `80`.
    Int(i32),
    /// A name, or digits in quotes: `"http"`, `"80"`.
    Text(Cow<'a, str>),
}

impl<'a> IntOrString<'a> {
    /// Reads the protobuf message; the empty message is the number 0.
    ///
    /// # Errors
    /// The bytes are not a protobuf message.
    pub fn from_wire(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (mut kind, mut int, mut text): (u64, u64, &[u8]) = (0, 0, &[]);
        for field in wire::fields(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Varint(n)) => kind = n,
                (2, Value::Varint(n)) => int = n,
                (3, Value::Bytes(b)) => text = b,
                _ => {}
            }
        }
        Ok(if kind == 1 { Self::Text(String::from_utf8_lossy(text)) } else { Self::Int(int as i32) })
    }

    /// Writes the protobuf message, zeroes left out.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Int(0) => {}
            Self::Int(n) => wire::put_number(&mut out, 2, i64::from(*n) as u64),
            Self::Text(s) => {
                wire::put_number(&mut out, 1, 1);
                if !s.is_empty() {
                    wire::put_bytes(&mut out, 3, s.as_bytes());
                }
            }
        }
        out
    }
}
