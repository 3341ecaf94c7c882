//! Instances of containers that have ended, remembered beyond what the runtime keeps: it forgets them when the
//! kubelet cleans up, and all of them at a reboot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::runtime_view::RuntimePod;
use super::snapshot::{Ended, PodEntry};
use crate::codec::time::Time;
use crate::codec::wire::{fields, Value};
use crate::pod::instance::{self, End, Instance, MOST_ENDED};
use crate::pod::observed::{Container, ContainerState};

/// `PodSpec.containers`
const CONTAINERS: u32 = 2;
/// `PodStatus.podIP`
const POD_IP: u32 = 6;

/// The memory of ended instances. Shared with snapshots; copied (a few pointers) when something is added.
#[derive(Debug, Default)]
pub struct EndedInstances {
    pods: Arc<Ended>,
}

impl EndedInstances {
    /// Starts from what a checkpoint kept.
    pub fn restore(&mut self, kept: Arc<Ended>) {
        self.pods = kept;
    }

    /// As readers get it.
    #[must_use]
    pub fn shared(&self) -> Arc<Ended> {
        Arc::clone(&self.pods)
    }

    /// Notes the instances of a pod that have ended by now, out of its status and out of the runtime, of which
    /// `runtime_name` is the name; true where one is news. Init and ephemeral containers do not count.
    pub fn note(&mut self, pod: &PodEntry, runtime: Option<&RuntimePod>, runtime_name: &str) -> bool {
        let uid = &pod.id.uid;
        let known = self.pods.get(uid).map(|known| known.as_ref()).unwrap_or_default();
        let seen = seen(pod, runtime, runtime_name);
        let fresh = |i: &Instance| known.iter().find(|k| k.id == i.id).is_none_or(|k| says_more(i, k));
        if !seen.iter().any(fresh) {
            return false;
        }
        let mut all = known.to_vec();
        for instance in &seen {
            match all.iter_mut().find(|known| known.id == instance.id) {
                None => all.push(instance.clone()),
                Some(known) if says_more(instance, known) => known.image_id.clone_from(&instance.image_id),
                Some(_) => {}
            }
        }
        let kept = newest(all);
        if kept.as_slice() == known {
            return false; // older than all that is remembered
        }
        Arc::make_mut(&mut self.pods).insert(uid.clone(), kept.into());
        true
    }

    /// Forgets the pods that `listed` does not name; true where there were any.
    pub fn retain(&mut self, listed: impl Fn(&str) -> bool) -> bool {
        if self.pods.keys().all(|uid| listed(uid)) {
            return false;
        }
        Arc::make_mut(&mut self.pods).retain(|uid, _| listed(uid));
        true
    }
}

/// A status does not tell the image of the instance before the last.
fn says_more(new: &Instance, known: &Instance) -> bool {
    known.image_id.is_empty() && !new.image_id.is_empty()
}

/// What a pod shows, the runtime's own account first.
fn seen(pod: &PodEntry, runtime: Option<&RuntimePod>, runtime_name: &str) -> Vec<Instance> {
    let ip = last(pod.bytes.status(), POD_IP).map(text).filter(|ip| !ip.is_empty());
    let mut all: Vec<Instance> = Vec::new();
    if let Some(runtime) = runtime {
        let spec = fields(pod.bytes.spec()).map_while(Result::ok).filter(|f| f.number == CONTAINERS);
        let regular: Vec<String> = spec
            .filter_map(|f| match f.value {
                Value::Bytes(container) => last(container, 1).map(text),
                _ => None,
            })
            .collect();
        let ended = runtime.containers.iter().filter(|c| c.state == ContainerState::Exited && c.finished_at > 0);
        let mut ended: Vec<_> = ended.filter(|c| regular.contains(&c.name)).collect();
        ended.sort_by_key(|c| (c.created_at, c.attempt));
        for container in ended {
            let sandbox = runtime.sandboxes.iter().find(|s| s.id == container.sandbox_id);
            let current = runtime.newest().is_some_and(|newest| newest.id == container.sandbox_id);
            let ips = match (current, sandbox) {
                (true, _) => ip.iter().cloned().collect(),
                (false, sandbox) => sandbox.iter().filter_map(|s| s.ips.first().cloned()).collect(),
            };
            all.push(of_runtime(container, runtime_name, ips));
        }
    }
    let shown = instance::shown(pod.bytes.status()).into_iter().filter(|i| i.end.is_some() && !i.id.is_empty());
    for instance in shown {
        if !all.iter().any(|known| known.id == instance.id) {
            all.push(Instance { ips: ip.iter().cloned().collect(), ..instance });
        }
    }
    all
}

/// Times are cut to whole seconds, as in a status.
fn of_runtime(container: &Container, runtime_name: &str, ips: Vec<String>) -> Instance {
    let time = |nanos: i64| (nanos > 0).then(|| Time::from_unix(Time::from_unix_nanos(nanos).unix()));
    Instance {
        container: container.name.clone(),
        id: format!("{runtime_name}://{}", container.id),
        image_id: container.image_ref.clone(),
        ips,
        started: time(container.started_at),
        end: Some(End {
            finished: time(container.finished_at),
            exit_code: container.exit_code,
            reason: container.reason.clone(),
        }),
    }
}

/// Sorted, and of each container the newest alone. Times are whole seconds: of two instances that ended within one, the
/// first that was noted is the older.
fn newest(mut all: Vec<Instance>) -> Vec<Instance> {
    let end = |i: &Instance| i.end.as_ref().and_then(|end| end.finished);
    all.sort_by(|a, b| (&a.container, end(a), a.started).cmp(&(&b.container, end(b), b.started)));
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for instance in &all {
        *left.entry(instance.container.clone()).or_default() += 1;
    }
    all.retain(|instance| {
        let Some(left) = left.get_mut(&instance.container) else { return true };
        *left -= 1;
        *left < MOST_ENDED
    });
    all
}

