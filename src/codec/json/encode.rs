//! JSON to wire: walks the schema in the order of the field numbers and writes the canonical encoding.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::sink::number;
use super::{Encoded, JsonError};
use crate::codec::quantity::Quantity;
use crate::codec::schema::{id, Field, Kind, Label, MessageId, Omit, Special};
use crate::codec::special::{self, IntOrString};
use crate::codec::time::Time;
use crate::codec::wire;

/// Encodes a JSON value as this message. Rules of `encoding/json` as Kubernetes uses it: null is unset, keys are
/// case-sensitive, unknown keys are ignored (and reported), numbers and strings are not taken for each other.
/// A pod may carry `kind` and `apiVersion`; its three sections are always written.
///
/// # Errors
/// A value does not fit its field; the error names the first one.
pub fn to_wire(message: MessageId, value: &Value) -> Result<Encoded, JsonError> {
    let mut encoder = Encoder::default();
    let bytes = encoder.message(message, value)?;
    Ok(Encoded { bytes, unknown: encoder.unknown })
}

type Object = Map<String, Value>;

#[derive(Default)]
struct Encoder {
    path: String,
    unknown: Vec<String>,
}

impl Encoder {
    fn fail<T>(&self, want: &str, got: &Value) -> Result<T, JsonError> {
        Err(JsonError { path: self.path.clone(), problem: format!("want {want}, got {}", describe(got)) })
    }

    /// Does something one step further down the path.
    fn within<T>(&mut self, step: Step<'_>, work: impl FnOnce(&mut Self) -> T) -> T {
        let here = self.path.len();
        step.push(&mut self.path);
        let done = work(self);
        self.path.truncate(here);
        done
    }

    fn message(&mut self, id: MessageId, value: &Value) -> Result<Vec<u8>, JsonError> {
        match (id.message().special, value) {
            (Special::None, Value::Object(object)) => {
                self.report_unknown(id, object);
                let mut out = Vec::new();
                self.members(id, object, &mut out)?;
                Ok(out)
            }
            (Special::None, Value::Null) => Ok(Vec::new()),
            (Special::None, _) => self.fail("an object", value),
            (Special::Quantity, _) => self.quantity(value),
            (Special::Time, _) => self.time(value),
            (Special::IntOrString, _) => self.int_or_string(value),
            (Special::FieldsV1, Value::Null) => Ok(Vec::new()),
            (Special::FieldsV1, json) => Ok(special::encode_quantity(&json.to_string())),
        }
    }

    fn report_unknown(&mut self, id: MessageId, object: &Object) {
        for key in object.keys() {
            let type_meta = id == id::POD && matches!(key.as_str(), "kind" | "apiVersion");
            if !type_meta && !is_member(id, key) {
                let path = self.within(Step::Key(key), |e| e.path.clone());
                self.unknown.push(path);
            }
        }
    }

    fn members(&mut self, id: MessageId, object: &Object, out: &mut Vec<u8>) -> Result<(), JsonError> {
        for (_, field) in id.by_number() {
            if let (Omit::Inline, Kind::Message(inlined)) = (field.omit, field.kind) {
                let mut members = Vec::new();
                self.members(inlined, object, &mut members)?;
                if !members.is_empty() {
                    wire::put_bytes(out, field.number, &members);
                }
                continue;
            }
            let value = object.get(field.name).unwrap_or(&Value::Null);
            if value.is_null() {
                if id == id::POD {
                    wire::put_bytes(out, field.number, b"");
                }
                continue;
            }
            self.within(Step::Key(field.name), |e| match field.label {
                Label::Single => e.single(field, value, out, id == id::POD),
                Label::Repeated => e.list(field, value, out),
                Label::Map => e.map(field, value, out),
            })?;
        }
        Ok(())
    }

    fn single(&mut self, field: &Field, value: &Value, out: &mut Vec<u8>, section: bool) -> Result<(), JsonError> {
        let keep = section || field.keeps_presence();
        match field.kind {
            Kind::Message(id) => {
                let bytes = self.message(id, value)?;
                if keep || !is_zero_message(id, &bytes) {
                    wire::put_bytes(out, field.number, &bytes);
                }
            }
            Kind::String | Kind::Bytes => {
                let text = self.text(value)?;
                if keep || !text.is_empty() {
                    wire::put_bytes(out, field.number, text.as_bytes());
                }
            }
            Kind::Bool | Kind::Int32 | Kind::Int64 => {
                let n = self.number(field.kind, value)?;
                if keep || n != 0 {
                    wire::put_number(out, field.number, n);
                }
            }
        }
        Ok(())
    }

