//! The two forms in which the API server answers. Pure.
//!
//! Source: `kubernetes/apimachinery pkg/runtime/serializer/protobuf/protobuf.go`.

use super::error::Unreadable;
use crate::codec::wire::{self, Value};

/// What begins every protobuf object.
const MAGIC: &[u8] = b"k8s\0";

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Form {
    /// The form that a `Content-Type` names.
    pub(super) fn of(content_type: Option<&str>) -> Result<Self, Unreadable> {
        let written = content_type.unwrap_or_default();
        match written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/vnd.kubernetes.protobuf" => Ok(Self::Protobuf),
            "application/json" => Ok(Self::Json),
            "" => Err(Unreadable("it has no Content-Type; is this an API server?".into())),
            other => {
                let other: String = other.chars().filter(|c| !c.is_control()).take(60).collect();
                Err(Unreadable(format!("it is {other}, not protobuf or JSON; is this an API server?")))
            }
        }
    }
}

/// A protobuf object outside of a list: `runtime.Unknown` behind the magic bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object<'a> {
    pub(super) kind: String,
    /// The object itself.
    pub(super) raw: &'a [u8],
}

/// Opens the envelope of a protobuf object.
pub(super) fn open(bytes: &[u8]) -> Result<Object<'_>, Unreadable> {
    let unknown = bytes.strip_prefix(MAGIC).ok_or_else(|| Unreadable("a protobuf object has no k8s prefix".into()))?;
    let (mut kind, mut version, mut raw): (String, String, &[u8]) = Default::default();
    for field in wire::fields(unknown) {
        let field = field.map_err(|e| Unreadable(e.to_string()))?;
        match (field.number, field.value) {
            (1, Value::Bytes(meta)) => {
                version = text(meta, 1)?;
                kind = text(meta, 2)?;
            }
            (2, Value::Bytes(b)) => raw = b,
            (3, Value::Bytes(coding)) if !coding.is_empty() => {
                return Err(Unreadable("an object is compressed, which was not asked for".into()));
            }
            _ => {}
        }
    }
    if version != "v1" {
        return Err(Unreadable(format!("an object of version {version:?} and kind {kind:?} is not expected")));
    }
    Ok(Object { kind, raw })
}

/// The last text of a field, empty where it is absent.
pub(super) fn text(message: &[u8], number: u32) -> Result<String, Unreadable> {
    Ok(String::from_utf8_lossy(bytes(message, number)?.unwrap_or_default()).into_owned())
}

/// The last bytes of a field.
pub(super) fn bytes(message: &[u8], number: u32) -> Result<Option<&[u8]>, Unreadable> {
    let mut found = None;
    for field in wire::fields(message) {
        match field.map_err(|e| Unreadable(e.to_string()))? {
            wire::RawField { number: n, value: Value::Bytes(b), .. } if n == number => found = Some(b),
            _ => {}
        }
    }
    Ok(found)
}

/// The last number of a field, 0 where it is absent.
pub(super) fn number(message: &[u8], number: u32) -> Result<u64, Unreadable> {
    let mut found = 0;
    for field in wire::fields(message) {
        match field.map_err(|e| Unreadable(e.to_string()))? {
            wire::RawField { number: n, value: Value::Varint(v), .. } if n == number => found = v,
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Puts an object into its envelope, as Go does.
    pub(in crate::source::apiserver) fn seal(kind: &str, raw: &[u8]) -> Vec<u8> {
        let mut meta = Vec::new();
        wire::put_bytes(&mut meta, 1, b"v1");
        wire::put_bytes(&mut meta, 2, kind.as_bytes());
        let mut out = MAGIC.to_vec();
        wire::put_bytes(&mut out, 1, &meta);
        wire::put_bytes(&mut out, 2, raw);
        out.extend_from_slice(&[0x1a, 0, 0x22, 0]);
        out
    }

    #[test]
    fn content_types() {
        let table = [
            (Some("application/json"), Ok(Form::Json)),
            (Some("Application/JSON; charset=utf-8"), Ok(Form::Json)),
            (Some("application/vnd.kubernetes.protobuf;stream=watch"), Ok(Form::Protobuf)),
            (Some("text/html"), Err("it is text/html")),
            (None, Err("no Content-Type")),
        ];
        for (written, wanted) in table {
            match (Form::of(written), wanted) {
                (Ok(form), Ok(wanted)) => assert_eq!(form, wanted),
                (Err(e), Err(word)) => assert!(e.0.contains(word), "{e}"),
                other => panic!("{written:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn envelopes() {
        let sealed = seal("Pod", b"abc");
        assert_eq!(open(&sealed), Ok(Object { kind: "Pod".into(), raw: b"abc" }));
        assert!(open(sealed.get(4..).unwrap()).unwrap_err().0.contains("k8s prefix"));
        assert!(open(b"k8s\0").unwrap_err().0.contains("not expected"));
        assert!(open(b"k8s\0\x0a\x09").is_err());
    }

    proptest! {
        #[test]
        fn rubbish_is_an_error_or_an_object(bytes: Vec<u8>) {
            let mut sealed = MAGIC.to_vec();
            sealed.extend(bytes);
            let _ = open(&sealed);
        }
    }
}
