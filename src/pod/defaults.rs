//! What the API server would fill in: a static pod gets the same defaults when the kubelet decodes it.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/v1/defaults.go`, `zz_generated.defaults.go`, `conversion.go`. The
//! rules follow Go's types: a value field that is empty or zero takes its default, a pointer field only where it is
//! absent or null.

pub mod image;
mod resources;
#[cfg(test)]
mod tests;

use serde_json::{json, Map, Value};

use super::validate::volume_kinds;

type Object = Map<String, Value>;

/// Sets the defaults in a pod whose types have been checked. What is there is never changed, but for quantities of
/// containers, which are rounded up to milli.
pub fn apply(pod: &mut Value) {
    let Some(spec) = pod.as_object_mut().and_then(|pod| made(pod, "spec")) else { return };
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            if let Some(resources) = object(container, "resources") {
                resources::requests_from_limits(resources);
            }
        }
    }
    resources::pod_requests(spec);
    absent(spec, "enableServiceLinks", json!(true));
    if spec.get("hostNetwork").and_then(Value::as_bool) == Some(true) {
        host_ports(spec);
    }
    service_account(spec);
    empty(spec, "dnsPolicy", json!("ClusterFirst"));
    empty(spec, "restartPolicy", json!("Always"));
    absent(spec, "securityContext", json!({}));
    absent(spec, "terminationGracePeriodSeconds", json!(30));
    empty(spec, "schedulerName", json!("default-scheduler"));
    for volume in items(spec, "volumes") {
        default_volume(volume);
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in items(spec, list) {
            default_container(container);
        }
    }
    resources::round(spec, "overhead");
    if let Some(pod_level) = object(spec, "resources") {
        resources::round(pod_level, "limits");
        resources::round(pod_level, "requests");
    }
}

/// With host networking a port of a container is a port of the node.
fn host_ports(spec: &mut Object) {
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            for port in items(container, "ports") {
                if let Some(number) = port.get("containerPort").filter(|n| n.as_i64() != Some(0)).cloned() {
                    zero(port, "hostPort", number);
                }
            }
        }
    }
}

/// The old name of the field mirrors the new one, whichever was written.
fn service_account(spec: &mut Object) {
    let set = |name: &str| spec.get(name).filter(|v| !is_empty(v)).cloned();
    if let Some(account) = set("serviceAccountName").or_else(|| set("serviceAccount")) {
        spec.insert("serviceAccountName".to_owned(), account.clone());
        spec.insert("serviceAccount".to_owned(), account);
    }
}

fn default_container(container: &mut Object) {
    let policy = pull_policy(container.get("image"));
    empty(container, "imagePullPolicy", policy);
    empty(container, "terminationMessagePath", json!("/dev/termination-log"));
    empty(container, "terminationMessagePolicy", json!("File"));
    for port in items(container, "ports") {
        empty(port, "protocol", json!("TCP"));
    }
    for variable in items(container, "env") {
        if let Some(from) = object(variable, "valueFrom") {
            field_ref(from);
            if let Some(file) = object(from, "fileKeyRef") {
                absent(file, "optional", json!(false));
            }
        }
    }
    if let Some(resources) = object(container, "resources") {
        resources::round(resources, "limits");
        resources::round(resources, "requests");
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = object(container, name) {
            default_probe(probe);
        }
    }
    if let Some(lifecycle) = object(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(get) = object(lifecycle, hook).and_then(|h| object(h, "httpGet")) {
                http_get(get);
            }
        }
    }
}

fn pull_policy(image: Option<&Value>) -> Value {
    let latest = image::tag(image.and_then(Value::as_str).unwrap_or_default()) == "latest";
    json!(if latest { "Always" } else { "IfNotPresent" })
}

fn default_probe(probe: &mut Object) {
    zero(probe, "timeoutSeconds", json!(1));
    zero(probe, "periodSeconds", json!(10));
    zero(probe, "successThreshold", json!(1));
    zero(probe, "failureThreshold", json!(3));
    if let Some(get) = object(probe, "httpGet") {
        http_get(get);
    }
    if let Some(grpc) = object(probe, "grpc") {
        absent(grpc, "service", json!(""));
    }
}

fn http_get(get: &mut Object) {
    empty(get, "path", json!("/"));
    empty(get, "scheme", json!("HTTP"));
}

fn field_ref(parent: &mut Object) {
    if let Some(reference) = object(parent, "fieldRef") {
        empty(reference, "apiVersion", json!("v1"));
    }
}

fn default_volume(volume: &mut Object) {
    if !volume_kinds().any(|kind| volume.get(kind).is_some_and(|v| !v.is_null())) {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for kind in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = object(volume, kind) {
            absent(source, "defaultMode", json!(0o644));
        }
    }
    if let Some(source) = object(volume, "downwardAPI") {
        items(source, "items").for_each(field_ref);
    }
    if let Some(source) = object(volume, "projected") {
        for part in items(source, "sources") {
            if let Some(downward) = object(part, "downwardAPI") {
                items(downward, "items").for_each(field_ref);
            }
            if let Some(token) = object(part, "serviceAccountToken") {
                absent(token, "expirationSeconds", json!(3600));
            }
        }
    }
    if let Some(source) = object(volume, "hostPath") {
        absent(source, "type", json!(""));
    }
    if let Some(source) = object(volume, "image") {
        let policy = pull_policy(source.get("reference"));
        empty(source, "pullPolicy", policy);
    }
    storage(volume);
}

/// Network storage with defaults of its own.
fn storage(volume: &mut Object) {
    if let Some(source) = object(volume, "iscsi") {
        empty(source, "iscsiInterface", json!("default"));
    }
    if let Some(source) = object(volume, "rbd") {
        empty(source, "pool", json!("rbd"));
        empty(source, "user", json!("admin"));
        empty(source, "keyring", json!("/etc/ceph/keyring"));
    }
    if let Some(source) = object(volume, "azureDisk") {
        absent(source, "cachingMode", json!("ReadWrite"));
        absent(source, "fsType", json!("ext4"));
        absent(source, "readOnly", json!(false));
        absent(source, "kind", json!("Shared"));
    }
    if let Some(source) = object(volume, "scaleIO") {
        empty(source, "storageMode", json!("ThinProvisioned"));
        empty(source, "fsType", json!("xfs"));
    }
    if let Some(template) = object(volume, "ephemeral").and_then(|e| object(e, "volumeClaimTemplate")) {
        if let Some(claim) = object(template, "spec") {
            absent(claim, "volumeMode", json!("Filesystem"));
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The member as an object, made where it is absent.
fn made<'a>(parent: &'a mut Object, name: &str) -> Option<&'a mut Object> {
    absent(parent, name, json!({}));
    object(parent, name)
}

fn object<'a>(parent: &'a mut Object, name: &str) -> Option<&'a mut Object> {
    parent.get_mut(name)?.as_object_mut()
}

fn items<'a>(parent: &'a mut Object, name: &str) -> impl Iterator<Item = &'a mut Object> {
    parent.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Default of a pointer field.
fn absent(object: &mut Object, name: &str, value: Value) {
    if object.get(name).is_none_or(Value::is_null) {
        object.insert(name.to_owned(), value);
    }
}

/// Default of a text field.
fn empty(object: &mut Object, name: &str, value: Value) {
    if object.get(name).is_none_or(is_empty) {
        object.insert(name.to_owned(), value);
    }
}

/// Default of a number field.
fn zero(object: &mut Object, name: &str, value: Value) {
    if object.get(name).is_none_or(|v| v.is_null() || v.as_i64() == Some(0)) {
        object.insert(name.to_owned(), value);
    }
}
