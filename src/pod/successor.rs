//! Of two pods with the same name, the one that is meant today.

use super::lookup::text;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value};

/// `ObjectMeta.creationTimestamp`.
const CREATED: u32 = 8;
/// `ObjectMeta.deletionTimestamp`.
const DELETED: u32 = 9;

/// Whether `pod` comes after `other` under the same name: it is not being deleted while the other is, or it is younger.
#[must_use]
pub fn succeeds(pod: &PodBytes, other: &PodBytes) -> bool {
    let rank = |pod: &PodBytes| {
        let (created, deleted) = (seconds(pod.metadata(), CREATED), seconds(pod.metadata(), DELETED));
        (deleted.is_none(), created, text(pod, "metadata.uid").into_owned())
    };
    rank(pod) > rank(other)
}

/// The seconds of a time in encoded metadata.
fn seconds(metadata: &[u8], number: u32) -> Option<i64> {
    let last = |bytes, number| wire::fields(bytes).map_while(Result::ok).filter(|f| f.number == number).last();
    let Value::Bytes(time) = last(metadata, number)?.value else { return None };
    match last(time, 1).map(|f| f.value) {
        Some(Value::Varint(seconds)) => Some(seconds as i64),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::schema::id;
    use serde_json::{json, Value as Json};

    fn pod(metadata: &Json) -> PodBytes {
        PodBytes::from_sections(&json::to_wire(id::OBJECT_META, metadata).unwrap().bytes, b"", b"", b"")
    }

    #[test]
    fn the_living_then_the_younger() {
        let (early, late) = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z");
        let table = [
            (json!({"creationTimestamp": early}), json!({"creationTimestamp": late, "deletionTimestamp": late})),
            (json!({"creationTimestamp": late}), json!({"creationTimestamp": early})),
            (json!({"creationTimestamp": early}), json!({})),
            (json!({"uid": "b"}), json!({"uid": "a"})),
        ];
        for (after, before) in table {
            let (after, before) = (pod(&after), pod(&before));
            assert!(succeeds(&after, &before) && !succeeds(&before, &after));
            assert!(!succeeds(&after, &after));
        }
    }
}
