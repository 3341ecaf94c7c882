//! A pod as small files of text, for shell scripts and C programs.
//!
//! The names and forms are ours. Each file is lines that end with a line break, as `read` in a shell wants them; what
//! the pod does not have is an empty file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pod::DownwardPod;
use super::quote::map_file;
use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::codec::wire::WireError;

/// The lists of container statuses, with what their containers are.
const LISTS: [(&str, &str); 3] = [
    ("initContainerStatuses", "init"),
    ("containerStatuses", "container"),
    ("ephemeralContainerStatuses", "ephemeral"),
];

/// The files of a pod by their paths.
///
/// # Errors
/// The bytes are not protobuf messages.
pub fn files(pod: &PodBytes) -> Result<BTreeMap<String, String>, WireError> {
    let status = json::from_wire(id::POD_STATUS, pod.status())?;
    let metadata = json::from_wire(id::OBJECT_META, pod.metadata())?;
    let view = DownwardPod::read(pod)?;
    let ready = conditions(&status).find(|c| text(c, "type") == "Ready").map_or("", |c| text(c, "status"));
    let yes_or_no = |yes: bool| if yes { "true" } else { "false" }.to_string();
    let mut files: BTreeMap<String, String> = [
        ("name", view.name.clone()),
        ("namespace", view.namespace.clone()),
        ("uid", view.uid.clone()),
        ("labels", map_file(&view.labels)),
        ("annotations", map_file(&view.annotations)),
        ("created", text(&metadata, "creationTimestamp").into()),
        ("deleting", yes_or_no(!text(&metadata, "deletionTimestamp").is_empty())),
        ("node", view.node_name.clone()),
        ("service_account", view.service_account.clone()),
        ("phase", text(&status, "phase").into()),
        ("reason", text(&status, "reason").into()),
        ("ready", yes_or_no(ready == "True")),
        ("qos", text(&status, "qosClass").into()),
        ("ip", view.addresses().first().cloned().unwrap_or_default()),
        ("ips", view.addresses().join("\n")),
        ("host_ip", view.host_ips.first().cloned().unwrap_or_default()),
    ]
    .map(|(name, value)| (name.to_string(), lines(value)))
    .into();
    for (list, kind) in LISTS {
        for container in items(&status, list).filter(|c| is_file_name(text(c, "name"))) {
            for (name, value) in of_container(container, kind) {
                files.insert(format!("containers/{}/{name}", text(container, "name")), lines(value));
            }
        }
    }
    Ok(files)
}

fn of_container(container: &Value, kind: &str) -> [(&'static str, String); 8] {
    let state = container.get("state").and_then(Value::as_object).and_then(|s| s.iter().next());
    let (state, detail) = state.map_or(("", &Value::Null), |(name, detail)| (name.as_str(), detail));
    let number = |v: &Value, key| v.get(key).and_then(Value::as_i64).unwrap_or_default().to_string();
    let id = text(container, "containerID");
    [
        ("kind", kind.into()),
        ("id", id.split_once("://").map_or(id, |(_, id)| id).into()),
        ("image", text(container, "image").into()),
        ("state", state.into()),
        ("reason", text(detail, "reason").into()),
        ("exit_code", if state == "terminated" { number(detail, "exitCode") } else { String::new() }),
        ("ready", (container.get("ready") == Some(&Value::Bool(true))).to_string()),
        ("restarts", number(container, "restartCount")),
    ]
}

fn lines(mut text: String) -> String {
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn conditions(status: &Value) -> impl Iterator<Item = &Value> {
    items(status, "conditions")
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a name can be a directory's. Kubernetes' names can; a runtime may hold others.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && !name.starts_with('.') && !name.chars().any(|c| c == '/' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(metadata: &Value, spec: &Value, status: &Value) -> PodBytes {
        let wire = |id, v| json::to_wire(id, v).unwrap().bytes;
        PodBytes::from_sections(
            &wire(id::OBJECT_META, metadata),
            &wire(id::POD_SPEC, spec),
            &wire(id::POD_STATUS, status),
            b"",
        )
    }

    #[test]
    fn one_pod() {
        let status = json!({
            "phase": "Running", "qosClass": "Burstable", "hostIP": "192.168.0.1",
            "podIPs": [{"ip": "10.0.0.5"}, {"ip": "fd00::5"}],
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [
                {"name": "main", "ready": true, "restartCount": 2, "image": "img:1", "containerID": "containerd://aa",
                    "state": {"running": {}}},
                {"name": "../evil", "state": {"running": {}}},
            ],
            "initContainerStatuses": [{"name": "setup", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}],
        });
        let metadata = json!({"name": "web", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"b": "2", "a": "it's"}, "annotations": {"nodepods.io/sources": "file"}});
        let files = files(&pod(&metadata, &json!({"nodeName": "n1"}), &status)).unwrap();
        for (path, want) in [
            ("name", "web\n"),
            ("namespace", "shop\n"),
            ("uid", "u1\n"),
            ("labels", "a=\"it's\"\nb=\"2\"\n"),
            ("annotations", ""),
            ("created", "2026-01-02T03:04:05Z\n"),
            ("deleting", "false\n"),
            ("node", "n1\n"),
            ("service_account", ""),
            ("phase", "Running\n"),
            ("reason", ""),
            ("ready", "false\n"),
            ("qos", "Burstable\n"),
            ("ip", "10.0.0.5\n"),
            ("ips", "10.0.0.5\nfd00::5\n"),
            ("host_ip", "192.168.0.1\n"),
            ("containers/main/kind", "container\n"),
            ("containers/main/id", "aa\n"),
            ("containers/main/image", "img:1\n"),
            ("containers/main/state", "running\n"),
            ("containers/main/reason", ""),
            ("containers/main/exit_code", ""),
            ("containers/main/ready", "true\n"),
            ("containers/main/restarts", "2\n"),
            ("containers/setup/kind", "init\n"),
            ("containers/setup/state", "terminated\n"),
            ("containers/setup/exit_code", "3\n"),
            ("containers/setup/reason", "Error\n"),
        ] {
            assert_eq!(files.get(path).map(String::as_str), Some(want), "{path}");
        }
        assert_eq!(files.len(), 16 + 2 * 8, "{:?}", files.keys());
    }

    #[test]
    fn names_that_are_no_file_names() {
        for bad in ["", ".", "..", ".hidden", "a/b", "a\nb", "a\0", &"x".repeat(256)] {
            assert!(!is_file_name(bad), "{bad:?}");
        }
        assert!(is_file_name("etcd-n1") && is_file_name("a.b"));
    }
}
