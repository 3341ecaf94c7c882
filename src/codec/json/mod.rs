//! JSON as Kubernetes reads and prints it: one walker over the schema table for each direction.
//!
//! Rules: the `json` tags of `kubernetes/api core/v1/types.go` and the marshalers of `kubernetes/apimachinery`.

mod encode;
mod print;
mod sink;

use std::fmt;

use serde_json::Value;

use super::schema::MessageId;
use super::wire::WireError;

pub use encode::to_wire;
pub(super) use encode::{is_zero_message, put_entry};
pub(super) use print::is_zero as is_zero_number;
pub use sink::{escape, number};

/// What [`to_wire`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The canonical encoding: zero value fields left out, fields in number order, maps sorted.
    pub bytes: Vec<u8>,
    /// Paths of the keys that the schema does not know, such as `spec.containers[0].foo`; they were ignored.
    pub unknown: Vec<String>,
}

/// A JSON value that does not fit the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where it stands, such as `spec.containers[0].image`; empty for the whole value.
    pub path: String,
    /// What is wanted and what was found.
    pub problem: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl std::error::Error for JsonError {}

/// The JSON form of an encoded message as a value, its keys sorted.
///
/// # Errors
/// The bytes are not a protobuf message.
pub fn from_wire(message: MessageId, bytes: &[u8]) -> Result<Value, WireError> {
    let mut tree = sink::Tree::default();
    print::message(message, bytes, &mut tree)?;
    Ok(tree.finish())
}

/// Appends the JSON form of an encoded message as the API server prints it: compact, keys in the order of the Go
/// structs, `<`, `>` and `&` escaped.
///
/// # Errors
/// The bytes are not a protobuf message; `out` then holds a part.
pub fn write(message: MessageId, bytes: &[u8], out: &mut String) -> Result<(), WireError> {
    print::message(message, bytes, &mut sink::Text::new(out))
}

/// Appends a pod as a single API object, which begins with `kind` and `apiVersion`. Items of a list have neither;
/// print them with [`write`].
///
/// # Errors
/// The bytes are not a protobuf message; `out` then holds a part.
pub fn write_pod(bytes: &[u8], out: &mut String) -> Result<(), WireError> {
    let start = out.len() + 1;
    write(super::schema::id::POD, bytes, out)?;
    out.insert_str(start, "\"kind\":\"Pod\",\"apiVersion\":\"v1\",");
    Ok(())
}

/// A pod as a single API object, with `kind` and `apiVersion`, its keys sorted.
///
/// # Errors
/// The bytes are not a protobuf message.
pub fn pod_value(bytes: &[u8]) -> Result<Value, WireError> {
    let mut value = from_wire(super::schema::id::POD, bytes)?;
    if let Value::Object(pod) = &mut value {
        pod.insert("kind".into(), "Pod".into());
        pod.insert("apiVersion".into(), "v1".into());
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