fn last(bytes: &[u8], number: u32) -> Option<&[u8]> {
    let found = fields(bytes).map_while(Result::ok).filter(|f| f.number == number).last()?;
    if let Value::Bytes(bytes) = found.value {
        Some(bytes)
    } else {
        None
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::observed::Sandbox;
    use crate::store::testing::{entry, replica};
    use serde_json::json;

    fn container(id: usize, name: &str, state: ContainerState) -> Arc<Container> {
        let at = id as i64 * 1_000_000_000;
        Arc::new(Container {
            id: format!("r{id:02}"),
            sandbox_id: "s".into(),
            name: name.into(),
            state,
            started_at: at,
            finished_at: at + 1,
            exit_code: 3,
            image_ref: "web@sha256:cc".into(),
            reason: "Error".into(),
            ..Container::default()
        })
    }

    fn runtime(containers: Vec<Arc<Container>>) -> RuntimePod {
        let sandbox = Sandbox { id: "s".into(), ready: true, ..Sandbox::default() };
        RuntimePod { sandboxes: vec![Arc::new(sandbox)], containers, ..RuntimePod::default() }
    }

    fn ids(ended: &EndedInstances, uid: &str) -> Vec<String> {
        ended.shared().get(uid).map(|all| all.iter().map(|i| i.id.clone()).collect()).unwrap_or_default()
    }

    #[test]
    fn what_has_ended_is_remembered_when_the_runtime_forgets_it() {
        let pod = entry(&json!({"metadata": {"uid": "u"}, "spec": {"containers": [{"name": "web"}]},
            "status": {"podIP": "10.0.0.1"}}));
        let exited = ContainerState::Exited;
        let mut ended = EndedInstances::default();
        let all = vec![
            container(2, "web", exited),
            container(1, "web", exited),
            container(3, "web", ContainerState::Running),
            container(4, "init", exited),
        ];
        assert!(ended.note(&pod, Some(&runtime(all.clone())), "containerd"));
        assert!(!ended.note(&pod, Some(&runtime(all)), "containerd"), "no news");
        assert!(ended.note(&pod, Some(&runtime(vec![container(3, "web", exited)])), "containerd"));
        assert!(!ended.note(&pod, None, "containerd"));
        assert_eq!(ids(&ended, "u"), ["containerd://r01", "containerd://r02", "containerd://r03"]);
        let first = ended.shared()["u"][0].clone();
        assert_eq!((first.image_id.as_str(), first.ips.as_slice()), ("web@sha256:cc", &["10.0.0.1".to_owned()][..]));
        assert_eq!(first.end.map(|e| (e.exit_code, e.finished)), Some((3, Some(Time::from_unix(1)))));
    }

    #[test]
    fn instances_of_one_second_keep_their_order() {
        let pod = entry(&json!({"metadata": {"uid": "u"}, "spec": {"containers": [{"name": "web"}]}}));
        let quick = |id: &str, created_at| {
            let container = Container::clone(&container(7, "web", ContainerState::Exited));
            Arc::new(Container { id: id.into(), created_at, ..container })
        };
        let (z, y, x) = (quick("z", 1), quick("y", 2), quick("x", 3));
        let mut ended = EndedInstances::default();
        ended.note(&pod, Some(&runtime(vec![y.clone(), z])), "c");
        ended.note(&pod, Some(&runtime(vec![x, y])), "c");
        assert_eq!(ids(&ended, "u"), ["c://z", "c://y", "c://x"]);
    }

    #[test]
    fn ten_of_a_container_and_no_more() {
        let pod = entry(&json!({"metadata": {"uid": "u"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}}));
        let mut ended = EndedInstances::default();
        for n in 1..=25 {
            let all = vec![container(n, "a", ContainerState::Exited)];
            assert!(ended.note(&pod, Some(&runtime(all)), "c"));
        }
        ended.note(&pod, Some(&runtime(vec![container(30, "b", ContainerState::Exited)])), "c");
        let want: Vec<_> = (16..=25).chain([30]).map(|n| format!("c://r{n:02}")).collect();
        assert_eq!(ids(&ended, "u"), want);
        let old = vec![container(2, "a", ContainerState::Exited)];
        assert!(!ended.note(&pod, Some(&runtime(old)), "c"), "older than all that is remembered");
    }

    #[test]
    fn a_status_alone_is_enough() {
        let (pod, mut ended) = (replica(), EndedInstances::default());
        assert!(ended.note(&pod, None, ""));
        assert_eq!(ids(&ended, &pod.id.uid), ["containerd://a1", "containerd://b1"]);
        assert!(!ended.note(&pod, None, ""));
        // The runtime knows the image of the instance before the last.
        let mut before = Container::clone(&container(1, "app", ContainerState::Exited));
        before.id = "a1".into();
        assert!(ended.note(&pod, Some(&runtime(vec![Arc::new(before)])), "containerd"));
        assert_eq!(ended.shared()[&pod.id.uid][0].image_id, "web@sha256:cc");
    }

    #[test]
    fn pods_that_are_gone_are_forgotten() {
        let (pod, mut ended) = (replica(), EndedInstances::default());
        ended.note(&pod, None, "");
        assert!(!ended.retain(|uid| uid == pod.id.uid));
        assert!(ended.retain(|_| false));
        assert!(ended.shared().is_empty());
    }
}
