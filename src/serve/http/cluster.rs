//! What a node can say about the cluster around its pods: their namespaces, and the node itself. Small lists, printed
//! from values.

use std::collections::BTreeSet;

use serde_json::{json, Value};

use super::listed::{self, name_of, one, Column, Kind};
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::shared::Shared;
use crate::codec::time::Time;
use crate::store::snapshot::Snapshot;
use crate::store::update::{Health, HealthState, SourceId};

const fn column(name: &'static str) -> Column {
    Column { name, wide: false }
}

const NAMESPACE: Kind = Kind {
    name: "Namespace",
    resource: "namespaces",
    columns: &[column("Name"), column("Status"), column("Age")],
    cells: |object, _| vec![name_of(object).into(), "Active".into(), "<unknown>".into()],
};

const NODE: Kind = Kind {
    name: "Node",
    resource: "nodes",
    columns: &[column("Name"), column("Status"), column("Roles"), column("Age"), column("Version")],
    // Whether a node is Ready is for its kubelet to say.
    cells: |object, _| {
        vec![name_of(object).into(), "Unknown".into(), "<none>".into(), "<unknown>".into(), "<unknown>".into()]
    },
};

/// A node knows nothing about services. `kubectl cluster-info` asks for them, and fails without a list.
const SERVICE: Kind =
    Kind { name: "Service", resource: "services", columns: &[column("Name")], cells: |_, _| Vec::new() };

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

/// No services, and a warning that this says nothing.
pub(crate) fn services(shared: &Shared, request: &Request) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let mut reply = list(&SERVICE, Vec::new(), &snapshot, request)?;
    reply.add("Warning", "299 - \"a node does not know the services of its cluster: the list is empty\"".into());
    Ok(reply)
}

fn list(kind: &Kind, mut objects: Vec<Value>, snapshot: &Snapshot, request: &Request) -> Result<Reply, Refusal> {
    if request.query.switch("watch").unwrap_or(false) {
        return Err(Refusal::MethodNotAllowed); // the resource has no verb watch
    }
    listed::select(&mut objects, request)?;
    listed::list(kind, objects, snapshot.revision, request)
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
    Some(json!({
        "type": format!("nodepods.io/{source}"),
        "status": status,
        "lastHeartbeatTime": null,
        "lastTransitionTime": Time::from(health.since).to_string(),
        "reason": reason,
        "message": health.error,
    }))
}
