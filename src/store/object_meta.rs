//! An encoded `meta.v1.ObjectMeta`: reading what identity needs, and writing our own marks into it.

use std::collections::BTreeMap;

use crate::codec::time::Time;
use crate::codec::wire::{self, Value};
use crate::pod::source::OURS;

const NAME: u32 = 1;
const NAMESPACE: u32 = 3;
const UID: u32 = 5;
const DELETION_TIMESTAMP: u32 = 9;
const DELETION_GRACE_PERIOD_SECONDS: u32 = 10;
const LABELS: u32 = 11;
const ANNOTATIONS: u32 = 12;

/// What identity is decided by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectMeta {
    /// `name`.
    pub name: String,
    /// `namespace`.
    pub namespace: String,
    /// `uid`.
    pub uid: String,
    /// `labels`.
    pub labels: BTreeMap<String, String>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
}

impl ObjectMeta {
    /// Reads the encoded form; of damaged bytes the part before the damage.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut meta = Self::default();
        for field in wire::fields(bytes).map_while(Result::ok) {
            let Value::Bytes(value) = field.value else { continue };
            match field.number {
                NAME => meta.name = text(value),
                NAMESPACE => meta.namespace = text(value),
                UID => meta.uid = text(value),
                LABELS => meta.labels.extend([entry(value)]),
                ANNOTATIONS => meta.annotations.extend([entry(value)]),
                _ => {}
            }
        }
        meta
    }
}

/// A pod that was given up and still stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Since when: seconds since the epoch.
    pub at: i64,
    /// `terminationGracePeriodSeconds` of its spec.
    pub grace_seconds: i64,
}

/// The same metadata with our annotations in place of those under [`OURS`], and with `deletion` as
/// `deletionTimestamp` and `deletionGracePeriodSeconds` unless it has a timestamp. An API server sets either both or
/// none, and `kubectl describe` relies on that. Fields stay in the order of their numbers.
#[must_use]
pub fn marked(metadata: &[u8], ours: &[(String, String)], deletion: Option<Deletion>) -> Vec<u8> {
    let mut fields: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut annotations: BTreeMap<String, String> = ours.iter().cloned().collect();
    for field in wire::fields(metadata).map_while(Result::ok) {
        match (field.number, field.value) {
            (ANNOTATIONS, Value::Bytes(value)) => {
                let (key, value) = entry(value);
                if !key.starts_with(OURS) {
                    annotations.insert(key, value);
                }
            }
            (number, _) => fields.entry(number).or_default().extend_from_slice(field.raw),
        }
    }
    for (key, value) in &annotations {
        put_entry(fields.entry(ANNOTATIONS).or_default(), ANNOTATIONS, key, value);
    }
    if let Some(Deletion { at, grace_seconds }) = deletion.filter(|_| !fields.contains_key(&DELETION_TIMESTAMP)) {
        let at = Time::from_unix(at).to_wire();
        wire::put_bytes(fields.entry(DELETION_TIMESTAMP).or_default(), DELETION_TIMESTAMP, &at);
        let mut grace = Vec::new();
        wire::put_number(&mut grace, DELETION_GRACE_PERIOD_SECONDS, grace_seconds.max(0).unsigned_abs());
        fields.entry(DELETION_GRACE_PERIOD_SECONDS).or_insert(grace);
    }
    fields.into_values().flatten().collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn entry(bytes: &[u8]) -> (String, String) {
    let (mut key, mut value) = (String::new(), String::new());
    for field in wire::fields(bytes).map_while(Result::ok) {
        match (field.number, field.value) {
            (1, Value::Bytes(b)) => key = text(b),
            (2, Value::Bytes(b)) => value = text(b),
            _ => {}
        }
    }
    (key, value)
}

fn put_entry(out: &mut Vec<u8>, number: u32, key: &str, value: &str) {
    let mut entry = Vec::with_capacity(wire::bytes_len(1, key.len()) + wire::bytes_len(2, value.len()));
    wire::put_bytes(&mut entry, 1, key.as_bytes());
    wire::put_bytes(&mut entry, 2, value.as_bytes());
    wire::put_bytes(out, number, &entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn encode(meta: &ObjectMeta) -> Vec<u8> {
        let value = serde_json::json!({
            "name": meta.name, "namespace": meta.namespace, "uid": meta.uid,
            "labels": meta.labels, "annotations": meta.annotations,
        });
        crate::codec::json::to_wire(crate::codec::schema::id::OBJECT_META, &value).unwrap().bytes
    }

    #[test]
    fn reads_what_the_codec_writes() {
        let meta = ObjectMeta {
            name: "web".into(),
            namespace: "shop".into(),
            uid: "u1".into(),
            labels: pairs(&[("app", "web")]),
            annotations: pairs(&[("a", "1"), ("b", "")]),
        };
        assert_eq!(ObjectMeta::read(&encode(&meta)), meta);
    }

    #[test]
    fn marks_replace_ours_and_keep_the_rest() {
        let mut meta = ObjectMeta {
            name: "web".into(),
            annotations: pairs(&[("z", "1"), ("nodepods.io/uid", "generated")]),
            ..ObjectMeta::default()
        };
        let mut bytes = encode(&meta);
        wire::put_bytes(&mut bytes, 13, b"finalizer");
        let ours = [("nodepods.io/sources".to_owned(), "cri".to_owned())];
        let got = marked(&bytes, &ours, Some(Deletion { at: 60, grace_seconds: 20 }));
        meta.annotations = pairs(&[("z", "1"), ("nodepods.io/sources", "cri")]);
        assert_eq!(ObjectMeta::read(&got), meta);
        let numbers: Vec<_> = wire::fields(&got).map(|f| f.unwrap().number).collect();
        assert_eq!(numbers, [1, 9, 10, 12, 12, 13]);
        let later = Deletion { at: 99, grace_seconds: 30 };
        assert_eq!(marked(&got, &ours, Some(later)), got, "a deletion timestamp stays what it was");
    }
}
