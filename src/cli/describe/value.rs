//! Members of a pod in JSON, as kubectl shows them.

use serde_json::Value;

use crate::codec::time::Time;

/// A member of an object as text; absent is empty.
pub fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The members of a list.
pub fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// A moment as kubectl shows it: `Mon, 02 Jan 2006 15:04:05 +0000`.
pub fn moment(value: &Value, pointer: &str) -> String {
    let text = text(value, pointer);
    Time::parse(&text).map_or(text, |time| format!("{} +0000", time.rfc1123()))
}
