//! Pods for tests.

use std::sync::Arc;

use serde_json::{json, Value};

use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::store::snapshot::{PodEntry, PodId};

/// The entry of a pod that is given as JSON.
pub(crate) fn entry(pod: &Value) -> Arc<PodEntry> {
    let section = |id, key: &str| json::to_wire(id, pod.get(key).unwrap_or(&json!({}))).unwrap().bytes;
    let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
    let bytes = PodBytes::from_sections(
        &section(id::OBJECT_META, "metadata"),
        &section(id::POD_SPEC, "spec"),
        &section(id::POD_STATUS, "status"),
        &[],
    );
    let id = PodId { uid: text("uid"), namespace: text("namespace"), name: text("name") };
    Arc::new(PodEntry {
        id: Arc::new(id),
        phase: String::new(),
        container_ids: Vec::new(),
        ips: Vec::new(),
        revision: 1,
        bytes,
    })
}

/// A pod with nothing but its name.
pub(crate) fn named(namespace: &str, name: &str) -> Arc<PodEntry> {
    entry(&json!({"metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{name}")}}))
}

/// A pod of a Deployment: one container runs, one has ended.
pub(crate) fn replica() -> Arc<PodEntry> {
    entry(&json!({
        "metadata": {
            "name": "web-5d9c-x7", "namespace": "shop", "uid": "22222222-0000-0000-0000-000000000000",
            "creationTimestamp": "2021-01-11T07:47:02Z",
            "labels": {"app": "web", "pod-template-hash": "5d9c"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d9c",
                "uid": "11111111-0000-0000-0000-000000000000", "controller": true}],
        },
        "spec": {"nodeName": "n1", "serviceAccountName": "web", "containers": [{"name": "app"}, {"name": "side"}]},
        "status": {
            "podIP": "10.0.0.7", "startTime": "2021-01-11T07:47:03Z",
            "containerStatuses": [
                {"name": "app", "imageID": "docker.io/web@sha256:aa", "containerID": "containerd://a2",
                    "state": {"running": {"startedAt": "2021-01-11T07:48:00Z"}},
                    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "containerID": "containerd://a1",
                        "startedAt": "2021-01-11T07:47:04Z", "finishedAt": "2021-01-11T07:47:59Z"}}},
                {"name": "side", "imageID": "docker.io/side@sha256:bb", "containerID": "containerd://b1",
                    "state": {"terminated": {"exitCode": 0, "reason": "Completed", "containerID": "containerd://b1",
                        "startedAt": "2021-01-11T07:47:04Z", "finishedAt": "2021-01-11T07:47:05Z"}}},
            ],
        },
    }))
}
