//! The pod as a whole (`kubernetes/kubectl pkg/describe/describe.go`, describePod).

use serde_json::Value;

use super::lines::Lines;
use super::value::{list, moment, text};
use super::{container, volume};
use crate::codec::time::Time;
use crate::pod::columns::age;

/// Annotations longer than this get lines of their own.
const LONG: usize = 140;

/// Everything about `pod`.
pub fn describe(lines: &mut Lines, pod: &Value, now: i64) {
    let t = |pointer: &str| text(pod, pointer);
    lines.field(0, "Name", &t("/metadata/name"));
    lines.field(0, "Namespace", &t("/metadata/namespace"));
    lines.given(0, "Priority", &t("/spec/priority"));
    lines.given(0, "Priority Class Name", &t("/spec/priorityClassName"));
    lines.given(0, "Runtime Class Name", &t("/spec/runtimeClassName"));
    lines.given(0, "Service Account", &t("/spec/serviceAccountName"));
    let node = t("/spec/nodeName");
    lines.field(0, "Node", &if node.is_empty() { "<none>".into() } else { format!("{node}/{}", t("/status/hostIP")) });
    lines.given(0, "Start Time", &moment(pod, "/status/startTime"));
    lines.list(0, "Labels", &pairs(pod.pointer("/metadata/labels")));
    annotations(lines, pod.pointer("/metadata/annotations"));
    status(lines, pod, now);
    lines.given(0, "Reason", &t("/status/reason"));
    lines.given(0, "Message", &t("/status/message"));
    lines.given(0, "SeccompProfile", &t("/spec/securityContext/seccompProfile/type"));
    lines.given(0, "LocalhostProfile", &t("/spec/securityContext/seccompProfile/localhostProfile"));
    lines.field(0, "IP", &t("/status/podIP"));
    let ips: Vec<_> = list(pod, "/status/podIPs").map(|ip| text(ip, "/ip")).collect();
    if ips.is_empty() {
        lines.field(0, "IPs", "<none>");
    } else {
        lines.line(0, "IPs:");
        ips.iter().for_each(|ip| lines.field(1, "IP", ip));
    }
    let controller = list(pod, "/metadata/ownerReferences").find(|owner| text(owner, "/controller") == "true");
    if let Some(owner) = controller {
        lines.field(0, "Controlled By", &format!("{}/{}", text(owner, "/kind"), text(owner, "/name")));
    }
    lines.given(0, "NominatedNodeName", &t("/status/nominatedNodeName"));
    for kind in container::KINDS {
        container::describe(lines, pod, &kind);
    }
    conditions(lines, pod);
    volume::describe(lines, pod);
    lines.field(0, "QoS Class", &t("/status/qosClass"));
    lines.list(0, "Node-Selectors", &pairs(pod.pointer("/spec/nodeSelector")));
    let mut tolerations: Vec<_> = list(pod, "/spec/tolerations").collect();
    tolerations.sort_by_key(|t| text(t, "/key"));
    lines.list(0, "Tolerations", &tolerations.into_iter().map(toleration).collect::<Vec<_>>());
}

fn status(lines: &mut Lines, pod: &Value, now: i64) {
    let phase = text(pod, "/status/phase");
    match Time::parse(&text(pod, "/metadata/deletionTimestamp")) {
        Some(at) if phase != "Failed" && phase != "Succeeded" => {
            lines.field(0, "Status", &format!("Terminating (lasts {})", age(now - at.unix())));
            let grace = text(pod, "/metadata/deletionGracePeriodSeconds");
            lines.field(0, "Termination Grace Period", &format!("{}s", if grace.is_empty() { "0" } else { &grace }));
        }
        _ => lines.field(0, "Status", &phase),
    }
}

fn conditions(lines: &mut Lines, pod: &Value) {
    let of = |kind: &str| {
        list(pod, "/status/conditions")
            .find(|c| text(c, "/type") == kind)
            .map_or("<none>".into(), |c| text(c, "/status"))
    };
    let gates: Vec<_> = list(pod, "/spec/readinessGates").map(|gate| text(gate, "/conditionType")).collect();
    if !gates.is_empty() {
        lines.line(0, "Readiness Gates:");
        lines.line(0, "  Type\tStatus");
        gates.iter().for_each(|gate| lines.line(1, &format!("{gate} \t{} ", of(gate))));
    }
    if list(pod, "/status/conditions").next().is_some() {
        lines.line(0, "Conditions:");
        lines.line(0, "  Type\tStatus");
        list(pod, "/status/conditions")
            .for_each(|c| lines.line(1, &format!("{} \t{} ", text(c, "/type"), text(c, "/status"))));
    }
}