    /// A null element is the zero of its kind, as in Go.
    fn list(&mut self, field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let Value::Array(elements) = value else {
            return self.fail("a list", value);
        };
        for (i, element) in elements.iter().enumerate() {
            self.within(Step::Index(i), |e| {
                match field.kind {
                    Kind::Message(id) => wire::put_bytes(out, field.number, &e.message(id, element)?),
                    Kind::String | Kind::Bytes => wire::put_bytes(out, field.number, e.text(element)?.as_bytes()),
                    kind => wire::put_number(out, field.number, e.number(kind, element)?),
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn map(&mut self, field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let Value::Object(object) = value else {
            return self.fail("an object", value);
        };
        let sorted: BTreeMap<&String, &Value> = object.iter().collect();
        for (key, value) in sorted {
            let bytes = self.within(Step::Entry(key), |e| match field.kind {
                Kind::Message(id) => e.message(id, value),
                _ => e.text(value).map(|s| s.as_bytes().to_vec()),
            })?;
            put_entry(out, field.number, key, &bytes);
        }
        Ok(())
    }

    fn text<'v>(&self, value: &'v Value) -> Result<&'v str, JsonError> {
        match value {
            Value::String(text) => Ok(text),
            Value::Null => Ok(""),
            Value::Bool(_) | Value::Number(_) => self.fail("text (put it in quotes)", value),
            _ => self.fail("text", value),
        }
    }

    /// A boolean or a number in its form on the wire.
    fn number(&self, kind: Kind, value: &Value) -> Result<u64, JsonError> {
        match (kind, value) {
            (_, Value::Null) => Ok(0),
            (Kind::Bool, Value::Bool(b)) => Ok(u64::from(*b)),
            (Kind::Bool, _) => self.fail("true or false", value),
            (_, Value::Number(n)) => match n.as_i64() {
                Some(n) if kind != Kind::Int32 || i32::try_from(n).is_ok() => Ok(n as u64),
                Some(_) => self.fail("a whole number of 32 bits", value),
                None => self.fail("a whole number", value),
            },
            _ => self.fail("a whole number", value),
        }
    }

    fn quantity(&self, value: &Value) -> Result<Vec<u8>, JsonError> {
        let text = match value {
            Value::Null => return Ok(special::encode_quantity("0")),
            Value::String(text) => text.clone(),
            Value::Number(n) => number(n),
            _ => return self.fail("a quantity such as 500m or 64Mi", value),
        };
        match Quantity::parse(&text) {
            Ok(q) => Ok(special::encode_quantity(q.as_str())),
            Err(e) => Err(JsonError { path: self.path.clone(), problem: e.to_string() }),
        }
    }

    fn time(&self, value: &Value) -> Result<Vec<u8>, JsonError> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::String(text) => match Time::parse(text) {
                Some(time) => Ok(time.to_wire()),
                None => self.fail("a time such as 2021-01-11T07:47:02Z", value),
            },
            _ => self.fail("a time such as 2021-01-11T07:47:02Z", value),
        }
    }

    fn int_or_string(&self, value: &Value) -> Result<Vec<u8>, JsonError> {
        let port = match value {
            Value::Null => IntOrString::Int(0),
            Value::String(text) => IntOrString::Text(text.into()),
            Value::Number(n) => match n.as_i64().map(i32::try_from) {
                Some(Ok(n)) => IntOrString::Int(n),
                _ => return self.fail("a name or a whole number of 32 bits", value),
            },
            _ => return self.fail("a name or a whole number", value),
        };
        Ok(port.to_wire())
    }
}

/// Whether this is a key of the message's object, members of inlined messages included.
fn is_member(id: MessageId, key: &str) -> bool {
    id.message().fields.iter().any(|f| match (f.omit, f.kind) {
        (Omit::Inline, Kind::Message(inlined)) => is_member(inlined, key),
        _ => f.name == key,
    })
}

/// Whether a value field with this content is left out of the canonical encoding.
pub(crate) fn is_zero_message(id: MessageId, bytes: &[u8]) -> bool {
    bytes.is_empty() || (id == id::QUANTITY && bytes == b"\x0a\x010")
}

/// A map entry; key and value are always written, as Go does.
pub(crate) fn put_entry(out: &mut Vec<u8>, number: u32, key: &str, value: &[u8]) {
    let mut entry = Vec::with_capacity(wire::bytes_len(1, key.len()) + wire::bytes_len(2, value.len()));
    wire::put_bytes(&mut entry, 1, key.as_bytes());
    wire::put_bytes(&mut entry, 2, value);
    wire::put_bytes(out, number, &entry);
}

/// One step of a path.
enum Step<'a> {
    /// A member of an object: `.name`.
    Key(&'a str),
    /// An element of a list: `[3]`.
    Index(usize),
    /// An entry of a map, as Kubernetes writes it: `[example.com/name]`.
    Entry(&'a str),
}

impl Step<'_> {
    fn push(&self, path: &mut String) {
        match self {
            Step::Key(key) if key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Step::Key(key) | Step::Entry(key) => {
                path.push('[');
                path.push_str(key);
                path.push(']');
            }
            Step::Index(i) => {
                let _ = write!(path, "[{i}]"); // a String takes everything
            }
        }
    }
}

/// A value as an error message shows it: long text cut, objects and lists by their kind.
fn describe(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".into(),
        Value::Array(_) => "a list".into(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("{}...", Value::String(text.chars().take(40).collect()).to_string().trim_end_matches('"'))
        }
        Value::Number(n) => number(n),
        other => other.to_string(),
    }
}
