//! Wire to JSON: walks the schema in Go struct order and leaves out what Kubernetes leaves out.
//!
//! The bytes are read once, and nothing is copied on the way. What was read of the messages that are open stands on
//! one stack.

use std::borrow::Cow;
use std::ops::Range;

use super::sink::Sink;
use crate::codec::schema::{Field, Kind, Label, MessageId, Omit, Special};
use crate::codec::special::{self, IntOrString};
use crate::codec::wire::{self, Value, WireError};

type Done = Result<(), WireError>;

/// Values that a pod's messages have at once, in most pods.
const USUAL: usize = 64;

/// Prints one message, special ones in their own form.
pub(super) fn message(id: MessageId, bytes: &[u8], out: &mut impl Sink) -> Done {
    Printer { values: Vec::with_capacity(USUAL), out }.message(id, bytes)
}

/// Whether a number on the wire is the zero of its kind; an `int32` is the low half of what was sent.
pub(crate) fn is_zero(kind: Kind, n: u64) -> bool {
    match kind {
        Kind::Int32 => n as i32 == 0,
        _ => n == 0,
    }
}

/// The bit of a field number. Two numbers may share one: a bit that is not set says more than one that is.
const fn bit(number: u32) -> u64 {
    1 << (number % 64)
}

/// Whether something is printed for a field that is not there.
const fn shows_absence(omit: Omit) -> bool {
    matches!(omit, Omit::Always | Omit::StructAlways | Omit::AlwaysPointer | Omit::Inline)
}

struct Printer<'a, 'o, S> {
    /// Field numbers and values of the messages that are open, those of the innermost at the end.
    values: Vec<(u32, Value<'a>)>,
    out: &'o mut S,
}

impl<'a, S: Sink> Printer<'a, '_, S> {
    fn message(&mut self, id: MessageId, bytes: &'a [u8]) -> Done {
        match id.message().special {
            Special::None => {
                self.out.begin_object();
                self.members(id, bytes)?;
                self.out.end_object();
            }
            Special::Quantity => self.out.string(special::quantity(bytes)?),
            Special::Time => match special::time(bytes)? {
                Some(time) => self.out.string(time.to_string().into()),
                None => self.out.null(),
            },
            Special::IntOrString => match IntOrString::from_wire(bytes)? {
                IntOrString::Int(n) => self.out.int(n.into()),
                IntOrString::Text(text) => self.out.string(text),
            },
            Special::FieldsV1 => match special::fields_v1(bytes)? {
                Some(json) => self.out.raw(&json),
                None => self.out.null(),
            },
        }
        Ok(())
    }

    /// Prints the members of a message into the object that is open.
    fn members(&mut self, id: MessageId, bytes: &'a [u8]) -> Done {
        let (here, present) = self.read(bytes)?;
        let mut next = here.start;
        for field in id.message().fields {
            if present & bit(field.number) == 0 && !shows_absence(field.omit) {
                continue; // most fields of most messages
            }
            let values = self.of(field.number, &here, next);
            next = values.end;
            match field.label {
                Label::Single => self.single(field, values)?,
                Label::Repeated => self.list(field, values)?,
                Label::Map => self.map(field, values)?,
            }
        }
        self.values.truncate(here.start);
        Ok(())
    }

    /// Puts the fields of a message on the stack, by their numbers; values of one field keep their order. Also gives
    /// the bits of all numbers.
    fn read(&mut self, bytes: &'a [u8]) -> Result<(Range<usize>, u64), WireError> {
        let start = self.values.len();
        let (mut last, mut sorted, mut present) = (0, true, 0);
        for field in wire::fields(bytes) {
            let field = field?;
            sorted &= last <= field.number;
            last = field.number;
            present |= bit(field.number);
            self.values.push((field.number, field.value));
        }
        if !sorted {
            let here = self.values.get_mut(start..).unwrap_or_default();
            here.sort_by_key(|(number, _)| *number); // stable
        }
        Ok((start..self.values.len(), present))
    }

    /// Where the values of a field are. Most fields follow the one before, which ended at `next`.
    fn of(&self, number: u32, here: &Range<usize>, next: usize) -> Range<usize> {
        let is = |at: usize| at < here.end && self.values.get(at).is_some_and(|(n, _)| *n == number);
        let first = next == here.start || self.values.get(next - 1).is_some_and(|(n, _)| *n < number);
        let start = match is(next) && first {
            true => next,
            false => {
                let all = self.values.get(here.clone()).unwrap_or_default();
                here.start + all.partition_point(|(n, _)| *n < number)
            }
        };
        let mut end = start;
        while is(end) {
            end += 1;
        }
        start..end
    }

