//! The part of a pod spec that a status is derived from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::codec::json;
use crate::codec::quantity::Quantity;
use crate::codec::schema::id;
use crate::codec::wire::WireError;

/// Amounts by resource name: `cpu`, `memory`, `ephemeral-storage`, ...
pub type ResourceList = BTreeMap<String, Quantity>;

/// What [`crate::pod::status::derive`] and [`crate::pod::qos::class`] read of metadata and spec.
#[derive(Clone, Debug, Default)]
pub struct PodSpecView {
    /// `metadata.generation`, 0 where nobody set it.
    pub generation: i64,
    /// `spec.restartPolicy`.
    pub restart_policy: RestartPolicy,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// `spec.initContainers`, in order.
    pub init_containers: Vec<ContainerView>,
    /// `spec.containers`, in order.
    pub containers: Vec<ContainerView>,
    /// `spec.ephemeralContainers`, in order.
    pub ephemeral_containers: Vec<ContainerView>,
    /// Condition types of `spec.readinessGates`.
    pub readiness_gates: Vec<String>,
    /// `spec.resources` (pod-level resources).
    pub resources: Option<Resources>,
    /// `spec.overhead`.
    pub overhead: ResourceList,
    /// `spec.nodeSelector`.
    pub node_selector: BTreeMap<String, String>,
    /// Whether `spec.affinity.nodeAffinity` demands something of the node.
    pub requires_node_affinity: bool,
    /// `spec.os.name`.
    pub os: String,
}

/// When a container is started again after it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Whatever the exit code.
    #[default]
    Always,
    /// Unless the exit code is 0.
    OnFailure,
    /// Not at all.
    Never,
}

/// One container of a spec.
#[derive(Clone, Debug, Default)]
pub struct ContainerView {
    /// `name`.
    pub name: String,
    /// `image` as the spec spells it.
    pub image: String,
    /// The container's own `restartPolicy`.
    pub restart_policy: Option<RestartPolicy>,
    /// `restartPolicyRules`, which count only beside an own policy.
    pub restart_rules: Vec<RestartRule>,
    /// It has a `readinessProbe`.
    pub readiness_probe: bool,
    /// It has a `startupProbe`.
    pub startup_probe: bool,
    /// It has a `lifecycle.postStart` hook.
    pub post_start: bool,
    /// `resources`.
    pub resources: Resources,
    /// `volumeMounts`, in order.
    pub volume_mounts: Vec<VolumeMountView>,
}

/// One of `restartPolicyRules`: what to do on some exit codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestartRule {
    /// `action`: `Restart` or `RestartAllContainers`.
    pub action: String,
    /// `exitCodes.values` are those that do not match (`operator: NotIn`).
    pub not_in: bool,
    /// `exitCodes.values`; `None` where the rule names no exit codes and never matches.
    pub exit_codes: Option<Vec<i64>>,
}

/// `ResourceRequirements`.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// `limits`.
    pub limits: ResourceList,
    /// `requests`.
    pub requests: ResourceList,
}

/// A `VolumeMount`, as far as a status repeats it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeMountView {
    /// `name` of the volume.
    pub name: String,
    /// `mountPath`.
    pub mount_path: String,
    /// `readOnly`.
    pub read_only: bool,
    /// `recursiveReadOnly` is `Enabled` or `IfPossible`.
    pub wants_recursive_read_only: bool,
}

impl PodSpecView {
    /// Reads the encoded `ObjectMeta` and `PodSpec`. What has the wrong form counts as not set.
    ///
    /// # Errors
    /// The bytes are not protobuf messages.
    pub fn from_wire(metadata: &[u8], spec: &[u8]) -> Result<Self, WireError> {
        Ok(Self::from_json(&json::from_wire(id::OBJECT_META, metadata)?, &json::from_wire(id::POD_SPEC, spec)?))
    }

    /// The same from the JSON forms of metadata and spec.
    #[must_use]
    pub fn from_json(metadata: &Value, spec: &Value) -> Self {
        Self {
            generation: metadata.get("generation").and_then(Value::as_i64).unwrap_or_default(),
            restart_policy: restart_policy(spec).unwrap_or_default(),
            host_network: flag(spec, "hostNetwork"),
            init_containers: each(spec, "initContainers", container),
            containers: each(spec, "containers", container),
            ephemeral_containers: each(spec, "ephemeralContainers", container),
            readiness_gates: each(spec, "readinessGates", |g| text(g, "conditionType")),
            resources: spec.get("resources").filter(|r| r.is_object()).map(resources),
            overhead: spec.get("overhead").map(resource_list).unwrap_or_default(),
            node_selector: strings(spec.get("nodeSelector")),
            requires_node_affinity: !spec
                .pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution")
                .unwrap_or(&Value::Null)
                .is_null(),
            os: spec.get("os").map(|os| text(os, "name")).unwrap_or_default(),
        }
    }

    /// Init and regular containers, in the order in which the kubelet starts them.
    pub fn startable(&self) -> impl Iterator<Item = &ContainerView> {
        self.init_containers.iter().chain(&self.containers)
    }

    /// Containers of all three kinds.
    #[must_use]
    pub fn container_count(&self) -> usize {
        self.init_containers.len() + self.containers.len() + self.ephemeral_containers.len()
    }

    /// Whether a container that ended with this code is started again. Source: `kubernetes/kubernetes
    /// pkg/api/v1/pod/util.go` (`ContainerShouldRestart`).
    #[must_use]
    pub fn restarts(&self, container: &ContainerView, exit_code: i64) -> bool {
        if container.restart_policy.is_some() && container.restart_rules.iter().any(|r| r.matches(exit_code)) {
            return true;
        }
        match container.restart_policy.unwrap_or(self.restart_policy) {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => exit_code != 0,
            RestartPolicy::Never => false,
        }
    }
}

