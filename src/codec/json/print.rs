//! Wire to JSON: walks the schema in Go struct order and leaves out what Kubernetes leaves out.

use super::sink::Sink;
use crate::codec::members::{Members, Occurrences};
use crate::codec::schema::{Field, Kind, Label, MessageId, Omit, Special};
use crate::codec::special::{self, IntOrString};
use crate::codec::wire::WireError;

type Done = Result<(), WireError>;

/// Prints one message, special ones in their own form.
pub(super) fn message(id: MessageId, bytes: &[u8], out: &mut impl Sink) -> Done {
    match id.message().special {
        Special::None => {
            out.begin_object();
            members(id, bytes, out)?;
            out.end_object();
        }
        Special::Quantity => out.string(special::quantity(bytes)?),
        Special::Time => match special::time(bytes)? {
            Some(time) => out.string(time.to_string().into()),
            None => out.null(),
        },
        Special::IntOrString => match IntOrString::from_wire(bytes)? {
            IntOrString::Int(n) => out.int(n.into()),
            IntOrString::Text(text) => out.string(text),
        },
        Special::FieldsV1 => match special::fields_v1(bytes)? {
            Some(json) => out.raw(&json),
            None => out.null(),
        },
    }
    Ok(())
}

/// Prints the members of a message into the object that is open.
fn members(id: MessageId, bytes: &[u8], out: &mut impl Sink) -> Done {
    let message = id.message();
    let members = Members::read(message, bytes)?;
    for (row, field) in message.fields.iter().enumerate() {
        let values = members.of(row);
        match field.label {
            Label::Single => single(field, &values, out)?,
            Label::Repeated => list(field, &values, out)?,
            Label::Map => map(field, &values, out)?,
        }
    }
    Ok(())
}

fn single(field: &Field, values: &Occurrences<'_, '_>, out: &mut impl Sink) -> Done {
    match field.kind {
        Kind::Message(id) => return nested(field, id, values, out),
        Kind::String | Kind::Bytes => {
            let value = values.bytes();
            if shown(field, value.is_some(), value.is_some_and(|v| !v.is_empty()), out) {
                out.string(String::from_utf8_lossy(value.unwrap_or_default()));
            }
        }
        Kind::Bool | Kind::Int32 | Kind::Int64 => {
            let value = values.number();
            if shown(field, value.is_some(), value.is_some_and(|v| !is_zero(field.kind, v)), out) {
                number(field.kind, value.unwrap_or(0), out);
            }
        }
    }
    Ok(())
}

/// Decides whether a value is printed; if so, its key is written. An absent `AlwaysPointer` is written as null.
fn shown(field: &Field, present: bool, full: bool, out: &mut impl Sink) -> bool {
    match field.omit {
        Omit::Always | Omit::StructAlways => {}
        Omit::Pointer if present => {}
        Omit::AlwaysPointer => {
            out.key(field.name);
            if !present {
                out.null();
            }
            return present;
        }
        Omit::Empty | Omit::Zero | Omit::Internal if full => {}
        _ => return false,
    }
    out.key(field.name);
    true
}

fn nested(field: &Field, id: MessageId, values: &Occurrences<'_, '_>, out: &mut impl Sink) -> Done {
    let joined = values.joined();
    let bytes = joined.as_deref().unwrap_or_default();
    if field.omit == Omit::Inline {
        return members(id, bytes, out);
    }
    let full = match id.message().special {
        Special::Time => special::time(bytes)?.is_some(),
        _ => !bytes.is_empty(),
    };
    if shown(field, joined.is_some(), full, out) {
        message(id, bytes, out)?;
    }
    Ok(())
}

fn list(field: &Field, values: &Occurrences<'_, '_>, out: &mut impl Sink) -> Done {
    let empty = values.is_empty();
    if !shown(field, !empty, !empty, out) {
        return Ok(());
    }
    if empty {
        out.null(); // a nil slice
        return Ok(());
    }
    out.begin_list();
    for n in values.numbers() {
        number(field.kind, n, out);
    }
    for bytes in values.all_bytes() {
        element(field.kind, bytes, out)?;
    }
    out.end_list();
    Ok(())
}

fn map(field: &Field, values: &Occurrences<'_, '_>, out: &mut impl Sink) -> Done {
    let empty = values.is_empty();
    if !shown(field, !empty, !empty, out) {
        return Ok(());
    }
    if empty {
        out.null();
        return Ok(());
    }
    out.begin_object();
    for (key, bytes) in values.map()? {
        out.key(&key);
        element(field.kind, bytes, out)?;
    }
    out.end_object();
    Ok(())
}

fn element(kind: Kind, bytes: &[u8], out: &mut impl Sink) -> Done {
    match kind {
        Kind::Message(id) => message(id, bytes, out),
        _ => {
            out.string(String::from_utf8_lossy(bytes));
            Ok(())
        }
    }
}

/// Whether a number on the wire is the zero of its kind; an `int32` is the low half of what was sent.
pub(crate) fn is_zero(kind: Kind, n: u64) -> bool {
    match kind {
        Kind::Int32 => n as i32 == 0,
        _ => n == 0,
    }
}

fn number(kind: Kind, n: u64, out: &mut impl Sink) {
    match kind {
        Kind::Bool => out.bool(n != 0),
        Kind::Int32 => out.int(i64::from(n as i32)),
        _ => out.int(n as i64),
    }
}
