//! Pods as a table: the form that `kubectl get` asks for.
//!
//! Columns: `kubernetes/kubernetes pkg/printers/internalversion/printers.go`.

use serde_json::{json, Value};

use crate::codec::json;
use crate::codec::wire::WireError;
use crate::pod::columns::Columns;
use crate::serve::http::pod_object;
use crate::serve::http::rendered::Rendered;
use crate::serve::http::row_object::RowObject;
use crate::store::snapshot::PodEntry;

/// Name, priority (1: only in wide output) and description of each column.
const COLUMNS: [(&str, u8, &str); 9] = [
    ("Name", 0, "Name of the pod, unique in its namespace."),
    ("Ready", 0, "Containers that are ready, out of all that are meant to stay."),
    ("Status", 0, "What the pod is doing, in a word."),
    ("Restarts", 0, "How often containers were started again, and when that was last."),
    ("Age", 0, "Time since the pod was created."),
    ("IP", 1, "First address of the pod."),
    ("Node", 1, "Node on which the pod runs."),
    ("Nominated Node", 1, "Node on which others make room for the pod."),
    ("Readiness Gates", 1, "Readiness gates that are true, out of all."),
];

/// Appends a table up to its first row. `columns` may be left out in all but the first event of a watch.
pub(crate) fn begin(version: &str, metadata: &Value, columns: bool, out: &mut String) {
    let definition = |(name, priority, description): &(&str, u8, &str)| {
        let format = if *name == "Name" { "name" } else { "" };
        json!({
            "name": name, "type": "string", "format": format, "description": description, "priority": priority,
        })
    };
    let columns = match columns {
        true => Value::Array(COLUMNS.iter().map(definition).collect()),
        false => Value::Null,
    };
    out.push_str(&format!(
        r#"{{"kind":"Table","apiVersion":"meta.k8s.io/{version}","metadata":{metadata},"columnDefinitions":{columns},"rows":["#
    ));
}

/// Appends what follows the last row.
pub(crate) fn end(out: &mut String) {
    out.push_str("]}");
}

/// Appends the row of a pod. `now` is in seconds since the epoch.
///
/// # Errors
/// The pod's bytes are not a protobuf message.
pub(crate) fn row(
    pod: &PodEntry,
    now: i64,
    beside: RowObject,
    rendered: &Rendered,
    out: &mut String,
) -> Result<(), WireError> {
    row_with(pod, now, beside, |whole, out| rendered.sections(pod, whole, out), out)
}

/// As [`row`], with a revision that is not the pod's own.
///
/// # Errors
/// As there.
pub(crate) fn row_at(
    pod: &PodEntry,
    revision: u64,
    now: i64,
    beside: RowObject,
    out: &mut String,
) -> Result<(), WireError> {
    row_with(pod, now, beside, |whole, out| pod_object::sections(pod, revision, whole, out).map(drop), out)
}

fn row_with(
    pod: &PodEntry,
    now: i64,
    beside: RowObject,
    sections: impl FnOnce(bool, &mut String) -> Result<(), WireError>,
    out: &mut String,
) -> Result<(), WireError> {
    let c = Columns::of(&pod.bytes, now);
    out.push_str("{\"cells\":[");
    let cells = [c.name, c.ready, c.status, c.restarts, c.age, c.ip, c.node, c.nominated_node, c.readiness_gates];
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        json::escape(cell, out);
    }
    out.push(']');
    if let Some(message) = completed(&pod.phase) {
        out.push_str(&format!(
            r#","conditions":[{{"type":"Completed","status":"True","reason":"{}","message":"{message}"}}]"#,
            pod.phase
        ));
    }
    if beside != RowObject::None {
        let whole = beside == RowObject::Whole;
        out.push_str(",\"object\":{");
        out.push_str(pod_object::type_members(whole));
        sections(whole, out)?;
        out.push('}');
    }
    out.push('}');
    Ok(())
}

fn completed(phase: &str) -> Option<&'static str> {
    match phase {
        "Succeeded" => Some("The pod has completed successfully."),
        "Failed" => Some("The pod failed."),
        _ => None,
    }
}
