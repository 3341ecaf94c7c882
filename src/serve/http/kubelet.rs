//! The reads of the kubelet's own server: `/pods` and `/runningpods/`.
//!
//! Shapes: `kubernetes/kubernetes pkg/kubelet/server/server.go`.

use std::io;
use std::sync::Arc;

use serde_json::{json, Value};

use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::reply::{self, Produce, Reply};
use super::request::Request;
use super::shared::Shared;
use super::{value, warning};
use crate::codec::json;
use crate::codec::schema::id;
use crate::store::snapshot::Snapshot;

/// `/pods`: all pods as their sources gave them, with the sources' own resource versions.
pub(crate) fn pods(shared: &Shared, _request: &Request) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let mut reply = Reply::produced(reply::JSON, PodsBody { snapshot: Arc::clone(&snapshot) });
    warning::add(&mut reply, &snapshot);
    Ok(reply)
}

/// The list is small or large: it is printed while it is sent.
struct PodsBody {
    snapshot: Arc<Snapshot>,
}

impl Produce for PodsBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        out.write(br#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":"#)?;
        let mut text = String::new();
        for (at, pod) in self.snapshot.pods.iter().enumerate() {
            text.clear();
            text.push(if at == 0 { '[' } else { ',' });
            json::write(id::POD, pod.bytes.as_bytes(), &mut text).map_err(io::Error::other)?;
            out.write(text.as_bytes())?;
        }
        let end: &[u8] = if self.snapshot.pods.is_empty() { b"null}\n" } else { b"]}\n" }; // a nil slice in Go
        out.write(end)
    }
}

/// `/runningpods/`: what of the pods runs now, with names, ids and images alone.
pub(crate) fn running_pods(shared: &Shared, request: &Request) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let mut items = Vec::new();
    for pod in &snapshot.pods {
        let status = json::from_wire(id::POD_STATUS, pod.bytes.status());
        let status = status.map_err(|e| Refusal::Internal(e.to_string()))?;
        let containers: Vec<Value> = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"]
            .iter()
            .filter_map(|list| status.get(list)?.as_array())
            .flatten()
            .filter(|c| c.pointer("/state/running").is_some())
            .map(|c| json!({"name": c.get("name"), "image": c.get("image"), "resources": {}}))
            .collect();
        if !containers.is_empty() {
            let pod = &pod.id;
            items.push(json!({
                "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
                "spec": {"containers": containers},
                "status": {},
            }));
        }
    }
    let items = if items.is_empty() { Value::Null } else { items.into() };
    let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items});
    let mut reply = value::answer(request, &list)?;
    warning::add(&mut reply, &snapshot);
    Ok(reply)
}
