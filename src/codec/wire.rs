//! The protobuf wire format: reading fields out of bytes, and writing them.

use std::fmt;

/// A field as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: a string, bytes or a message.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// Why bytes are not a protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// Offset of the field that cannot be read.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a protobuf message: {} at byte {}", self.problem, self.offset)
    }
}

impl std::error::Error for WireError {}

/// Iterates over the fields of one message. Groups (wire types 3 and 4) do not occur in Kubernetes and are errors.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One field: its number, its value and the whole range it takes up, tag included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawField<'a> {
    /// Field number, 1 or more.
    pub number: u32,
    /// The value.
    pub value: Value<'a>,
    /// Tag and value as they stand in the message.
    pub raw: &'a [u8],
}

/// Reads the fields of `bytes` in order.
#[must_use]
pub fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields { bytes, at: 0 }
}

impl<'a> Fields<'a> {
    fn fail<T>(&self, problem: &'static str) -> Result<T, WireError> {
        Err(WireError { offset: self.at, problem })
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, WireError> {
        // Nearly all tags and lengths are one byte.
        match self.bytes.get(self.at) {
            Some(&b) if b < 0x80 => {
                self.at += 1;
                Ok(u64::from(b))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for i in 0..10 {
            let Some(&b) = self.bytes.get(self.at + i) else {
                return self.fail("a number is cut off");
            };
            if i == 9 && b > 1 {
                return self.fail("a number is longer than 64 bits");
            }
            value |= u64::from(b & 0x7f) << (7 * i);
            if b < 0x80 {
                self.at += i + 1;
                return Ok(value);
            }
        }
        self.fail("a number is longer than 64 bits")
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let end = self.at.checked_add(n);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(s) => {
                self.at += n;
                Ok(s)
            }
            None => self.fail("a value is cut off"),
        }
    }

    fn read(&mut self) -> Result<RawField<'a>, WireError> {
        let start = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        if number == 0 || number > 0x1fff_ffff {
            self.at = start;
            return self.fail("a field has no valid number");
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.take(8)?.try_into().map_or(0, u64::from_le_bytes)),
            2 => {
                let n = self.varint()?;
                let Ok(n) = usize::try_from(n) else {
                    return self.fail("a value is cut off");
                };
                Value::Bytes(self.take(n)?)
            }
            5 => Value::Fixed32(self.take(4)?.try_into().map_or(0, u32::from_le_bytes)),
            _ => {
                self.at = start;
                return self.fail("a field has an unknown wire type");
            }
        };
        let raw = self.bytes.get(start..self.at).unwrap_or_default();
        Ok(RawField { number, value, raw })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<RawField<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.at = self.bytes.len();
        }
        Some(field)
    }
}

/// Reads the numbers of a packed repeated field.
pub fn varints(bytes: &[u8]) -> impl Iterator<Item = Result<u64, WireError>> + '_ {
    let mut at = fields(bytes);
    std::iter::from_fn(move || {
        if at.at >= at.bytes.len() {
            return None;
        }
        let number = at.varint();
        if number.is_err() {
            at.at = at.bytes.len();
        }
        Some(number)
    })
}

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n > 0x7f {
        out.push((n as u8 & 0x7f) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a field of wire type 0. Signed numbers go in as their two's complement 64-bit form.
pub fn put_number(out: &mut Vec<u8>, number: u32, n: u64) {
    put_varint(out, u64::from(number) << 3);
    put_varint(out, n);
}

/// Appends a length-delimited field: a string, bytes or an encoded message.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Bytes that [`put_varint`] would write.
#[must_use]
pub fn varint_len(n: u64) -> usize {
    (64 - (n | 1).leading_zeros() as usize).div_ceil(7)
}

/// Bytes that [`put_bytes`] would write for a value of `len` bytes.
#[must_use]
pub fn bytes_len(number: u32, len: usize) -> usize {
    varint_len(u64::from(number) << 3) + varint_len(len as u64) + len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mut out = Vec::new();
        put_number(&mut out, 1, u64::MAX);
        put_bytes(&mut out, 300, b"abc");
        let got: Vec<_> = fields(&out).map(|f| f.map(|f| (f.number, f.value))).collect();
        assert_eq!(got, [Ok((1, Value::Varint(u64::MAX))), Ok((300, Value::Bytes(b"abc")))]);
        assert_eq!(out.len(), 1 + varint_len(u64::MAX) + bytes_len(300, 3));
    }

    #[test]
    fn rubbish_is_an_error_once() {
        for bad in [&[0x0a, 5, 1][..], &[0x00], &[0x0b], &[0xff; 11], &[0x09, 1]] {
            let got: Vec<_> = fields(bad).collect();
            assert_eq!(got.len(), 1, "{bad:?}");
            assert!(got.iter().all(Result::is_err), "{bad:?}");
        }
    }
}