/// `key=value`, in the order of the keys.
fn pairs(map: Option<&Value>) -> Vec<String> {
    let map = map.and_then(Value::as_object).into_iter().flatten();
    map.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect()
}

fn annotations(lines: &mut Lines, map: Option<&Value>) {
    let map = map.and_then(Value::as_object).into_iter().flatten();
    let skipped = |key: &str| key == "kubectl.kubernetes.io/last-applied-configuration";
    let mut out = Vec::new();
    for (key, value) in map.filter(|(key, _)| !skipped(key)) {
        let value = value.as_str().unwrap_or_default().trim_end_matches('\n');
        if value.contains('\n') || key.len() + value.len() + 2 > LONG {
            out.push(format!("{key}:"));
            out.extend(value.lines().map(|line| format!("  {}", shortened(line))));
        } else {
            out.push(format!("{key}: {value}"));
        }
    }
    lines.list(0, "Annotations", &out);
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= LONG - 2 {
        return line.to_string();
    }
    line.chars().take(LONG - 5).collect::<String>() + "..."
}

fn toleration(t: &Value) -> String {
    let mut out = text(t, "/key");
    let (value, effect) = (text(t, "/value"), text(t, "/effect"));
    if !value.is_empty() {
        out.push_str(&format!("={value}"));
    }
    if !effect.is_empty() {
        out.push_str(&format!(":{effect}"));
    }
    if text(t, "/operator") == "Exists" && value.is_empty() {
        out.push_str(if out.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    match text(t, "/tolerationSeconds") {
        seconds if seconds.is_empty() => out,
        seconds => format!("{out} for {seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(pod: &Value) -> String {
        let mut lines = Lines::default();
        describe(&mut lines, pod, 100);
        lines.finish()
    }

    /// What kubectl 1.36 prints of this pod, as its source says.
    #[test]
    fn kubectls_layout() {
        let pod = json!({
            "metadata": {
                "name": "web", "namespace": "default", "labels": {"app": "x", "tier": "y"},
                "annotations": {"a": "b", "long": "1\n2\n"},
                "ownerReferences": [{"kind": "Node", "name": "n1", "controller": true}]
            },
            "spec": {
                "priority": 0, "nodeName": "n1", "serviceAccountName": "default",
                "containers": [{
                    "name": "main", "image": "busybox", "command": ["sh", "-c", "a\nb"],
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "env": [
                        {"name": "A", "value": "1"},
                        {"name": "IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
                        {"name": "N", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                        {"name": "R", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
                        {"name": "L", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "0"}}},
                        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
                    ],
                    "resources": {"limits": {"cpu": "1"}, "requests": {"memory": "64Mi"}},
                    "livenessProbe": {"httpGet": {"path": "/z", "port": 8080, "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
                    "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": true, "subPath": "s"}]
                }],
                "volumes": [{"name": "data", "emptyDir": {}}],
                "tolerations": [{"operator": "Exists", "effect": "NoExecute"}, {"key": "k", "value": "v", "tolerationSeconds": 5}]
            },
            "status": {
                "phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.244.0.2", "podIPs": [{"ip": "10.244.0.2"}],
                "startTime": "2026-01-02T03:04:05Z", "qosClass": "Burstable",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{
                    "name": "main", "containerID": "containerd://1", "imageID": "sha256:2", "ready": true, "restartCount": 1,
                    "state": {"running": {"startedAt": "2026-01-02T03:04:06Z"}},
                    "lastState": {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "2026-01-02T03:04:05Z", "finishedAt": "2026-01-02T03:04:06Z"}}
                }]
            }
        });
        assert_eq!(lines(&pod), include_str!("testdata/web.txt"));
    }

    #[test]
    fn a_pod_that_ends() {
        let pod = json!({
            "metadata": {"name": "web", "deletionTimestamp": "1970-01-01T00:01:00Z", "deletionGracePeriodSeconds": 30},
            "spec": {}, "status": {"phase": "Running"}
        });
        let text = lines(&pod);
        assert!(text.contains("Status:                    Terminating (lasts 40s)\n"), "{text}");
        assert!(text.contains("Termination Grace Period:  30s\n"), "{text}");
    }
}
