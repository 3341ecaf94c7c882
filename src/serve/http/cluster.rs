//! What a node can say about the cluster around its pods: their namespaces, and the node itself. Small lists, printed
//! from values.

use std::collections::BTreeSet;

use serde_json::{json, Map, Value};

use super::listed::{self, name_of, one, Column, Kind};
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::shared::Shared;
use crate::codec::time::Time;
use crate::machine;
use crate::pod::status::admission::NodeFacts;
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
    columns: &[
        column("Name"),
        column("Status"),
        column("Roles"),
        column("Age"),
        column("Version"),
        Column { name: "Internal-IP", wide: true },
        Column { name: "External-IP", wide: true },
        Column { name: "OS-Image", wide: true },
        Column { name: "Kernel-Version", wide: true },
        Column { name: "Container-Runtime", wide: true },
    ],
    cells: node_cells,
};

/// Source: `kubernetes/kubernetes pkg/printers/internalversion/printers.go` (printNode). Whether a node is Ready, its
/// age and its version are for its kubelet to say.
fn node_cells(node: &Value, _: i64) -> Vec<String> {
    let info = |key: &str| {
        let text =
            node.pointer("/status/nodeInfo").and_then(|i| i.get(key)).and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() { "<unknown>" } else { text }.to_owned()
    };
    let unknown = || "<unknown>".to_owned();
    let none = || "<none>".to_owned();
    vec![
        name_of(node).to_owned(),
        "Unknown".to_owned(),
        none(),
        unknown(),
        unknown(),
        none(),
        none(),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

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

/// The node as far as it is known: what the kernel and the runtime say. There is no condition Ready, and nothing is
/// allocatable: these are the kubelet's words. Our own conditions say how the sources of the pods are.
fn node_object(snapshot: &Snapshot) -> Value {
    let conditions: Vec<Value> = snapshot.sources.iter().filter_map(condition).collect();
    let facts = machine::facts();
    let runtime = snapshot.runtime.as_ref().map(|r| format!("{}://{}", r.name, r.version)).unwrap_or_default();
    json!({
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": snapshot.node_name,
            "resourceVersion": snapshot.revision.to_string(),
            "labels": {
                "kubernetes.io/arch": facts.arch,
                "kubernetes.io/hostname": snapshot.node_name,
                "kubernetes.io/os": std::env::consts::OS,
            },
        },
        "spec": {},
        "status": {
            "addresses": [{"type": "Hostname", "address": snapshot.node_name}],
            "capacity": capacity(&facts),
            "conditions": conditions,
            "nodeInfo": {
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kernelVersion": machine::kernel_version(),
                "osImage": machine::os_image(),
                "containerRuntimeVersion": runtime,
                "kubeletVersion": "",
                "kubeProxyVersion": "",
                "operatingSystem": std::env::consts::OS,
                "architecture": facts.arch,
            },
        },
    })
}

/// Of CPU and memory, as far as they are known.
fn capacity(facts: &NodeFacts) -> Value {
    let cpu = (facts.cpu_milli > 0).then(|| ("cpu".to_owned(), (facts.cpu_milli / 1000).to_string()));
    let memory = (facts.memory_bytes > 0).then(|| ("memory".to_owned(), format!("{}Ki", facts.memory_bytes / 1024)));
    cpu.into_iter().chain(memory).map(|(name, amount)| (name, Value::from(amount))).collect::<Map<_, _>>().into()
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
