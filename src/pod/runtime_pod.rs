//! A pod that only the runtime knows: as much of metadata and spec as its sandbox and containers carry.
//!
//! The kubelet writes what it needs for itself onto CRI objects (`kubernetes/kubernetes
//! pkg/kubelet/kuberuntime/labels.go`, `kuberuntime_sandbox.go`). Labels and annotations are those of the moment at
//! which the sandbox was made. Defaults are not filled in, and environment values, which hold resolved secrets, are
//! never asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{json, Map, Value};

use super::observed::{Container, Sandbox};
use super::static_pod::PodSections;
use crate::codec::json as codec;
use crate::codec::schema::{id, MessageId};

const PORTS: &str = "io.kubernetes.container.ports";
const PRE_STOP: &str = "io.kubernetes.container.preStopHandler";
const MESSAGE_PATH: &str = "io.kubernetes.container.terminationMessagePath";
const MESSAGE_POLICY: &str = "io.kubernetes.container.terminationMessagePolicy";
const GRACE_PERIOD: &str = "io.kubernetes.pod.terminationGracePeriod";
/// Labels that the kubelet adds for itself.
const OWN_LABELS: [&str; 2] = ["io.kubernetes.pod.", "io.kubernetes.container."];

/// Metadata and partial spec of the pod with these sandboxes and containers (all instances, in any order).
/// `annotations` are added to the sandbox's own. `None` without a sandbox: then not even the pod's name is known.
#[must_use]
pub fn sections(
    sandboxes: &[Arc<Sandbox>],
    containers: &[Arc<Container>],
    node_name: &str,
    annotations: &[(String, String)],
) -> Option<PodSections> {
    let sandbox = sandboxes.iter().max_by_key(|s| (s.attempt, s.created_at, &s.id))?;
    let metadata = metadata(sandbox, annotations);
    let spec = spec(sandbox, containers, node_name);
    Some(PodSections { metadata: encode(id::OBJECT_META, &metadata)?, spec: encode(id::POD_SPEC, &spec)? })
}

/// When the first sandbox that the runtime still has was made, in seconds since the epoch: the nearest thing to the
/// pod's start time.
#[must_use]
pub fn first_created(sandboxes: &[Arc<Sandbox>]) -> Option<i64> {
    sandboxes.iter().map(|s| s.created_at / 1_000_000_000).min()
}

fn encode(message: MessageId, value: &Value) -> Option<Vec<u8>> {
    Some(codec::to_wire(message, value).ok()?.bytes)
}

fn metadata(sandbox: &Sandbox, further: &[(String, String)]) -> Value {
    let own = |key: &str| OWN_LABELS.iter().any(|prefix| key.starts_with(prefix));
    let labels: BTreeMap<_, _> = sandbox.labels.iter().filter(|(key, _)| !own(key)).collect();
    let mut annotations = sandbox.annotations.clone();
    annotations.extend(further.iter().cloned());
    json!({
        "name": sandbox.name, "namespace": sandbox.namespace, "uid": sandbox.uid,
        "labels": labels, "annotations": annotations,
    })
}

fn spec(sandbox: &Sandbox, containers: &[Arc<Container>], node_name: &str) -> Value {
    let mut newest: BTreeMap<&str, &Container> = BTreeMap::new();
    for container in containers {
        let rank = |c: &Container| (c.created_at, c.attempt, c.id.clone());
        let slot = newest.entry(&container.name).or_insert(container);
        if rank(container) > rank(slot) {
            *slot = container;
        }
    }
    let listed: Vec<Value> = newest.values().map(|c| Value::Object(view(c))).collect();
    let mut out = json!({"nodeName": node_name, "hostNetwork": sandbox.host_network, "containers": listed});
    let grace = newest.values().find_map(|c| c.annotations.get(GRACE_PERIOD)?.parse::<i64>().ok());
    if let (Some(seconds), Some(fields)) = (grace, out.as_object_mut()) {
        fields.insert("terminationGracePeriodSeconds".into(), seconds.into());
    }
    out
}

