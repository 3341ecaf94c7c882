//! A list of pods, printed piece by piece in any form.

use std::sync::Arc;

use serde_json::{json, Value};

use super::table;
use crate::codec::wire::{self, WireError};
use crate::codec::yaml_print;
use crate::serve::http::indent::Indenter;
use crate::serve::http::negotiate::{Form, Media, Shape};
use crate::serve::http::pod_object;
use crate::serve::http::rendered::Rendered;
use crate::serve::http::reply;
use crate::serve::http::row_object::RowObject;
use crate::store::snapshot::PodEntry;

/// The `Content-Type` of an answer of this form.
pub(super) fn content_type(media: Media) -> &'static str {
    match media {
        Media::Json | Media::PrettyJson => reply::JSON,
        Media::Yaml => "application/yaml",
        Media::Protobuf => "application/vnd.kubernetes.protobuf",
    }
}

/// Prints the pods of a list, one after the other.
pub(super) struct ListPrinter {
    form: Form,
    beside: RowObject,
    /// Seconds since the epoch, for ages.
    now: i64,
    revision: u64,
    /// Where the next page begins.
    next: Option<String>,
    indenter: Indenter,
    /// Text of one piece, on its way to its form.
    text: String,
    count: usize,
    rendered: Arc<Rendered>,
}

impl ListPrinter {
    pub(super) fn new(
        (form, beside): (Form, RowObject),
        now: i64,
        revision: u64,
        next: Option<String>,
        rendered: Arc<Rendered>,
    ) -> Self {
        let (indenter, text) = (Indenter::default(), String::new());
        Self { form, beside, now, revision, next, indenter, text, count: 0, rendered }
    }

    fn whole(&self) -> bool {
        self.form.shape != Shape::Metadata
    }

    fn types(&self) -> (&'static str, &'static str) {
        match self.whole() {
            true => ("v1", "PodList"),
            false => ("meta.k8s.io/v1", "PartialObjectMetadataList"),
        }
    }

    fn metadata(&self) -> Value {
        match &self.next {
            Some(next) => json!({"resourceVersion": self.revision.to_string(), "continue": next}),
            None => json!({"resourceVersion": self.revision.to_string()}),
        }
    }

