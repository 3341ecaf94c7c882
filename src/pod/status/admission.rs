//! May the kubelet refuse this pod? Its decision leaves no trace in the runtime, so a pod that was never started and
//! that it may have refused claims nothing.

use crate::codec::quantity::Quantity;
use crate::pod::spec::PodSpecView;
use crate::pod::status::resources;

/// What is known about the node. A stand-alone kubelet knows no further labels than these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFacts {
    /// The node's name, which is its label `kubernetes.io/hostname`.
    pub name: String,
    /// Its label `kubernetes.io/arch`, such as `amd64`.
    pub arch: String,
    /// CPUs in thousandths, 0 if not known.
    pub cpu_milli: i64,
    /// Memory in bytes, 0 if not known.
    pub memory_bytes: i64,
}

/// Why the kubelet may refuse the pod, in a person's words; `None` where nothing in the spec speaks for that.
/// Rules: `kubernetes/kubernetes pkg/kubelet/lifecycle/predicate.go`.
#[must_use]
pub fn doubt(spec: &PodSpecView, node: &NodeFacts) -> Option<String> {
    if !matches!(spec.os.as_str(), "" | "linux") {
        return Some(format!("spec.os.name is {}, and this node runs linux", spec.os));
    }
    for (key, wanted) in &spec.node_selector {
        let label = match key.as_str() {
            "kubernetes.io/hostname" => node.name.as_str(),
            "kubernetes.io/os" | "beta.kubernetes.io/os" => "linux",
            "kubernetes.io/arch" | "beta.kubernetes.io/arch" => node.arch.as_str(),
            _ => {
                return Some(format!(
                    "spec.nodeSelector asks for the label {key}={wanted}, and the node's labels are not known"
                ))
            }
        };
        if label != wanted {
            return Some(format!("spec.nodeSelector asks for {key}={wanted}, and this node has {label}"));
        }
    }
    if spec.requires_node_affinity {
        return Some("spec.affinity.nodeAffinity makes demands, and the node's labels are not known".into());
    }
    let requests = resources::of_pod(spec).requests;
    if let Some(name) = requests.keys().find(|n| !matches!(n.as_str(), "cpu" | "memory" | "ephemeral-storage")) {
        return Some(format!("the pod requests {name}, and how much of it this node has is not known"));
    }
    let exceeds = |name: &str, has: i64, wants: fn(&Quantity) -> i64| {
        let wanted = requests.get(name).filter(|q| has > 0 && wants(q) > has)?;
        Some(format!("the pod requests {wanted} of {name}, more than this node has"))
    };
    exceeds("cpu", node.cpu_milli, |q| q.milli_value()).or_else(|| exceeds("memory", node.memory_bytes, |q| q.value()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows() {
        let node = NodeFacts { name: "n".into(), arch: "amd64".into(), cpu_milli: 2000, memory_bytes: 1 << 30 };
        let request = |name: &str, amount: &str| json!({"containers": [{"resources": {"requests": {name: amount}}}]});
        let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}});
        let table = [
            (json!({}), false),
            (json!({"nodeSelector": {"kubernetes.io/hostname": "n", "kubernetes.io/os": "linux"}}), false),
            (json!({"nodeSelector": {"kubernetes.io/hostname": "m"}}), true),
            (json!({"nodeSelector": {"kubernetes.io/arch": "arm64"}}), true),
            (json!({"nodeSelector": {"disk": "ssd"}}), true),
            (json!({"os": {"name": "windows"}}), true),
            (json!({ "affinity": affinity }), true),
            (request("cpu", "2"), false),
            (request("cpu", "2001m"), true),
            (request("memory", "1Gi"), false),
            (request("memory", "2Gi"), true),
            (request("example.com/gpu", "9"), true),
        ];
        for (spec, want) in table {
            let spec_view = PodSpecView::from_json(&json!({}), &spec);
            assert_eq!(doubt(&spec_view, &node).is_some(), want, "{spec}");
        }
        let big = PodSpecView::from_json(&json!({}), &request("cpu", "1000"));
        assert_eq!(doubt(&big, &NodeFacts::default()), None);
    }
}