/// What the runtime tells of a container's spec. Whether it is an init container cannot be seen.
fn view(container: &Container) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("name".into(), container.name.as_str().into());
    out.insert("image".into(), container.image.as_str().into());
    for (annotation, key) in [(MESSAGE_PATH, "terminationMessagePath"), (MESSAGE_POLICY, "terminationMessagePolicy")] {
        if let Some(text) = container.annotations.get(annotation) {
            out.insert(key.into(), text.as_str().into());
        }
    }
    let parsed = |annotation| -> Option<Value> { serde_json::from_str(container.annotations.get(annotation)?).ok() };
    let ports = parsed(PORTS).map(|ports| ("ports", ports));
    let lifecycle = parsed(PRE_STOP).map(|handler| ("lifecycle", json!({ "preStop": handler })));
    for (key, value) in [ports, lifecycle].into_iter().flatten() {
        // an annotation that somebody else wrote must not cost the pod
        if codec::to_wire(id::CONTAINER, &json!({ key: &value })).is_ok() {
            out.insert(key.into(), value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    fn sandbox(attempt: u32, note: &str) -> Arc<Sandbox> {
        Arc::new(Sandbox {
            id: format!("s{attempt}"),
            name: "web".into(),
            namespace: "shop".into(),
            uid: "u1".into(),
            attempt,
            created_at: (9 - i64::from(attempt)) * 1_000_000_000,
            labels: map(&[("app", "web"), ("io.kubernetes.pod.name", "web"), ("io.kubernetes.pod.uid", "u1")]),
            annotations: map(&[("note", note)]),
            ..Sandbox::default()
        })
    }

    fn container(created_at: i64, image: &str, annotations: &[(&str, &str)]) -> Arc<Container> {
        Arc::new(Container {
            id: format!("c{created_at}"),
            name: "main".into(),
            created_at,
            image: image.into(),
            annotations: map(annotations),
            ..Container::default()
        })
    }

    #[test]
    fn shows_what_the_runtime_carries_and_no_more() {
        let annotations = [
            (PORTS, r#"[{"name":"http","containerPort":80,"protocol":"TCP"}]"#),
            (PRE_STOP, r#"{"exec":{"command":["stop"]}}"#),
            (MESSAGE_PATH, "/dev/termination-log"),
            (MESSAGE_POLICY, "File"),
            (GRACE_PERIOD, "7"),
        ];
        let containers = [container(2, "img:2", &annotations), container(1, "img:1", &[])];
        let ours = [("nodepods.io/spec".to_string(), "partial".to_string())];
        let made = sections(&[sandbox(0, "old"), sandbox(1, "new")], &containers, "n1", &ours).unwrap();
        let metadata = codec::from_wire(id::OBJECT_META, &made.metadata).unwrap();
        assert_eq!(
            metadata,
            json!({
                "name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web"},
                "annotations": {"note": "new", "nodepods.io/spec": "partial"},
            })
        );
        let spec = codec::from_wire(id::POD_SPEC, &made.spec).unwrap();
        assert_eq!(
            spec,
            json!({
                "nodeName": "n1", "terminationGracePeriodSeconds": 7,
                "containers": [{
                    "name": "main", "image": "img:2", "resources": {},
                    "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}],
                    "lifecycle": {"preStop": {"exec": {"command": ["stop"]}}},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                }],
            })
        );
    }

    #[test]
    fn annotations_that_make_no_sense_are_left_out() {
        let bad = [(PORTS, r#"{"containerPort":"x"}"#), (PRE_STOP, "{"), (GRACE_PERIOD, "soon")];
        let made = sections(&[sandbox(0, "")], &[container(1, "i", &bad)], "n", &[]).unwrap();
        let spec = codec::from_wire(id::POD_SPEC, &made.spec).unwrap();
        assert_eq!(spec["containers"][0], json!({"name": "main", "image": "i", "resources": {}}));
        assert_eq!(spec.get("terminationGracePeriodSeconds"), None);
    }

    #[test]
    fn order_of_the_runtime_does_not_matter() {
        let (mut sandboxes, mut containers) =
            ([sandbox(0, "a"), sandbox(1, "b")], [container(1, "x", &[]), container(2, "y", &[])]);
        let one = sections(&sandboxes, &containers, "n", &[]);
        sandboxes.reverse();
        containers.reverse();
        assert_eq!(sections(&sandboxes, &containers, "n", &[]), one);
        assert_eq!(sections(&[], &containers, "n", &[]), None);
        assert_eq!(first_created(&sandboxes), Some(8));
    }
}
