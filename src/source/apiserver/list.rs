//! One page of a PodList. Pure.

use serde_json::Value;

use super::error::{Failure, Unreadable};
use super::form::{self, Form};
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::codec::wire::{self, Value as Wire};
use crate::codec::{canonical, json};
use crate::source::MAX_PODS;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Of the whole list.
    pub(super) resource_version: String,
    /// Where the next page begins; empty on the last one.
    pub(super) next: String,
    pub(super) pods: Vec<PodBytes>,
}

/// Reads an answer to a list.
///
/// # Errors
/// It is no list of pods, or one of more than [`MAX_PODS`].
pub(super) fn read(form: Form, body: &[u8]) -> Result<Page, Failure> {
    match form {
        Form::Protobuf => {
            let object = form::open(body)?;
            expect(&object.kind)?;
            from_wire(object.raw)
        }
        Form::Json => {
            let list: Value = serde_json::from_slice(body).map_err(|e| Unreadable(format!("not valid JSON: {e}")))?;
            expect(list.get("kind").and_then(Value::as_str).unwrap_or_default())?;
            from_json(&list)
        }
    }
}

/// The pods of a PodList in JSON; the error is for a person.
pub(in crate::source) fn pods_in_json(body: &[u8]) -> Result<Vec<PodBytes>, String> {
    read(Form::Json, body).map(|page| page.pods).map_err(|e| match e {
        Failure::Unreadable(e) => e.0,
        Failure::TooMany(limit) => format!("there are more than {limit} pods in it, which is the most that is read"),
        e => e.to_string(),
    })
}

fn expect(kind: &str) -> Result<(), Unreadable> {
    if kind == "PodList" {
        return Ok(());
    }
    Err(Unreadable(format!("a PodList is expected, and this is of kind {kind:?}")))
}

fn from_wire(list: &[u8]) -> Result<Page, Failure> {
    let meta = form::bytes(list, 1)?.unwrap_or_default();
    let mut pods = Vec::new();
    for field in wire::fields(list) {
        let field = field.map_err(|e| Unreadable(e.to_string()))?;
        if let (2, Wire::Bytes(pod)) = (field.number, field.value) {
            // Before it is read: an empty pod is two bytes on the wire and a hundred in memory.
            if pods.len() == MAX_PODS {
                return Err(Failure::TooMany(MAX_PODS));
            }
            pods.push(canonical::pod(pod).map_err(|e| Unreadable(format!("item {}: {e}", pods.len())))?);
        }
    }
    Ok(Page { resource_version: form::text(meta, 2)?, next: form::text(meta, 3)?, pods })
}

fn from_json(list: &Value) -> Result<Page, Failure> {
    let text = |path: &str| list.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let items = list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if items.len() > MAX_PODS {
        return Err(Failure::TooMany(MAX_PODS));
    }
    let pods =
        items.iter().enumerate().map(|(i, item)| pod(item).map_err(|e| Unreadable(format!("item {i}: {}", e.0))));
    Ok(Page {
        resource_version: text("/metadata/resourceVersion"),
        next: text("/metadata/continue"),
        pods: pods.collect::<Result<_, _>>()?,
    })
}

/// A pod in JSON.
pub(super) fn pod(object: &Value) -> Result<PodBytes, Unreadable> {
    let encoded = json::to_wire(id::POD, object).map_err(|e| Unreadable(e.to_string()))?;
    PodBytes::from_wire(&encoded.bytes).map_err(|e| Unreadable(e.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::form::tests::seal;
    use super::*;
    use crate::pod::lookup;
    use proptest::prelude::*;

    /// A pod as JSON.
    pub(in crate::source::apiserver) fn sample(name: &str, version: &str) -> Value {
        serde_json::json!({"kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "resourceVersion": version},
            "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Running"}})
    }

    /// A sealed PodList.
    pub(in crate::source::apiserver) fn sealed(version: &str, next: &str, names: &[&str]) -> Vec<u8> {
        let (mut list, mut meta) = (Vec::new(), Vec::new());
        wire::put_bytes(&mut meta, 2, version.as_bytes());
        wire::put_bytes(&mut meta, 3, next.as_bytes());
        wire::put_bytes(&mut list, 1, &meta);
        for name in names {
            wire::put_bytes(&mut list, 2, pod(&sample(name, "5")).unwrap().as_bytes());
        }
        seal("PodList", &list)
    }

    #[test]
    fn both_forms_give_the_same_pods() {
        let list = serde_json::json!({"kind": "PodList", "apiVersion": "v1",
            "metadata": {"resourceVersion": "9", "continue": "abc"}, "items": [sample("a", "5"), sample("b", "5")]});
        let json = read(Form::Json, list.to_string().as_bytes()).unwrap();
        assert_eq!((json.resource_version.as_str(), json.next.as_str(), json.pods.len()), ("9", "abc", 2));
        assert_eq!(lookup::text(&json.pods[1], "metadata.uid"), "uid-b");
        assert_eq!(read(Form::Protobuf, &sealed("9", "abc", &["a", "b"])).unwrap(), json);
        let empty = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":null}"#;
        assert_eq!(read(Form::Json, empty).unwrap(), Page { next: String::new(), pods: Vec::new(), ..json });
    }

    #[test]
    fn what_is_no_list_of_pods_is_named() {
        let bad_item = br#"{"kind":"PodList","items":[{"metadata":{}},{"spec":{"containers":"x"}}]}"#;
        for (form, body, word) in [
            (Form::Json, &b"{"[..], "not valid JSON"),
            (Form::Json, br#"{"kind":"NodeList"}"#, "NodeList"),
            (Form::Json, bad_item, "item 1: spec.containers"),
            (Form::Protobuf, b"{}", "k8s prefix"),
            (Form::Protobuf, &seal("NodeList", b""), "NodeList"),
            (Form::Protobuf, &seal("PodList", b"\x12\x02\x0a\x09"), "item 0"),
        ] {
            let error = read(form, body).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_an_error_or_a_page(bytes: Vec<u8>) {
            let _ = read(Form::Protobuf, &seal("PodList", &bytes));
            let _ = read(Form::Json, &bytes);
        }
    }
}
