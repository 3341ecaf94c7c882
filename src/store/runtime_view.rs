//! What the runtime holds, pod by pod.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::pod::observed::{Container, ContainerState, RuntimeState, Sandbox};
use crate::pod::static_pod::CONFIG_SOURCE;

const POD_UID: &str = "io.kubernetes.pod.uid";
const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";

/// The sandboxes and containers of one pod UID, newest first.
#[derive(Clone, Debug, Default)]
pub struct RuntimePod {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// Newest first: by attempt, then by time of creation.
    pub sandboxes: Vec<Arc<Sandbox>>,
    /// Newest first: by time of creation.
    pub containers: Vec<Arc<Container>>,
}

impl RuntimePod {
    /// The newest sandbox.
    #[must_use]
    pub fn newest(&self) -> Option<&Sandbox> {
        self.sandboxes.first().map(Arc::as_ref)
    }

    /// Whether some container runs.
    #[must_use]
    pub fn running(&self) -> bool {
        self.containers.iter().any(|c| c.state == ContainerState::Running)
    }

    /// Whether the newest sandbox is ready or some container runs.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.newest().is_some_and(|s| s.ready) || self.running()
    }

    /// When the last container ended, in milliseconds since the epoch; 0 if none has.
    #[must_use]
    pub fn last_finished_ms(&self) -> u64 {
        let last = self.containers.iter().map(|c| c.finished_at).max().unwrap_or_default();
        u64::try_from(last / 1_000_000).unwrap_or_default()
    }

    /// Annotation `kubernetes.io/config.source` of the newest sandbox: `file`, `http` or `api`.
    #[must_use]
    pub fn config_source(&self) -> Option<&str> {
        self.annotation(CONFIG_SOURCE)
    }

    /// An annotation of the newest sandbox.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.newest()?.annotations.get(key).map(String::as_str)
    }

    /// Whether both hold the very same sandboxes and containers.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        same_arcs(&self.sandboxes, &other.sandboxes) && same_arcs(&self.containers, &other.containers)
    }
}

/// Whether two lists share all their elements. A poll shares what it found unchanged with the one before it.
#[must_use]
pub fn same_arcs<T>(a: &[Arc<T>], b: &[Arc<T>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}

/// Groups by pod UID. Sandboxes without a UID are nobody's pods and are left out.
#[must_use]
pub fn group(state: &RuntimeState) -> BTreeMap<String, RuntimePod> {
    let mut pods: BTreeMap<String, RuntimePod> = BTreeMap::new();
    let by_id: HashMap<&str, &Sandbox> = state.sandboxes.iter().map(|s| (s.id.as_str(), s.as_ref())).collect();
    for sandbox in state.sandboxes.iter().filter(|s| !s.uid.is_empty()) {
        let pod = pods.entry(sandbox.uid.clone()).or_default();
        pod.sandboxes.push(Arc::clone(sandbox));
    }
    for container in &state.containers {
        let label = |key| container.labels.get(key).map(String::as_str).unwrap_or_default();
        let sandbox = by_id.get(container.sandbox_id.as_str());
        let uid = sandbox.map_or_else(|| label(POD_UID), |s| s.uid.as_str());
        if uid.is_empty() {
            continue;
        }
        let pod = pods.entry(uid.to_owned()).or_default();
        if pod.sandboxes.is_empty() && pod.name.is_empty() {
            pod.name = label(POD_NAME).to_owned();
            pod.namespace = label(POD_NAMESPACE).to_owned();
        }
        pod.containers.push(Arc::clone(container));
    }
    for pod in pods.values_mut() {
        pod.sandboxes.sort_by_key(|s| Reverse((s.attempt, s.created_at)));
        pod.containers.sort_by_key(|c| Reverse((c.created_at, c.attempt)));
        if let Some(newest) = pod.sandboxes.first() {
            pod.name.clone_from(&newest.name);
            pod.namespace.clone_from(&newest.namespace);
        }
    }
    pods.retain(|_, pod| !pod.name.is_empty());
    pods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(id: &str, uid: &str, attempt: u32) -> Arc<Sandbox> {
        Arc::new(Sandbox {
            id: id.into(),
            uid: uid.into(),
            name: format!("pod-{uid}"),
            attempt,
            ready: attempt == 0,
            ..Sandbox::default()
        })
    }

    fn container(id: &str, sandbox_id: &str, created_at: i64, uid: &str) -> Arc<Container> {
        let labels = [(POD_UID.to_owned(), uid.to_owned()), (POD_NAME.to_owned(), "orphan".to_owned())];
        Arc::new(Container {
            id: id.into(),
            sandbox_id: sandbox_id.into(),
            created_at,
            labels: labels.into(),
            ..Container::default()
        })
    }

    #[test]
    fn groups_by_uid_newest_first() {
        let state = RuntimeState {
            sandboxes: vec![sandbox("s1", "u1", 0), sandbox("s2", "u1", 1), sandbox("s3", "", 0)],
            containers: vec![
                container("c1", "s1", 1, "ignored"),
                container("c2", "s2", 2, "ignored"),
                container("c3", "s3", 3, "ignored"),
                container("c4", "gone", 4, "u2"),
            ],
            ..RuntimeState::default()
        };
        let pods = group(&state);
        assert_eq!(pods.keys().collect::<Vec<_>>(), ["u1", "u2"]);
        let u1 = &pods["u1"];
        assert_eq!(u1.sandboxes.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["s2", "s1"]);
        assert_eq!(u1.containers.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["c2", "c1"]);
        assert!(!u1.alive(), "only the newest sandbox counts");
        assert_eq!(pods["u2"].name, "orphan");
    }
}
