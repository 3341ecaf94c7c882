//! The part of a pod that the downward API shows.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;
use crate::codec::wire::WireError;
use crate::pod::container_names::{ContainerNames, DEFAULT_CONTAINER};
use crate::pod::source::OURS;
use crate::pod::spec::{strings, ContainerView, PodSpecView};

/// A pod as it is told about itself. Annotations of ours are not in it.
#[derive(Clone, Debug, Default)]
pub struct DownwardPod {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`, without ours.
    pub annotations: BTreeMap<String, String>,
    /// `spec.nodeName`.
    pub node_name: String,
    /// `spec.serviceAccountName`.
    pub service_account: String,
    /// `status.hostIPs`.
    pub host_ips: Vec<String>,
    /// `status.podIPs`.
    pub pod_ips: Vec<String>,
    /// False where the runtime alone knows the pod: then most of the spec is missing.
    pub complete: bool,
    /// The spec in its JSON form.
    pub(super) spec: Value,
    view: PodSpecView,
}

impl DownwardPod {
    /// Reads an encoded pod.
    ///
    /// # Errors
    /// The bytes are not protobuf messages.
    pub fn read(pod: &PodBytes) -> Result<Self, WireError> {
        Ok(Self::from_json(
            &json::from_wire(id::OBJECT_META, pod.metadata())?,
            &json::from_wire(id::POD_SPEC, pod.spec())?,
            &json::from_wire(id::POD_STATUS, pod.status())?,
        ))
    }

    /// The same from the JSON forms of the three sections.
    #[must_use]
    pub fn from_json(metadata: &Value, spec: &Value, status: &Value) -> Self {
        let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
        let mut annotations = strings(metadata.get("annotations"));
        let complete = annotations.get(&format!("{OURS}spec")).is_none_or(|s| s != "partial");
        annotations.retain(|key, _| !key.starts_with(OURS));
        Self {
            name: text(metadata, "name"),
            namespace: text(metadata, "namespace"),
            uid: text(metadata, "uid"),
            labels: strings(metadata.get("labels")),
            annotations,
            node_name: text(spec, "nodeName"),
            service_account: text(spec, "serviceAccountName"),
            host_ips: addresses(status, "hostIP", "hostIPs"),
            pod_ips: addresses(status, "podIP", "podIPs"),
            complete,
            spec: spec.clone(),
            view: PodSpecView::from_json(metadata, spec),
        }
    }

    /// Its containers.
    #[must_use]
    pub fn containers(&self) -> ContainerNames {
        ContainerNames::of(&self.view, self.annotations.get(DEFAULT_CONTAINER).map(String::as_str))
    }

    /// Names of the volumes whose files the downward API fills, if only in part.
    #[must_use]
    pub fn volume_names(&self) -> Vec<&str> {
        let volumes = self.spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
        let ours = volumes.filter(|v| ["downwardAPI", "projected"].iter().any(|kind| v[kind].is_object()));
        ours.filter_map(|v| v["name"].as_str()).collect()
    }

    /// The pod's addresses; on the host's network those of the host.
    pub(super) fn addresses(&self) -> &[String] {
        match self.pod_ips.as_slice() {
            [] if self.view.host_network => &self.host_ips,
            own => own,
        }
    }

    /// A regular or init container with its limits and requests.
    pub(super) fn container(&self, name: &str) -> Option<&ContainerView> {
        self.view.startable().find(|c| c.name == name)
    }

    /// The JSON form of a container of any kind.
    pub(super) fn container_json(&self, name: &str) -> Option<&Value> {
        let lists = ["containers", "initContainers", "ephemeralContainers"];
        let all = lists.iter().filter_map(|list| self.spec.get(list)?.as_array()).flatten();
        all.into_iter().find(|c| c["name"] == name)
    }
}

fn addresses(status: &Value, one: &str, all: &str) -> Vec<String> {
    let list = status.get(all).and_then(Value::as_array).into_iter().flatten();
    let list: Vec<String> = list.filter_map(|a| a["ip"].as_str()).map(str::to_string).collect();
    match (list.is_empty(), status.get(one).and_then(Value::as_str)) {
        (true, Some(ip)) if !ip.is_empty() => vec![ip.to_string()],
        _ => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_ours_is_left_out() {
        let metadata = json!({"name": "a", "annotations": {"nodepods.io/spec": "partial", "x": "1"}});
        let volumes = json!([{"name": "v", "emptyDir": {}}, {"name": "p", "projected": {"sources": []}},
            {"name": "d", "downwardAPI": {}}]);
        let pod = DownwardPod::from_json(&metadata, &json!({"volumes": volumes}), &json!({}));
        assert!(!pod.complete);
        assert_eq!(pod.annotations.into_iter().collect::<Vec<_>>(), [("x".to_string(), "1".to_string())]);
        let pod = DownwardPod::from_json(&json!({}), &json!({"volumes": volumes}), &json!({}));
        assert!(pod.complete);
        assert_eq!(pod.volume_names(), ["p", "d"]);
    }
}
