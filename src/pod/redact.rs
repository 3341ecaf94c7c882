//! A pod without its literal environment values: what may be shown to a reader who is not root.

use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value};

/// What stands in place of a value. The variable's name and where a value comes from (`valueFrom`) stay.
pub const REDACTED: &str = "<redacted>";

/// `kubectl apply` writes the whole manifest, values and all, into this annotation.
const LAST_APPLIED: &[u8] = b"kubectl.kubernetes.io/last-applied-configuration";

/// Field numbers on the way to the values (`k8s.io/api/core/v1/generated.proto`).
mod number {
    pub const ANNOTATIONS: u32 = 12;
    pub const KEY: u32 = 1;
    /// `containers`, `initContainers`.
    pub const CONTAINERS: [u32; 2] = [2, 20];
    pub const EPHEMERAL: u32 = 34;
    /// What an ephemeral container has in common with others is a message of its own.
    pub const COMMON: u32 = 1;
    pub const ENV: u32 = 7;
    pub const VALUE: u32 = 2;
}

/// The pod with [`REDACTED`] in place of each literal environment value, and without the annotation that repeats them.
#[must_use]
pub fn environment(pod: &PodBytes) -> PodBytes {
    let metadata = map(pod.metadata(), |field, entry| {
        if field == number::ANNOTATIONS && is_last_applied(entry) {
            Change::Drop
        } else {
            Change::Keep
        }
    });
    let spec = map(pod.spec(), |field, value| match field {
        f if number::CONTAINERS.contains(&f) => Change::To(container(value)),
        number::EPHEMERAL => Change::To(map(value, |field, common| match field {
            number::COMMON => Change::To(container(common)),
            _ => Change::Keep,
        })),
        _ => Change::Keep,
    });
    PodBytes::from_sections(&metadata, &spec, pod.status(), pod.unknown())
}

fn container(bytes: &[u8]) -> Vec<u8> {
    map(bytes, |field, variable| match field {
        number::ENV => Change::To(map(variable, |field, value| match field {
            number::VALUE if !value.is_empty() => Change::To(REDACTED.into()),
            _ => Change::Keep,
        })),
        _ => Change::Keep,
    })
}

fn is_last_applied(entry: &[u8]) -> bool {
    wire::fields(entry).flatten().any(|f| f.number == number::KEY && f.value == Value::Bytes(LAST_APPLIED))
}

enum Change {
    Keep,
    Drop,
    To(Vec<u8>),
}

/// The message with its length-delimited fields changed. What cannot be read is left out: it might hold values.
fn map(message: &[u8], change: impl Fn(u32, &[u8]) -> Change) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for field in wire::fields(message).map_while(Result::ok) {
        let change = match field.value {
            Value::Bytes(value) => change(field.number, value),
            _ => Change::Keep,
        };
        match change {
            Change::Keep => out.extend_from_slice(field.raw),
            Change::Drop => {}
            Change::To(value) => wire::put_bytes(&mut out, field.number, &value),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json::{pod_value, to_wire};
    use crate::codec::schema::id;
    use serde_json::json;

    fn pod(json: &serde_json::Value) -> PodBytes {
        PodBytes::from_wire(&to_wire(id::POD, json).unwrap().bytes).unwrap()
    }

    #[test]
    fn literal_values_are_gone_and_nothing_else() {
        let with = |value: &str, last: bool| {
            let container = |name: &str| {
                json!({"name": name, "image": "i", "args": ["a"], "env": [
                    {"name": "LITERAL", "value": value},
                    {"name": "EMPTY"},
                    {"name": "FROM", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]})
            };
            let mut annotations = json!({"keep": "this"});
            if last {
                annotations["kubectl.kubernetes.io/last-applied-configuration"] = value.into();
            }
            pod(&json!({"metadata": {"name": "p", "annotations": annotations}, "spec": {
                "containers": [container("c")], "initContainers": [container("i")],
                "ephemeralContainers": [container("e")]}}))
        };
        let redacted = environment(&with("hunter2", true));
        assert_eq!(redacted, with(REDACTED, false), "{:?}", pod_value(redacted.as_bytes()));
        assert!(!String::from_utf8_lossy(redacted.as_bytes()).contains("hunter2"));
    }
}
