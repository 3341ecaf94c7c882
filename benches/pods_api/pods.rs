//! Pods of some 6 KiB as they stand on nodes: labels, annotations, two containers with probes, environment, volumes
//! and mounts, and a whole status.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use nodepods::codec::pod_bytes::PodBytes;
use nodepods::codec::schema::id;
use nodepods::codec::{json, wire};
use nodepods::store::snapshot::{PodEntry, PodId, RuntimeId};
use serde_json::{json, Value};

fn container(n: usize, name: &str) -> Value {
    let env: Vec<_> = (0..12)
        .map(|i| json!({"name": format!("SETTING_{i:02}"), "value": format!("value-{n}-{i}-of-the-service-{name}")}))
        .collect();
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "initialDelaySeconds": 5,
        "timeoutSeconds": 2, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
    };
    let mounts: Vec<_> = (0..4).map(|i| json!({"name": format!("volume-{i}"), "mountPath": format!("/var/lib/{name}/part-{i}"), "readOnly": i > 1})).collect();
    json!({"name": name, "image": format!("registry.example.com/team-{}/{name}:v1.{n}.0", n % 7),
        "command": [format!("/usr/local/bin/{name}")], "args": ["--config=/etc/service/config.yaml", "--log-level=info", "--listen=:8080"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
        "env": env, "volumeMounts": mounts, "livenessProbe": probe("/healthz"), "readinessProbe": probe("/readyz"),
        "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}}})
}

fn status(n: usize, name: &str) -> Value {
    json!({"name": name, "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}, "lastState": {}, "ready": true, "restartCount": n % 4, "started": true,
        "image": format!("registry.example.com/team-{}/{name}:v1.{n}.0", n % 7),
        "imageID": format!("registry.example.com/team-{}/{name}@sha256:{n:064x}", n % 7), "containerID": format!("containerd://{}", container_id(n))})
}

fn pod(n: usize) -> Value {
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-01-02T03:04:05Z"});
    let annotations: serde_json::Map<String, Value> = (0..8)
        .map(|i| {
            (
                format!("example.com/annotation-{i}"),
                format!("what-team-{}-says-about-service-{n}-part-{i}", n % 7).into(),
            )
        })
        .collect();
    let volumes: Vec<_> = (0..4)
        .map(|i| if i % 2 == 0 { json!({"name": format!("volume-{i}"), "configMap": {"name": format!("service-{n}-{i}"), "defaultMode": 420}}) }
            else { json!({"name": format!("volume-{i}"), "emptyDir": {"sizeLimit": "64Mi"}}) })
        .collect();
    json!({"metadata": {"name": format!("service-{n:05}-7d9f8b6c5d-x{n:04}"), "namespace": format!("team-{}", n % 7), "uid": uid(n),
            "creationTimestamp": "2026-01-02T03:04:05Z", "annotations": annotations,
            "labels": {"app.kubernetes.io/name": format!("service-{n:05}"), "app.kubernetes.io/part-of": "shop", "app.kubernetes.io/version": "1.2.3",
                "pod-template-hash": "7d9f8b6c5d", "team": format!("team-{}", n % 7)},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("service-{n:05}-7d9f8b6c5d"), "uid": uid(n + 100_000), "controller": true, "blockOwnerDeletion": true}]},
        "spec": {"nodeName": "bench-node", "volumes": volumes, "containers": [container(n, "service"), container(n, "sidecar")], "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": "default", "schedulerName": "default-scheduler", "priority": 0,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]},
        "status": {"phase": "Running", "hostIP": "192.0.2.1", "podIP": format!("10.1.{}.{}", n / 250, n % 250), "podIPs": [{"ip": format!("10.1.{}.{}", n / 250, n % 250)}],
            "startTime": "2026-01-02T03:04:05Z", "qosClass": "Burstable", "containerStatuses": [status(n, "service"), status(n, "sidecar")],
            "conditions": [condition("Initialized"), condition("Ready"), condition("ContainersReady"), condition("PodScheduled")]}})
}

/// Id of both containers of a pod.
pub fn container_id(n: usize) -> String {
    format!("{n:064x}")
}

pub fn uid(n: usize) -> String {
    format!("{n:08x}-1111-4222-8333-444455556666")
}

/// One pod whose versions are told apart by a sequence number and the time at which they were made.
pub struct Template {
    id: Arc<PodId>,
    containers: Vec<RuntimeId>,
    bytes: PodBytes,
}

impl Template {
    pub fn new(n: usize) -> Self {
        let value = pod(n);
        let text = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_string();
        let id = Arc::new(PodId { uid: text("uid"), namespace: text("namespace"), name: text("name") });
        let bytes = json::to_wire(id::POD, &value).expect("a pod of ours").bytes;
        let known = |name: &str| RuntimeId { id: container_id(n), name: name.into() };
        let containers = ["service", "sidecar", ""].map(known).into();
        Self { id, containers, bytes: PodBytes::from_wire(&bytes).expect("a pod of ours") }
    }

    /// A version of the pod: `resourceVersion` is its number, `generation` its time.
    pub fn version(&self, number: u64) -> Arc<PodEntry> {
        let mut metadata = self.bytes.metadata().to_vec();
        wire::put_bytes(&mut metadata, 6, number.to_string().as_bytes());
        wire::put_number(&mut metadata, 7, nanos());
        let (phase, revision) = ("Running".into(), number);
        let bytes = self.bytes.with_metadata(&metadata);
        Arc::new(PodEntry {
            id: Arc::clone(&self.id),
            phase,
            container_ids: self.containers.clone(),
            ips: Vec::new(),
            revision,
            bytes,
        })
    }
}

pub fn nanos() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
}
