//! What a node can say about the cluster around its pods: their namespaces, and the node itself. Small lists, printed
//! from values.

use std::collections::{BTreeMap, BTreeSet};
use std::time::UNIX_EPOCH;

use serde_json::{json, Value};

use super::negotiate::{self, Offer, Shape};
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::shared::Shared;
use super::value;
use crate::codec::time::Time;
use crate::pod::selector::LabelSelector;
use crate::store::snapshot::Snapshot;
use crate::store::update::{Health, HealthState, SourceId};

/// A kind of object that is shown in tables of its own.
struct Kind {
    name: &'static str,
    resource: &'static str,
    columns: &'static [&'static str],
    cells: fn(&Value) -> Vec<String>,
}

const NAMESPACE: Kind = Kind {
    name: "Namespace",
    resource: "namespaces",
    columns: &["Name", "Status", "Age"],
    cells: |object| vec![name_of(object).into(), "Active".into(), "<unknown>".into()],
};

const NODE: Kind = Kind {
    name: "Node",
    resource: "nodes",
    columns: &["Name", "Status", "Roles", "Age", "Version"],
    // Whether a node is Ready is for its kubelet to say.
    cells: |object| {
        vec![name_of(object).into(), "Unknown".into(), "<none>".into(), "<unknown>".into(), "<unknown>".into()]
    },
};

/// Events are not recorded yet: the list is empty, so that `kubectl describe` has its answer.
const EVENT: Kind = Kind {
    name: "Event",
    resource: "events",
    columns: &["Last Seen", "Type", "Reason", "Object", "Message"],
    cells: |_| Vec::new(),
};

/// The namespaces in which this node has pods.
pub(crate) fn namespaces(shared: &Shared, request: &Request) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let names: BTreeSet<&str> = snapshot.pods.iter().map(|p| p.id.namespace.as_str()).collect();
    list(&NAMESPACE, names.into_iter().map(|n| namespace_object(n, &snapshot)).collect(), &snapshot, request)
}

/// One of them.
pub(crate) fn namespace(shared: &Shared, request: &Request, name: &str) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    if !snapshot.pods.iter().any(|p| p.id.namespace == name) {
        return Err(Refusal::NotFound(NAMESPACE.resource, name.to_owned()));
    }
    one(&NAMESPACE, namespace_object(name, &snapshot), request)
}

/// This node, once its name is known.
pub(crate) fn nodes(shared: &Shared, request: &Request) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let nodes = if snapshot.node_name.is_empty() { Vec::new() } else { vec![node_object(&snapshot)] };
    list(&NODE, nodes, &snapshot, request)
}

/// This node, by its name.
pub(crate) fn node(shared: &Shared, request: &Request, name: &str) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    if name.is_empty() || snapshot.node_name != name {
        return Err(Refusal::NotFound(NODE.resource, name.to_owned()));
    }
    one(&NODE, node_object(&snapshot), request)
}

/// No events.
pub(crate) fn events(shared: &Shared, request: &Request) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    list(&EVENT, Vec::new(), &snapshot, request)
}

fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

fn namespace_object(name: &str, snapshot: &Snapshot) -> Value {
    json!({
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "resourceVersion": snapshot.revision.to_string(),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {},
        "status": {"phase": "Active"},
    })
}

/// The node as far as it is known. There is no condition Ready: that is the kubelet's word. Our own conditions say
/// how the sources of the pods are.
fn node_object(snapshot: &Snapshot) -> Value {
    let conditions: Vec<Value> = snapshot.sources.iter().filter_map(condition).collect();
    json!({
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": snapshot.node_name,
            "resourceVersion": snapshot.revision.to_string(),
            "labels": {"kubernetes.io/hostname": snapshot.node_name, "kubernetes.io/os": std::env::consts::OS},
        },
        "spec": {},
        "status": {"conditions": conditions},
    })
}

fn condition((source, health): &(SourceId, Health)) -> Option<Value> {
    let (status, reason) = match health.state {
        HealthState::Absent => return None,
        HealthState::Starting => ("Unknown", "Starting"),
        HealthState::Up => ("True", "Answers"),
        HealthState::Down => ("False", "DoesNotAnswer"),
        HealthState::Resting => ("Unknown", "Resting"),
    };
    let since = health.since.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Some(json!({
        "type": format!("nodepods.io/{source}"),
        "status": status,
        "lastHeartbeatTime": null,
        "lastTransitionTime": Time::from_unix(i64::try_from(since).unwrap_or(i64::MAX)).to_string(),
        "reason": reason,
        "message": health.error,
    }))
}

const OFFER: Offer = Offer { table: true, ..Offer::PLAIN };

fn one(kind: &Kind, object: Value, request: &Request) -> Result<Reply, Refusal> {
    let form = negotiate::form(request, OFFER)?;
    Ok(match form.shape {
        Shape::Table(version) => {
            let revision = object.pointer("/metadata/resourceVersion").cloned();
            let metadata = json!({ "resourceVersion": revision });
            value::encode(form.media, &table(kind, version, metadata, &[object]))
        }
        _ => value::encode(form.media, &object),
    })
}

fn list(kind: &Kind, mut objects: Vec<Value>, snapshot: &Snapshot, request: &Request) -> Result<Reply, Refusal> {
    if request.query.switch("watch").unwrap_or(false) {
        return Err(Refusal::MethodNotAllowed); // the resource has no verb watch
    }
    select(&mut objects, request)?;
    let metadata = json!({"resourceVersion": snapshot.revision.to_string()});
    let form = negotiate::form(request, OFFER)?;
    if let Shape::Table(version) = form.shape {
        return Ok(value::encode(form.media, &table(kind, version, metadata, &objects)));
    }
    for object in objects.iter_mut().filter_map(Value::as_object_mut) {
        object.retain(|key, _| key != "kind" && key != "apiVersion");
    }
    let list = format!("{}List", kind.name);
    let list = json!({"kind": list, "apiVersion": "v1", "metadata": metadata, "items": objects});
    Ok(value::encode(form.media, &list))
}

/// By label, and by the one field that every kind has.
fn select(objects: &mut Vec<Value>, request: &Request) -> Result<(), Refusal> {
    let labels = LabelSelector::parse(request.query.text("labelSelector").unwrap_or_default());
    let labels = labels.map_err(|e| Refusal::BadRequest(e.0))?;
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    for term in request.query.text("fieldSelector").unwrap_or_default().split(',').filter(|t| !t.is_empty()) {
        if let Some((field, value)) = term.split_once('=') {
            fields.insert(field, value.trim_start_matches('='));
        }
    }
    objects.retain(|object| {
        let value = |key: &str| object.pointer("/metadata/labels")?.get(key)?.as_str().map(|s| s.to_owned().into());
        labels.matches(value) && fields.get("metadata.name").is_none_or(|name| *name == name_of(object))
    });
    Ok(())
}

fn table(kind: &Kind, version: &str, metadata: Value, objects: &[Value]) -> Value {
    let column = |name: &&str| {
        let format = if *name == "Name" { "name" } else { "" };
        json!({"name": name, "type": "string", "format": format, "description": "", "priority": 0})
    };
    let row = |object: &Value| {
        let partial = json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata"),
        });
        json!({"cells": (kind.cells)(object), "object": partial})
    };
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata,
        "columnDefinitions": kind.columns.iter().map(column).collect::<Vec<_>>(),
        "rows": objects.iter().map(row).collect::<Vec<_>>(),
    })
}