    /// The values that are bytes: others do not fit the schema and are passed over.
    fn all_bytes(&self, values: Range<usize>) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a, '_, S> {
        self.values.get(values).unwrap_or_default().iter().filter_map(|(_, value)| match value {
            Value::Bytes(bytes) => Some(*bytes),
            _ => None,
        })
    }

    fn single(&mut self, field: &'static Field, values: Range<usize>) -> Done {
        match field.kind {
            Kind::Message(id) => return self.nested(field, id, values),
            Kind::String | Kind::Bytes => {
                let value = self.all_bytes(values).next_back(); // the last one wins
                if self.shown(field, value.is_some(), value.is_some_and(|v| !v.is_empty())) {
                    self.out.string(text(value.unwrap_or_default()));
                }
            }
            Kind::Bool | Kind::Int32 | Kind::Int64 => {
                let all = self.values.get(values).unwrap_or_default();
                let value = all.iter().rev().find_map(|(_, value)| match value {
                    Value::Varint(n) => Some(*n),
                    _ => None,
                });
                if self.shown(field, value.is_some(), value.is_some_and(|v| !is_zero(field.kind, v))) {
                    self.number(field.kind, value.unwrap_or(0));
                }
            }
        }
        Ok(())
    }

    /// Decides whether a value is printed; if so, its key is written. An absent `AlwaysPointer` is written as null.
    fn shown(&mut self, field: &'static Field, present: bool, full: bool) -> bool {
        match field.omit {
            Omit::Always | Omit::StructAlways => {}
            Omit::Pointer if present => {}
            Omit::AlwaysPointer => {
                self.out.name(field.name);
                if !present {
                    self.out.null();
                }
                return present;
            }
            Omit::Empty | Omit::Zero | Omit::Internal if full => {}
            _ => return false,
        }
        self.out.name(field.name);
        true
    }

    fn nested(&mut self, field: &'static Field, id: MessageId, values: Range<usize>) -> Done {
        let (mut parts, mut whole) = (0, &[][..]);
        for bytes in self.all_bytes(values.clone()) {
            (parts, whole) = (parts + 1, bytes);
        }
        if parts > 1 {
            // A message may be split; joining the parts is protobuf's way to merge them.
            let joined: Vec<u8> = self.all_bytes(values).flatten().copied().collect();
            return self.apart().one_nested(field, id, true, &joined);
        }
        self.one_nested(field, id, parts > 0, whole)
    }

    /// A printer to the same place for bytes that do not live as long as the others.
    fn apart<'b>(&mut self) -> Printer<'b, '_, S> {
        Printer { values: Vec::new(), out: self.out }
    }

    fn one_nested(&mut self, field: &'static Field, id: MessageId, present: bool, bytes: &'a [u8]) -> Done {
        if field.omit == Omit::Inline {
            return self.members(id, bytes);
        }
        let full = match id.message().special {
            Special::Time => special::time(bytes)?.is_some(),
            _ => !bytes.is_empty(),
        };
        if self.shown(field, present, full) {
            self.message(id, bytes)?;
        }
        Ok(())
    }

    fn list(&mut self, field: &'static Field, values: Range<usize>) -> Done {
        let numbers = matches!(field.kind, Kind::Bool | Kind::Int32 | Kind::Int64);
        let fits = |value: &Value<'_>| match value {
            Value::Varint(_) => numbers,
            Value::Bytes(packed) => !numbers || !packed.is_empty(),
            _ => false,
        };
        let empty = !self.values.get(values.clone()).unwrap_or_default().iter().any(|(_, value)| fits(value));
        if !self.shown(field, !empty, !empty) {
            return Ok(());
        }
        if empty {
            self.out.null(); // a nil slice
            return Ok(());
        }
        self.out.begin_list();
        for at in values {
            match self.values.get(at) {
                Some((_, Value::Varint(n))) if numbers => self.number(field.kind, *n),
                Some((_, Value::Bytes(packed))) if numbers => {
                    for n in wire::varints(packed) {
                        self.number(field.kind, n?);
                    }
                }
                Some((_, Value::Bytes(bytes))) => self.element(field.kind, bytes)?,
                _ => {}
            }
        }
        self.out.end_list();
        Ok(())
    }

    fn map(&mut self, field: &'static Field, values: Range<usize>) -> Done {
        let entries = self.all_bytes(values).map(entry).collect::<Result<Vec<_>, _>>()?;
        let empty = entries.is_empty();
        if !self.shown(field, !empty, !empty) {
            return Ok(());
        }
        if empty {
            self.out.null();
            return Ok(());
        }
        self.out.begin_object();
        for (key, bytes) in sorted(entries) {
            self.out.key(&key);
            self.element(field.kind, bytes)?;
        }
        self.out.end_object();
        Ok(())
    }

    fn element(&mut self, kind: Kind, bytes: &'a [u8]) -> Done {
        match kind {
            Kind::Message(id) => self.message(id, bytes),
            _ => {
                self.out.string(text(bytes));
                Ok(())
            }
        }
    }

    fn number(&mut self, kind: Kind, n: u64) {
        match kind {
            Kind::Bool => self.out.bool(n != 0),
            Kind::Int32 => self.out.int(i64::from(n as i32)),
            _ => self.out.int(n as i64),
        }
    }
}

/// The bytes as text. The quick way first: what is no UTF-8 was mended on entry.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

type Entry<'a> = (Cow<'a, str>, &'a [u8]);

/// Key and value of a map's entry. A value that is missing is empty, which is also what an empty string and an empty
/// message look like.
fn entry(bytes: &[u8]) -> Result<Entry<'_>, WireError> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in wire::fields(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(b)) => key = b,
            (2, Value::Bytes(b)) => value = b,
            _ => {}
        }
    }
    Ok((text(key), value))
}

/// By key; the last value of a key wins. Canonical bytes are sorted already.
fn sorted(mut entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b)); // stable: the last one comes first
        entries.dedup_by(|(a, _), (b, _)| a == b);
    }
    entries
}
