//! Small lists of objects that are values: selected, and shown whole or as a table.

use serde_json::{json, Value};

use super::negotiate::{self, Form, Offer, Shape};
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::row_object::RowObject;
use super::shared;
use super::value;
use crate::pod::selector::{FieldSelector, LabelSelector};

/// A kind of object that is shown in tables of its own.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) columns: &'static [Column],
    /// The cells of an object; the time is in seconds since the epoch.
    pub(crate) cells: fn(&Value, i64) -> Vec<String>,
}

/// A column of a table.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Shown in wide output only.
    pub(crate) wide: bool,
}

const OFFER: Offer = Offer { table: true, ..Offer::PLAIN };

/// The annotation of the bookmark behind the initial events of a watch.
pub(crate) const INITIAL: &str = "k8s.io/initial-events-end";

/// `metadata.name`
pub(crate) fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// Answers with one object.
pub(crate) fn one(kind: &Kind, object: Value, request: &Request) -> Result<Reply, Refusal> {
    let form = negotiate::form(request, OFFER)?;
    let beside = RowObject::read(&request.query)?;
    Ok(match form.shape {
        Shape::Table(version) => {
            let revision = object.pointer("/metadata/resourceVersion").cloned();
            let metadata = json!({ "resourceVersion": revision });
            value::encode(form.media, &table(kind, version, metadata, true, beside, &[object]))
        }
        _ => value::encode(form.media, &object),
    })
}

/// Answers with a list at this revision.
pub(crate) fn list(kind: &Kind, mut objects: Vec<Value>, revision: u64, request: &Request) -> Result<Reply, Refusal> {
    let metadata = json!({"resourceVersion": revision.to_string()});
    let form = negotiate::form(request, OFFER)?;
    let beside = RowObject::read(&request.query)?;
    if let Shape::Table(version) = form.shape {
        return Ok(value::encode(form.media, &table(kind, version, metadata, true, beside, &objects)));
    }
    for object in objects.iter_mut().filter_map(Value::as_object_mut) {
        object.retain(|key, _| key != "kind" && key != "apiVersion");
    }
    let list = format!("{}List", kind.name);
    let list = json!({"kind": list, "apiVersion": "v1", "metadata": metadata, "items": objects});
    Ok(value::encode(form.media, &list))
}

/// The form of a watch: JSON, whole or as a table.
pub(crate) fn watch_form(request: &Request) -> Result<Form, Refusal> {
    negotiate::form(request, Offer { watch: true, ..OFFER })
}

/// What a watch shows of one object as a table.
pub(crate) fn event_table(kind: &Kind, version: &str, object: Value, columns: bool) -> Value {
    let metadata = json!({"resourceVersion": object.pointer("/metadata/resourceVersion")});
    table(kind, version, metadata, columns, RowObject::default(), &[object])
}

/// Keeps the objects with these labels and this name: the one field that every kind has.
pub(crate) fn select(objects: &mut Vec<Value>, request: &Request) -> Result<(), Refusal> {
    let text = |key| request.query.text(key).unwrap_or_default();
    let labels = LabelSelector::parse(text("labelSelector")).map_err(|e| Refusal::BadRequest(e.0))?;
    let fields = FieldSelector::parse_among(text("fieldSelector"), &["metadata.name"]);
    let fields = fields.map_err(|e| Refusal::BadRequest(e.0))?;
    objects.retain(|object| {
        let value = |key: &str| object.pointer("/metadata/labels")?.get(key)?.as_str().map(|s| s.to_owned().into());
        labels.matches(value) && fields.matches(|_| name_of(object).to_owned())
    });
    Ok(())
}

fn table(kind: &Kind, version: &str, metadata: Value, columns: bool, beside: RowObject, objects: &[Value]) -> Value {
    let now = shared::now();
    let column = |column: &Column| {
        let format = if column.name == "Name" { "name" } else { "" };
        let priority = u8::from(column.wide);
        json!({"name": column.name, "type": "string", "format": format, "description": "", "priority": priority})
    };
    let row = |object: &Value| {
        let mut row = json!({"cells": (kind.cells)(object, now)});
        match beside {
            RowObject::None => {}
            RowObject::Whole => value::set(&mut row, "object", object.clone()),
            RowObject::Metadata => {
                let metadata = object.get("metadata");
                let partial =
                    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
                value::set(&mut row, "object", partial);
            }
        }
        row
    };
    let columns: Option<Vec<Value>> = columns.then(|| kind.columns.iter().map(column).collect());
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": objects.iter().map(row).collect::<Vec<_>>(),
    })
}
