//! What a pod says about the log of one of its containers: under which UIDs it lies, why there is none, and whether
//! more is to come.

use serde_json::Value;

use super::lookup;
use super::static_pod::{CONFIG_HASH, CONFIG_MIRROR};
use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;

/// The UIDs with which the directory of the pod's logs may be named, the likeliest first. A static pod may be listed
/// under another UID than the one that its kubelet gave it.
#[must_use]
pub fn uids(pod: &PodBytes) -> Vec<String> {
    let mut uids = vec![lookup::text(pod, "metadata.uid").into_owned()];
    for key in [CONFIG_HASH, CONFIG_MIRROR] {
        uids.extend(lookup::annotation(pod, key).map(|uid| uid.into_owned()).filter(|uid| !uids.contains(uid)));
    }
    uids
}

/// The state of a container as far as its log depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Why it waits to start; empty where it does not.
    pub waiting: String,
    running: bool,
    restarts: u64,
}

impl LogState {
    /// The state of the container of this name, of whatever kind; that of one that never was where the pod's status
    /// says nothing about it.
    #[must_use]
    pub fn of(pod: &PodBytes, container: &str) -> Self {
        let Ok(status) = json::from_wire(id::POD_STATUS, pod.status()) else { return Self::default() };
        let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
        let mut all = lists.iter().filter_map(|list| status.get(list)?.as_array()).flatten();
        let Some(status) = all.find(|c| c.get("name").and_then(Value::as_str) == Some(container)) else {
            return Self::default();
        };
        let waiting = status.pointer("/state/waiting/reason").and_then(Value::as_str);
        Self {
            waiting: waiting.unwrap_or_default().to_owned(),
            running: status.pointer("/state/running").is_some(),
            restarts: status.get("restartCount").and_then(Value::as_u64).unwrap_or(0),
        }
    }

    /// Whether the instance with so many restarts before it still runs, so that its log goes on.
    #[must_use]
    pub fn is_written(&self, instance: u64) -> bool {
        self.running && self.restarts <= instance
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(metadata: &Value, status: &Value) -> PodBytes {
        let section = |id, value: &Value| json::to_wire(id, value).unwrap().bytes;
        PodBytes::from_sections(&section(id::OBJECT_META, metadata), b"", &section(id::POD_STATUS, status), b"")
    }

    #[test]
    fn uids_of_static_and_mirror_pods() {
        let of = |annotations: Value| uids(&pod(&json!({"uid": "u", "annotations": annotations}), &json!({})));
        assert_eq!(of(json!({})), ["u"]);
        assert_eq!(of(json!({"kubernetes.io/config.hash": "h", "kubernetes.io/config.mirror": "m"})), ["u", "h", "m"]);
        assert_eq!(of(json!({"kubernetes.io/config.hash": "u"})), ["u"]);
    }

    #[test]
    fn whether_more_is_to_come() {
        let status = json!({
            "containerStatuses": [
                {"name": "runs", "restartCount": 2, "state": {"running": {}}},
                {"name": "waits", "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}},
            ],
            "initContainerStatuses": [{"name": "done", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}],
        });
        let pod = pod(&json!({}), &status);
        let of = |name, instance| (LogState::of(&pod, name).is_written(instance), LogState::of(&pod, name).waiting);
        assert_eq!(of("runs", 2), (true, String::new()));
        assert_eq!(of("runs", 1), (false, String::new()), "a later instance runs");
        assert_eq!(of("waits", 0), (false, "ErrImagePull".to_owned()));
        assert_eq!(of("done", 0), (false, String::new()));
        assert_eq!(of("none", 0), (false, String::new()));
    }
}