impl ContainerView {
    /// Whether this init container is a sidecar: one that goes on running beside the regular containers.
    #[must_use]
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy == Some(RestartPolicy::Always)
    }
}

impl RestartRule {
    /// Whether the rule speaks about this exit code; both actions start the container again.
    #[must_use]
    pub fn matches(&self, exit_code: i64) -> bool {
        self.exit_codes.as_ref().is_some_and(|codes| codes.contains(&exit_code) != self.not_in)
    }
}

fn container(value: &Value) -> ContainerView {
    let set = |key: &str| value.get(key).is_some_and(|v| !v.is_null());
    ContainerView {
        name: text(value, "name"),
        image: text(value, "image"),
        restart_policy: restart_policy(value),
        restart_rules: each(value, "restartPolicyRules", restart_rule),
        readiness_probe: set("readinessProbe"),
        startup_probe: set("startupProbe"),
        post_start: value.pointer("/lifecycle/postStart").is_some_and(|v| !v.is_null()),
        resources: value.get("resources").map(resources).unwrap_or_default(),
        volume_mounts: each(value, "volumeMounts", |m| VolumeMountView {
            name: text(m, "name"),
            mount_path: text(m, "mountPath"),
            read_only: flag(m, "readOnly"),
            wants_recursive_read_only: matches!(text(m, "recursiveReadOnly").as_str(), "Enabled" | "IfPossible"),
        }),
    }
}

fn restart_rule(value: &Value) -> RestartRule {
    let codes = value.get("exitCodes").filter(|c| c.is_object());
    RestartRule {
        action: text(value, "action"),
        not_in: codes.is_some_and(|c| text(c, "operator") == "NotIn"),
        exit_codes: codes.map(|c| each(c, "values", |v| v.as_i64().unwrap_or_default())),
    }
}

fn restart_policy(value: &Value) -> Option<RestartPolicy> {
    match value.get("restartPolicy")?.as_str()? {
        "Always" => Some(RestartPolicy::Always),
        "OnFailure" => Some(RestartPolicy::OnFailure),
        "Never" => Some(RestartPolicy::Never),
        _ => None,
    }
}

fn resources(value: &Value) -> Resources {
    let list = |key| value.get(key).map(resource_list).unwrap_or_default();
    Resources { limits: list("limits"), requests: list("requests") }
}

fn resource_list(value: &Value) -> ResourceList {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(name, amount)| Some((name.clone(), Quantity::parse(amount.as_str()?).ok()?))).collect()
}

fn each<T>(value: &Value, key: &str, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().map(read).collect()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_string()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// A map of strings in JSON; what is none is left out.
pub(crate) fn strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn restart_rules_and_policies() {
        let rule = |operator: &str| json!([{"action": "Restart", "exitCodes": {"operator": operator, "values": [42]}}]);
        let table = [
            ("Always", json!({}), [true, true, true]),
            ("OnFailure", json!({}), [false, true, true]),
            ("Never", json!({}), [false, false, false]),
            ("Always", json!({"restartPolicy": "Never"}), [false, false, false]),
            ("Never", json!({"restartPolicy": "OnFailure"}), [false, true, true]),
            ("Always", json!({"restartPolicy": "Never", "restartPolicyRules": rule("In")}), [false, false, true]),
            ("Always", json!({"restartPolicy": "Never", "restartPolicyRules": rule("NotIn")}), [true, true, false]),
            // without an own policy the rules do not count
            ("Never", json!({"restartPolicyRules": rule("In")}), [false, false, false]),
            ("Never", json!({"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]}), [false; 3]),
        ];
        for (pod, container, want) in table {
            let spec = PodSpecView::from_json(&json!({}), &json!({"restartPolicy": pod, "containers": [container]}));
            let got = [0, 1, 42].map(|code| spec.restarts(&spec.containers[0], code));
            assert_eq!(got, want, "{pod} {container}");
        }
    }

    #[test]
    fn reads_from_the_wire() {
        let spec = json!({
            "containers": [{"name": "a", "image": "i", "readinessProbe": {}, "lifecycle": {"postStart": {"sleep": {"seconds": 1}}},
                "resources": {"requests": {"cpu": "0.25"}}, "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": true}]}],
            "initContainers": [{"name": "s", "restartPolicy": "Always", "startupProbe": {}}],
            "hostNetwork": true, "nodeSelector": {"disk": "ssd"},
            "readinessGates": [{"conditionType": "example.com/up"}],
        });
        let metadata = json::to_wire(id::OBJECT_META, &json!({"generation": 7})).unwrap();
        let spec = json::to_wire(id::POD_SPEC, &spec).unwrap();
        let view = PodSpecView::from_wire(&metadata.bytes, &spec.bytes).unwrap();
        let (a, s) = (&view.containers[0], &view.init_containers[0]);
        assert!(a.readiness_probe && a.post_start && !a.startup_probe && !a.is_sidecar());
        assert!(s.startup_probe && s.is_sidecar() && view.host_network);
        assert_eq!((view.generation, view.readiness_gates.as_slice()), (7, &["example.com/up".to_string()][..]));
        assert_eq!(a.resources.requests["cpu"].milli_value(), 250);
        assert!(a.volume_mounts[0].read_only && !a.volume_mounts[0].wants_recursive_read_only);
        assert_eq!(view.node_selector["disk"], "ssd");
        assert!(PodSpecView::from_wire(b"\xff", b"").is_err());
    }
}