    /// Appends what comes before the first pod. Protobuf says how long everything is, so it looks at all pods.
    pub(super) fn begin<'p>(&mut self, pods: impl Iterator<Item = &'p PodEntry>, out: &mut Vec<u8>) {
        let (api_version, kind) = self.types();
        match (self.form.media, self.form.shape) {
            (Media::Protobuf, _) => {
                let mut metadata = Vec::new();
                wire::put_bytes(&mut metadata, 2, self.revision.to_string().as_bytes());
                if let Some(next) = &self.next {
                    wire::put_bytes(&mut metadata, 3, next.as_bytes());
                }
                let mut head = Vec::new();
                wire::put_bytes(&mut head, 1, &metadata);
                let whole = self.whole();
                let items = pods.map(|p| wire::bytes_len(2, pod_object::message(p, p.revision, whole).len()));
                let length = head.len() + items.sum::<usize>();
                out.extend_from_slice(&pod_object::envelope(api_version, kind, length));
                out.extend_from_slice(&head);
                return;
            }
            (Media::Yaml, _) => {
                out.extend_from_slice(format!("apiVersion: {api_version}\nitems:").as_bytes());
                return;
            }
            (_, Shape::Table(version)) => {
                let metadata = self.metadata();
                table::begin(version, &metadata, true, &mut self.text);
            }
            _ => {
                let metadata = self.metadata();
                self.text =
                    format!(r#"{{"kind":"{kind}","apiVersion":"{api_version}","metadata":{metadata},"items":["#);
            }
        }
        self.push(out);
    }

    /// Appends one pod.
    ///
    /// # Errors
    /// Its bytes are not a protobuf message.
    pub(super) fn item(&mut self, pod: &PodEntry, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.count += 1;
        match (self.form.media, self.form.shape) {
            (Media::Protobuf, _) => {
                wire::put_bytes(out, 2, &pod_object::message(pod, pod.revision, self.whole()));
                return Ok(());
            }
            (Media::Yaml, _) => {
                // Printed as a list of one, so that lines fold where they would in the whole list.
                let mut item = pod_object::value(pod, pod.revision, self.whole())?;
                if let (true, Value::Object(members)) = (self.whole(), &mut item) {
                    members.retain(|key, _| key != "kind" && key != "apiVersion");
                }
                let text = yaml_print::print(&json!({ "items": [item] }));
                let text = text.strip_prefix("items:").unwrap_or(&text);
                out.extend_from_slice(text.trim_end_matches('\n').as_bytes());
                return Ok(());
            }
            _ => {}
        }
        if self.count > 1 {
            self.text.push(',');
        }
        let whole = self.whole();
        match self.form.shape {
            Shape::Table(_) => table::row(pod, self.now, self.beside, &self.rendered, &mut self.text)?,
            _ => {
                self.text.push('{');
                if !whole {
                    self.text.push_str(pod_object::type_members(false)); // as the API server does
                }
                self.rendered.sections(pod, whole, &mut self.text)?;
                self.text.push('}');
            }
        }
        self.push(out);
        Ok(())
    }

    /// Appends what comes behind the last pod.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        match (self.form.media, self.form.shape) {
            (Media::Protobuf, _) => out.extend_from_slice(pod_object::TAIL),
            (Media::Yaml, _) => {
                let none = if self.count == 0 { " []" } else { "" };
                let kind = self.types().1;
                let metadata = yaml_print::print(&json!({"kind": kind, "metadata": self.metadata()}));
                out.extend_from_slice(format!("{none}\n{metadata}").as_bytes());
            }
            (media, shape) => {
                match shape {
                    Shape::Table(_) => table::end(&mut self.text),
                    _ => self.text.push_str("]}"),
                }
                if media == Media::Json {
                    self.text.push('\n');
                }
                self.push(out);
            }
        }
    }

    /// Moves the text of a piece to where it goes.
    fn push(&mut self, out: &mut Vec<u8>) {
        match self.form.media {
            Media::PrettyJson => self.indenter.feed(&self.text, out),
            _ => out.extend_from_slice(self.text.as_bytes()),
        }
        self.text.clear();
    }
}

/// A single pod. A table of it has one row.
///
/// # Errors
/// Its bytes are not a protobuf message.
pub(super) fn single(
    pod: &PodEntry,
    form: Form,
    beside: RowObject,
    now: i64,
    rendered: &Rendered,
) -> Result<Vec<u8>, WireError> {
    let whole = form.shape != Shape::Metadata;
    let mut text = String::new();
    match (form.media, form.shape) {
        (Media::Protobuf, _) => {
            let (api_version, kind) = pod_object::type_of(whole);
            return Ok(pod_object::enveloped(api_version, kind, &pod_object::message(pod, pod.revision, whole)));
        }
        (Media::Yaml, _) => return Ok(yaml_print::print(&pod_object::value(pod, pod.revision, whole)?).into_bytes()),
        (_, Shape::Table(version)) => {
            table::begin(version, &json!({"resourceVersion": pod.revision.to_string()}), true, &mut text);
            table::row(pod, now, beside, rendered, &mut text)?;
            table::end(&mut text);
        }
        _ => {
            text.push('{');
            text.push_str(pod_object::type_members(whole));
            pod_object::sections(pod, pod.revision, whole, &mut text)?;
            text.push('}');
        }
    }
    if form.media != Media::PrettyJson {
        text.push('\n');
        return Ok(text.into_bytes());
    }
    let mut out = Vec::new();
    Indenter::default().feed(&text, &mut out);
    Ok(out)
}
