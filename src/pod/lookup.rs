//! Single values of an encoded pod, found without decoding the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::{id, Kind, MessageId};
use crate::codec::wire::{self, Value};

/// `ObjectMeta.labels`.
const LABELS: u32 = 11;
/// `ObjectMeta.annotations`.
const ANNOTATIONS: u32 = 12;

/// A scalar by its two-part path (`status.phase`), as text: booleans as `true` and `false`, absent as empty.
#[must_use]
pub fn text<'a>(pod: &'a PodBytes, path: &str) -> Cow<'a, str> {
    let Some((section, name)) = path.split_once('.') else { return Cow::Borrowed("") };
    let (message, bytes): (MessageId, &[u8]) = match section {
        "metadata" => (id::OBJECT_META, pod.metadata()),
        "spec" => (id::POD_SPEC, pod.spec()),
        "status" => (id::POD_STATUS, pod.status()),
        _ => return Cow::Borrowed(""),
    };
    let Some(field) = message.message().by_name(name) else { return Cow::Borrowed("") };
    let last = wire::fields(bytes).map_while(Result::ok).filter(|f| f.number == field.number).last();
    match (field.kind, last.map(|f| f.value)) {
        (Kind::String, Some(Value::Bytes(b))) => String::from_utf8_lossy(b),
        (Kind::Bool, v) => Cow::Borrowed(if matches!(v, Some(Value::Varint(1..))) { "true" } else { "false" }),
        (Kind::Int32 | Kind::Int64, Some(Value::Varint(n))) => Cow::Owned((n as i64).to_string()),
        // podIPs selects by its first address
        (Kind::Message(id::POD_IP), _) => first_ip(bytes, field.number),
        _ => Cow::Borrowed(""),
    }
}

fn first_ip(status: &[u8], number: u32) -> Cow<'_, str> {
    let first = wire::fields(status).map_while(Result::ok).find(|f| f.number == number);
    let Some(Value::Bytes(entry)) = first.map(|f| f.value) else { return Cow::Borrowed("") };
    entry_part(entry, 1).unwrap_or_default()
}

/// The value of a label.
#[must_use]
pub fn label<'a>(pod: &'a PodBytes, key: &str) -> Option<Cow<'a, str>> {
    map_value(pod.metadata(), LABELS, key)
}

/// All labels, in the order of their keys.
#[must_use]
pub fn labels(pod: &PodBytes) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let entries = wire::fields(pod.metadata()).map_while(Result::ok).filter(|f| f.number == LABELS);
    let entry = |value| match value {
        Value::Bytes(entry) => {
            Some((entry_part(entry, 1).unwrap_or_default(), entry_part(entry, 2).unwrap_or_default()))
        }
        _ => None,
    };
    entries.filter_map(|f| entry(f.value)).collect()
}

/// The value of an annotation.
#[must_use]
pub fn annotation<'a>(pod: &'a PodBytes, key: &str) -> Option<Cow<'a, str>> {
    map_value(pod.metadata(), ANNOTATIONS, key)
}

fn map_value<'a>(message: &'a [u8], number: u32, key: &str) -> Option<Cow<'a, str>> {
    let entries = wire::fields(message).map_while(Result::ok).filter(|f| f.number == number);
    let mut found = None;
    for entry in entries {
        if let Value::Bytes(entry) = entry.value {
            if entry_part(entry, 1).unwrap_or_default() == key {
                found = Some(entry_part(entry, 2).unwrap_or_default());
            }
        }
    }
    found
}

/// Field `number` of a small message of strings.
fn entry_part(entry: &[u8], number: u32) -> Option<Cow<'_, str>> {
    wire::fields(entry).map_while(Result::ok).filter(|f| f.number == number).last().and_then(|f| match f.value {
        Value::Bytes(b) => Some(String::from_utf8_lossy(b)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use serde_json::json;

    fn pod() -> PodBytes {
        let section = |id, v| json::to_wire(id, &v).unwrap().bytes;
        PodBytes::from_sections(
            &section(
                id::OBJECT_META,
                json!({"name": "web", "labels": {"app": "x", "tier": ""}, "annotations": {"app": "y"}}),
            ),
            &section(id::POD_SPEC, json!({"hostNetwork": true, "terminationGracePeriodSeconds": 5})),
            &section(id::POD_STATUS, json!({"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]})),
            &[],
        )
    }

    #[test]
    fn finds_single_values() {
        let pod = pod();
        for (path, want) in [
            ("metadata.name", "web"),
            ("metadata.namespace", ""),
            ("spec.hostNetwork", "true"),
            ("spec.hostPID", "false"),
            ("spec.terminationGracePeriodSeconds", "5"),
            ("status.phase", "Running"),
            ("status.podIPs", "10.0.0.1"),
            ("spec.nonsense", ""),
            ("nonsense", ""),
        ] {
            assert_eq!(text(&pod, path), want, "{path}");
        }
        assert_eq!(label(&pod, "app").as_deref(), Some("x"));
        assert_eq!(label(&pod, "tier").as_deref(), Some(""));
        assert_eq!(label(&pod, "none"), None);
        assert_eq!(labels(&pod).into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["app=x", "tier="]);
        assert_eq!(annotation(&pod, "app").as_deref(), Some("y"));
    }
}
