//! The events of a watch, printed.
//!
//! Shapes: `kubernetes/apimachinery pkg/apis/meta/v1/watch.go`; a protobuf frame is its length and a WatchEvent.

use serde_json::{json, Value};

use super::table;
use crate::codec::wire::{self, WireError};
use crate::serve::http::listed::INITIAL;
use crate::serve::http::negotiate::{Form, Media, Shape};
use crate::serve::http::pod_object;
use crate::serve::http::row_object::RowObject;
use crate::serve::http::shared;
use crate::serve::http::value::set;
use crate::store::snapshot::PodEntry;

/// Prints events in one form.
pub(super) struct EventPrinter {
    form: Form,
    beside: RowObject,
    /// Whether the columns of the table were told.
    columns_told: bool,
}

impl EventPrinter {
    pub(super) fn new(form: Form, beside: RowObject) -> Self {
        Self { form, beside, columns_told: false }
    }

    fn whole(&self) -> bool {
        self.form.shape != Shape::Metadata
    }

    /// An event with a pod, shown at this revision.
    ///
    /// # Errors
    /// The pod's bytes are not a protobuf message.
    pub(super) fn pod(&mut self, kind: &str, pod: &PodEntry, revision: u64) -> Result<Vec<u8>, WireError> {
        let whole = self.whole();
        if self.form.media == Media::Protobuf {
            let (api_version, object_kind) = pod_object::type_of(whole);
            let message = pod_object::message(pod, revision, whole);
            return Ok(frame(kind, &pod_object::enveloped(api_version, object_kind, &message)));
        }
        let mut text = format!(r#"{{"type":"{kind}","object":"#);
        match self.form.shape {
            Shape::Table(version) => {
                let columns = !std::mem::replace(&mut self.columns_told, true);
                table::begin(version, &json!({"resourceVersion": revision.to_string()}), columns, &mut text);
                table::row_at(pod, revision, shared::now(), self.beside, &mut text)?;
                table::end(&mut text);
            }
            _ => {
                text.push('{');
                text.push_str(pod_object::type_members(whole));
                pod_object::sections(pod, revision, whole, &mut text)?;
                text.push('}');
            }
        }
        text.push_str("}\n");
        Ok(text.into_bytes())
    }

    /// A bookmark: everything up to `revision` was sent. `initial`: and that is all there was at the start.
    pub(super) fn bookmark(&mut self, revision: u64, initial: bool) -> Vec<u8> {
        let whole = self.whole();
        let (api_version, kind) = pod_object::type_of(whole);
        if self.form.media == Media::Protobuf {
            let mut metadata = Vec::new();
            wire::put_bytes(&mut metadata, 6, revision.to_string().as_bytes());
            if initial {
                let mut entry = Vec::new();
                wire::put_bytes(&mut entry, 1, INITIAL.as_bytes());
                wire::put_bytes(&mut entry, 2, b"true");
                wire::put_bytes(&mut metadata, 12, &entry);
            }
            let mut message = Vec::new();
            wire::put_bytes(&mut message, 1, &metadata);
            if whole {
                wire::put_bytes(&mut message, 2, b"");
                wire::put_bytes(&mut message, 3, b"");
            }
            return frame("BOOKMARK", &pod_object::enveloped(api_version, kind, &message));
        }
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if initial {
            set(&mut metadata, "annotations", json!({ INITIAL: "true" }));
        }
        let object = match self.form.shape {
            Shape::Table(version) => {
                let mut text = String::new();
                table::begin(version, &metadata, false, &mut text);
                table::end(&mut text);
                text
            }
            Shape::Whole => {
                format!(
                    r#"{{"kind":"Pod","apiVersion":"v1","metadata":{metadata},"spec":{{"containers":null}},"status":{{}}}}"#
                )
            }
            Shape::Metadata => {
                Value::to_string(&json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}))
            }
        };
        format!("{{\"type\":\"BOOKMARK\",\"object\":{object}}}\n").into_bytes()
    }
}

/// A frame of a protobuf watch: its length, then a WatchEvent.
fn frame(kind: &str, object: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(object.len() + 8);
    wire::put_bytes(&mut raw, 1, object);
    let mut out = vec![0; 4];
    wire::put_bytes(&mut out, 1, kind.as_bytes());
    wire::put_bytes(&mut out, 2, &raw);
    let length = u32::try_from(out.len() - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(..4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    out
}
