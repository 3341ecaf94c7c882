//! One pod as HTTP shows it: with our own revision as its `resourceVersion`, so that list and watch fit together.

use serde_json::{json, Value};

use crate::codec::json;
use crate::codec::schema::id;
use crate::codec::wire::{self, WireError};
use crate::store::snapshot::PodEntry;

/// `ObjectMeta.resourceVersion`.
const RESOURCE_VERSION: u32 = 6;
/// What begins each protobuf answer, in front of a `runtime.Unknown`.
const MAGIC: &[u8; 4] = b"k8s\0";

/// The encoded metadata of a pod with this revision in it.
pub(crate) fn metadata(pod: &PodEntry, revision: u64) -> Vec<u8> {
    let encoded = pod.bytes.metadata();
    let mut out = Vec::with_capacity(encoded.len() + 16);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for field in wire::fields(encoded).map_while(Result::ok) {
        match field.number {
            RESOURCE_VERSION => {}
            ..RESOURCE_VERSION => before.push(field.raw),
            _ => after.push(field.raw),
        }
    }
    before.iter().for_each(|raw| out.extend_from_slice(raw));
    wire::put_bytes(&mut out, RESOURCE_VERSION, revision.to_string().as_bytes());
    after.iter().for_each(|raw| out.extend_from_slice(raw));
    out
}

/// Appends `"metadata":{...},"spec":{...},"status":{...}`, or metadata alone; returns the length of the metadata.
///
/// # Errors
/// The pod's bytes are not a protobuf message.
pub(crate) fn sections(pod: &PodEntry, revision: u64, whole: bool, out: &mut String) -> Result<usize, WireError> {
    let start = out.len();
    out.push_str("\"metadata\":");
    json::write(id::OBJECT_META, &metadata(pod, revision), out)?;
    let metadata = out.len() - start;
    if whole {
        out.push_str(",\"spec\":");
        json::write(id::POD_SPEC, pod.bytes.spec(), out)?;
        out.push_str(",\"status\":");
        json::write(id::POD_STATUS, pod.bytes.status(), out)?;
    }
    Ok(metadata)
}

/// Kind and API version as JSON members, with a comma behind them.
pub(crate) fn type_members(whole: bool) -> &'static str {
    match whole {
        true => r#""kind":"Pod","apiVersion":"v1","#,
        false => r#""kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","#,
    }
}

/// The pod as a value, with its type.
///
/// # Errors
/// The pod's bytes are not a protobuf message.
pub(crate) fn value(pod: &PodEntry, revision: u64, whole: bool) -> Result<Value, WireError> {
    let metadata = json::from_wire(id::OBJECT_META, &metadata(pod, revision))?;
    if !whole {
        return Ok(json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}));
    }
    Ok(json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": json::from_wire(id::POD_SPEC, pod.bytes.spec())?,
        "status": json::from_wire(id::POD_STATUS, pod.bytes.status())?,
    }))
}

/// The encoded pod, or metadata alone.
pub(crate) fn message(pod: &PodEntry, revision: u64, whole: bool) -> Vec<u8> {
    let metadata = metadata(pod, revision);
    if whole {
        return pod.bytes.with_metadata(&metadata).as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(metadata.len() + 4);
    wire::put_bytes(&mut out, 1, &metadata);
    out
}

/// What stands behind the message of a protobuf answer: Go writes the empty content encoding and content type.
pub(crate) const TAIL: &[u8] = b"\x1a\0\x22\0";

/// What stands before the message of a protobuf answer
/// (`kubernetes/apimachinery pkg/runtime/serializer/protobuf/protobuf.go`).
pub(crate) fn envelope(api_version: &str, kind: &str, length: usize) -> Vec<u8> {
    let mut type_meta = Vec::new();
    wire::put_bytes(&mut type_meta, 1, api_version.as_bytes());
    wire::put_bytes(&mut type_meta, 2, kind.as_bytes());
    let mut head = MAGIC.to_vec();
    wire::put_bytes(&mut head, 1, &type_meta);
    wire::put_varint(&mut head, 2 << 3 | 2);
    wire::put_varint(&mut head, length as u64);
    head
}

/// A message in its envelope.
pub(crate) fn enveloped(api_version: &str, kind: &str, message: &[u8]) -> Vec<u8> {
    let mut out = envelope(api_version, kind, message.len());
    out.extend_from_slice(message);
    out.extend_from_slice(TAIL);
    out
}

/// Type of a single object, by its shape.
pub(crate) fn type_of(whole: bool) -> (&'static str, &'static str) {
    match whole {
        true => ("v1", "Pod"),
        false => ("meta.k8s.io/v1", "PartialObjectMetadata"),
    }
}
