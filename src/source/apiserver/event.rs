//! One event of a watch. Pure.

use serde_json::Value;

use super::error::{Refusal, Unreadable};
use super::form::{self, Form};
use super::{list, status};
use crate::codec::canonical;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::pod::lookup;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// This is how a pod is now (ADDED, MODIFIED).
    Is(PodBytes),
    /// A pod is gone, or belongs to this node no longer; its last state.
    Gone(PodBytes),
    /// Nothing, up to this resource version.
    Bookmark(String),
    /// The watch is over.
    Error(Refusal),
}

impl Event {
    /// The resource version from which a watch can go on behind this event.
    pub(super) fn version(&self) -> Option<String> {
        match self {
            Self::Is(pod) | Self::Gone(pod) => Some(lookup::text(pod, "metadata.resourceVersion").into_owned()),
            Self::Bookmark(version) => Some(version.clone()),
            Self::Error(_) => None,
        }
        .filter(|version| !version.is_empty())
    }
}

/// Reads one frame: `meta.WatchEvent` in protobuf, or one JSON object. `None` is an event of a type that is not
/// known, which later servers may send.
pub(super) fn read(form: Form, frame: &[u8]) -> Result<Option<Event>, Unreadable> {
    match form {
        Form::Protobuf => {
            let kind = form::text(frame, 1)?;
            let object = form::bytes(form::bytes(frame, 2)?.unwrap_or_default(), 1)?.unwrap_or_default();
            let object = form::open(object)?;
            match kind.as_str() {
                "ERROR" => Ok(Some(Event::Error(status::from_wire(object.raw)?))),
                kind => {
                    expect(&object.kind)?;
                    about_pod(kind, || canonical::pod(object.raw).map_err(|e| Unreadable(e.to_string())))
                }
            }
        }
        Form::Json => {
            let event: Value = serde_json::from_slice(frame).map_err(|e| Unreadable(format!("not valid JSON: {e}")))?;
            let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
            let object = event.get("object").unwrap_or(&Value::Null);
            match kind {
                "ERROR" => Ok(Some(Event::Error(status::from_json(object)))),
                "BOOKMARK" => {
                    // Some servers write "containers":null in it, which is nothing to read.
                    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
                    Ok(Some(Event::Bookmark(version.unwrap_or_default().to_owned())))
                }
                kind => {
                    expect(object.get("kind").and_then(Value::as_str).unwrap_or_default())?;
                    about_pod(kind, || list::pod(object))
                }
            }
        }
    }
}

fn about_pod(kind: &str, pod: impl FnOnce() -> Result<PodBytes, Unreadable>) -> Result<Option<Event>, Unreadable> {
    Ok(match kind {
        "ADDED" | "MODIFIED" => Some(Event::Is(pod()?)),
        "DELETED" => Some(Event::Gone(pod()?)),
        "BOOKMARK" => Some(Event::Bookmark(lookup::text(&pod()?, "metadata.resourceVersion").into_owned())),
        "" => return Err(Unreadable("an event has no type".into())),
        _ => None,
    })
}

fn expect(kind: &str) -> Result<(), Unreadable> {
    if kind == id::POD.message().name.rsplit('.').next().unwrap_or_default() {
        return Ok(());
    }
    Err(Unreadable(format!("an event about a Pod is expected, and this is about a {kind:?}")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::form::tests::seal;
    use super::super::list::tests::sample;
    use super::*;
    use crate::codec::wire;
    use proptest::prelude::*;

    /// A protobuf frame without its length.
    pub(in crate::source::apiserver) fn frame(kind: &str, sealed: &[u8]) -> Vec<u8> {
        let (mut out, mut object) = (Vec::new(), Vec::new());
        wire::put_bytes(&mut object, 1, sealed);
        wire::put_bytes(&mut out, 1, kind.as_bytes());
        wire::put_bytes(&mut out, 2, &object);
        out
    }

    #[test]
    fn both_forms_say_the_same() {
        let object = sample("a", "7");
        let pod = list::pod(&object).unwrap();
        let table = [
            ("ADDED", Some(Event::Is(pod.clone()))),
            ("MODIFIED", Some(Event::Is(pod.clone()))),
            ("DELETED", Some(Event::Gone(pod.clone()))),
            ("BOOKMARK", Some(Event::Bookmark("7".into()))),
            ("NEWER", None),
        ];
        for (kind, wanted) in table {
            let json = serde_json::json!({"type": kind, "object": object}).to_string();
            assert_eq!(read(Form::Json, json.as_bytes()).unwrap(), wanted, "{kind}");
            let protobuf = frame(kind, &seal("Pod", pod.as_bytes()));
            assert_eq!(read(Form::Protobuf, &protobuf).unwrap(), wanted, "{kind}");
            assert_eq!(wanted.as_ref().and_then(Event::version), wanted.map(|_| "7".to_owned()));
        }
    }

    #[test]
    fn bookmarks_and_errors_as_servers_send_them() {
        let bookmark = br#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"12"},"spec":{"containers":null},"status":{}}}"#;
        assert_eq!(read(Form::Json, bookmark), Ok(Some(Event::Bookmark("12".into()))));
        let expired = br#"{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}}"#;
        let Ok(Some(Event::Error(refusal))) = read(Form::Json, expired) else { panic!() };
        assert_eq!((refusal.code, refusal.reason.as_str()), (410, "Expired"));
        let mut status = Vec::new();
        wire::put_bytes(&mut status, 4, b"Expired");
        wire::put_number(&mut status, 6, 410);
        assert_eq!(read(Form::Protobuf, &frame("ERROR", &seal("Status", &status))), Ok(Some(Event::Error(refusal))));
    }

    #[test]
    fn what_is_no_event_is_named() {
        for (form, bytes, word) in [
            (Form::Json, &b"{"[..], "not valid JSON"),
            (Form::Json, br#"{"type":"ADDED","object":{"kind":"Node"}}"#, "about a \"Node\""),
            (Form::Json, br#"{"object":{"kind":"Pod"}}"#, "no type"),
            (Form::Protobuf, &frame("ADDED", &seal("Node", b"")), "about a \"Node\""),
            (Form::Protobuf, b"\x0a\x05ADDED", "k8s prefix"),
            (Form::Protobuf, b"\x0a\x09", "cut off"),
        ] {
            let error = read(form, bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_an_error_or_an_event(kind in "ADDED|DELETED|BOOKMARK|ERROR|X", bytes: Vec<u8>) {
            let _ = read(Form::Protobuf, &frame(&kind, &seal("Pod", &bytes)));
            let _ = read(Form::Protobuf, &frame(&kind, &bytes));
            let _ = read(Form::Protobuf, &bytes);
            let _ = read(Form::Json, &bytes);
        }
    }
}
