//! The canonical form of an encoded message: equal pods are equal bytes, whoever encoded them.

use super::json::{is_zero_message, is_zero_number, put_entry};
use super::members::{Members, Occurrences};
use super::pod_bytes::PodBytes;
use super::schema::{id, Field, Kind, Label, MessageId, Special};
use super::special::{self, IntOrString};
use super::wire::{self, WireError};

/// The canonical form of a pod that another program encoded. Split messages are joined; value fields at their
/// zero, which Go writes all the same, are dropped; pointer fields keep their presence; fields stand in number
/// order, maps sorted and without doubles; times hold whole seconds; quantities have the text that Kubernetes
/// prints; bytes that are not UTF-8 are replaced; unknown fields follow at the end of their message.
///
/// # Errors
/// The bytes are not a protobuf message.
pub fn pod(bytes: &[u8]) -> Result<PodBytes, WireError> {
    PodBytes::from_wire(&message(id::POD, bytes)?)
}

/// The canonical form of any message of the schema, such as one section of a pod.
///
/// # Errors
/// The bytes are not a protobuf message.
pub fn message(id: MessageId, bytes: &[u8]) -> Result<Vec<u8>, WireError> {
    let message = id.message();
    let members = Members::read(message, bytes)?;
    let mut out = Vec::with_capacity(bytes.len());
    match message.special {
        Special::None => {
            for (row, field) in id.by_number() {
                let values = members.of(row);
                match field.label {
                    Label::Single => single(field, &values, &mut out, id == id::POD)?,
                    Label::Repeated => list(field, &values, &mut out)?,
                    Label::Map => map(field, &values, &mut out)?,
                }
            }
        }
        Special::Quantity => out = special::encode_quantity(&special::quantity(bytes)?),
        Special::Time => out = special::time(bytes)?.map(|t| t.to_wire()).unwrap_or_default(),
        Special::IntOrString => out = IntOrString::from_wire(bytes)?.to_wire(),
        Special::FieldsV1 => {
            if let Some(raw) = members.of(0).bytes().filter(|raw| !raw.is_empty()) {
                wire::put_bytes(&mut out, 1, raw);
            }
        }
    }
    for unknown in members.unknown {
        out.extend_from_slice(unknown);
    }
    Ok(out)
}

/// `section` marks the three sections of a pod, which are always written.
fn single(field: &Field, values: &Occurrences<'_, '_>, out: &mut Vec<u8>, section: bool) -> Result<(), WireError> {
    let keep = section || field.keeps_presence();
    match field.kind {
        Kind::Message(id) => {
            let joined = values.joined();
            if joined.is_none() && !section {
                return Ok(());
            }
            let bytes = message(id, joined.as_deref().unwrap_or_default())?;
            if keep || !is_zero_message(id, &bytes) {
                wire::put_bytes(out, field.number, &bytes);
            }
        }
        Kind::String | Kind::Bytes => {
            if let Some(bytes) = values.bytes().filter(|b| keep || !b.is_empty()) {
                wire::put_bytes(out, field.number, String::from_utf8_lossy(bytes).as_bytes());
            }
        }
        kind => {
            if let Some(n) = values.number().filter(|n| keep || !is_zero_number(kind, *n)) {
                wire::put_number(out, field.number, number(kind, n));
            }
        }
    }
    Ok(())
}

/// Elements stay even when they are empty: their place says something.
fn list(field: &Field, values: &Occurrences<'_, '_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    for n in values.numbers() {
        wire::put_number(out, field.number, number(field.kind, n));
    }
    for bytes in values.all_bytes() {
        element(field, bytes, |bytes| wire::put_bytes(out, field.number, bytes))?;
    }
    Ok(())
}

fn map(field: &Field, values: &Occurrences<'_, '_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    for (key, value) in values.map()? {
        element(field, value, |bytes| put_entry(out, field.number, &key, bytes))?;
    }
    Ok(())
}

fn element(field: &Field, bytes: &[u8], put: impl FnOnce(&[u8])) -> Result<(), WireError> {
    match field.kind {
        Kind::Message(id) => put(&message(id, bytes)?),
        _ => put(String::from_utf8_lossy(bytes).as_bytes()),
    }
    Ok(())
}

/// The one form of a number: a boolean is 0 or 1, an `int32` is sign-extended.
fn number(kind: Kind, n: u64) -> u64 {
    match kind {
        Kind::Bool => u64::from(n != 0),
        Kind::Int32 => i64::from(n as i32) as u64,
        _ => n,
    }
}

#[cfg(test)]
mod tests;
