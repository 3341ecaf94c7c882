//! The fields of one encoded message, grouped by the rows of the schema table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::schema::{Field, Kind, Label, Message};
use super::wire::{self, Value, WireError};

/// One message, taken apart. Fields that the schema does not know, or that have another wire type than the
/// schema says, are unknown.
pub(crate) struct Members<'a> {
    known: Vec<(usize, Value<'a>)>,
    /// Unknown fields, tags included, in the order in which they came.
    pub(crate) unknown: Vec<&'a [u8]>,
}

impl<'a> Members<'a> {
    /// Groups the fields of `bytes`; values of one field keep their order.
    pub(crate) fn read(message: &Message, bytes: &'a [u8]) -> Result<Self, WireError> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for raw in wire::fields(bytes) {
            let raw = raw?;
            let row = message.fields.iter().position(|f| f.number == raw.number);
            let place = row.and_then(|i| message.fields.get(i).map(|f| (i, f)));
            match (place, raw.value) {
                (Some((i, f)), Value::Bytes(packed)) if packs(f) => {
                    let numbers = wire::varints(packed).map(|n| n.map(|n| (i, Value::Varint(n))));
                    known.extend(numbers.collect::<Result<Vec<_>, _>>()?);
                }
                (Some((i, f)), value) if fits(f, value) => known.push((i, value)),
                _ => unknown.push(raw.raw),
            }
        }
        known.sort_by_key(|(i, _)| *i); // stable: the order within a field stays
        Ok(Self { known, unknown })
    }

    /// The values of the field in this row of the message.
    pub(crate) fn of(&self, row: usize) -> Occurrences<'_, 'a> {
        let start = self.known.partition_point(|(i, _)| *i < row);
        let end = self.known.partition_point(|(i, _)| *i <= row);
        Occurrences(self.known.get(start..end).unwrap_or_default())
    }
}

fn packs(field: &Field) -> bool {
    field.label == Label::Repeated && matches!(field.kind, Kind::Bool | Kind::Int32 | Kind::Int64)
}

fn fits(field: &Field, value: Value<'_>) -> bool {
    let text = field.label == Label::Map || matches!(field.kind, Kind::String | Kind::Bytes | Kind::Message(_));
    matches!((value, text), (Value::Bytes(_), true) | (Value::Varint(_), false))
}

/// The values of one field in the order in which they came.
pub(crate) struct Occurrences<'m, 'a>(&'m [(usize, Value<'a>)]);

impl<'a> Occurrences<'_, 'a> {
    /// The last number: protobuf's rule for a single field that occurs twice.
    pub(crate) fn number(&self) -> Option<u64> {
        self.numbers().last()
    }

    /// All numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().filter_map(|(_, v)| match v {
            Value::Varint(n) => Some(*n),
            _ => None,
        })
    }

    /// The last byte string.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        self.all_bytes().last()
    }

    /// All byte strings.
    pub(crate) fn all_bytes(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.0.iter().filter_map(|(_, v)| match v {
            Value::Bytes(b) => Some(*b),
            _ => None,
        })
    }

    /// A message that may be split: its parts joined, which is protobuf's way to merge them.
    pub(crate) fn joined(&self) -> Option<Cow<'a, [u8]>> {
        let mut parts = self.all_bytes();
        let first = parts.next()?;
        let mut whole = Cow::Borrowed(first);
        for part in parts {
            whole.to_mut().extend_from_slice(part);
        }
        Some(whole)
    }

    /// A map, sorted; the last value of a key wins. A value that is missing is empty, which is also what an
    /// empty string and an empty message look like.
    pub(crate) fn map(&self) -> Result<BTreeMap<Cow<'a, str>, &'a [u8]>, WireError> {
        let mut map = BTreeMap::new();
        for entry in self.all_bytes() {
            let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
            for field in wire::fields(entry) {
                let field = field?;
                match (field.number, field.value) {
                    (1, Value::Bytes(b)) => key = b,
                    (2, Value::Bytes(b)) => value = b,
                    _ => {}
                }
            }
            map.insert(String::from_utf8_lossy(key), value);
        }
        Ok(map)
    }
}
