//! A pod as StackRox's clients read it: `storage.Pod`.
//!
//! Fields: `stackrox/stackrox proto/storage/deployment.proto`; what is in them:
//! `sensor/kubernetes/listener/resources/{deployments,container_instance}.go`.

use std::collections::BTreeMap;

use super::view::{digest, PodView};
use crate::codec::time::Time;
use crate::pod::instance::{self, Instance, MOST_ENDED};
use crate::store::snapshot::PodEntry;

/// `storage.Pod`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// A version 5 UUID of the pod's UID.
    pub id: String,
    /// `metadata.name`.
    pub name: String,
    /// UID of the controller that the pod names; its own where it names none.
    pub deployment_id: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// Empty: a node does not know its cluster's id.
    pub cluster_id: String,
    /// Instances that run, by their ids.
    pub live_instances: Vec<ContainerInstance>,
    /// Instances that have ended: a list for each container by name, oldest first.
    pub terminated_instances: Vec<Vec<ContainerInstance>>,
    /// `metadata.creationTimestamp`; `status.startTime` for a static pod that no API server has seen.
    pub started: Option<Time>,
}

/// `storage.ContainerInstance`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerInstance {
    /// `instance_id`.
    pub instance_id: InstanceId,
    /// `name.namespace@uid`, with the pod's own UID.
    pub containing_pod_id: String,
    /// Name of the container in the spec.
    pub container_name: String,
    /// The pod's address, if it has one.
    pub container_ips: Vec<String>,
    /// When it was started.
    pub started: Option<Time>,
    /// `sha256:…` out of the image's id.
    pub image_digest: String,
    /// When it ended.
    pub finished: Option<Time>,
    /// Its exit code.
    pub exit_code: i32,
    /// Why it ended.
    pub termination_reason: String,
}

/// `storage.ContainerInstanceID`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceId {
    /// The runtime.
    pub container_runtime: Runtime,
    /// The runtime's id, bare.
    pub id: String,
    /// Name of the node.
    pub node: String,
}

/// `storage.ContainerRuntime`. It has no value for containerd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// Any other.
    #[default]
    Unknown = 0,
    /// Docker.
    Docker = 1,
    /// CRI-O.
    Crio = 2,
}

impl Runtime {
    /// How the enum value is spelled in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN_CONTAINER_RUNTIME",
            Self::Docker => "DOCKER_CONTAINER_RUNTIME",
            Self::Crio => "CRIO_CONTAINER_RUNTIME",
        }
    }
}

impl Pod {
    /// The pod of `entry`. `ended` are instances that are remembered beyond what its status shows.
    #[must_use]
    pub fn of(entry: &PodEntry, ended: &[Instance]) -> Self {
        Self::of_view(&PodView::of(entry), entry, ended)
    }

    /// The same, where the view is at hand.
    #[must_use]
    pub fn of_view(view: &PodView<'_>, entry: &PodEntry, ended: &[Instance]) -> Self {
        let about = About { view, pod: format!("{}.{}@{}", view.name, view.namespace, view.uid) };
        let shown = instance::shown(entry.bytes.status());
        let mut live: Vec<_> = shown.iter().filter(|i| i.end.is_none()).map(|i| about.instance(i)).collect();
        live.sort_by(|a, b| a.instance_id.id.cmp(&b.instance_id.id));
        let running = |id: &str| shown.iter().any(|i| i.end.is_none() && i.id == id);
        let mut buckets: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
        for instance in ended.iter().chain(&shown).filter(|i| i.end.is_some() && !running(&i.id)) {
            let bucket = buckets.entry(&instance.container).or_default();
            if !bucket.iter().any(|known| known.id == instance.id) {
                bucket.push(instance);
            }
        }
        let bucket = |mut instances: Vec<&Instance>| {
            instances.sort_by_key(|i| i.end.as_ref().and_then(|end| end.finished));
            let old = instances.len().saturating_sub(MOST_ENDED);
            instances.into_iter().skip(old).map(|i| about.instance(i)).collect()
        };
        Self {
            id: view.id(),
            name: view.name.to_owned(),
            deployment_id: view.owner_uid().to_owned(),
            namespace: view.namespace.to_owned(),
            cluster_id: String::new(),
            live_instances: live,
            terminated_instances: buckets.into_values().map(bucket).collect(),
            started: view.created.or(view.started),
        }
    }
}

/// What all instances of a pod have in common.
struct About<'a> {
    view: &'a PodView<'a>,
    pod: String,
}

impl About<'_> {
    fn instance(&self, instance: &Instance) -> ContainerInstance {
        let (runtime, id) = instance.id.split_once("://").unwrap_or(("", &instance.id));
        let container_runtime = match runtime {
            "docker" => Runtime::Docker,
            "cri-o" => Runtime::Crio,
            _ => Runtime::Unknown,
        };
        let own_ip = Some(self.view.ip).filter(|ip| instance.end.is_none() && !ip.is_empty());
        let end = instance.end.as_ref();
        ContainerInstance {
            instance_id: InstanceId { container_runtime, id: id.to_owned(), node: self.view.node.to_owned() },
            containing_pod_id: self.pod.clone(),
            container_name: instance.container.clone(),
            container_ips: own_ip.map_or_else(|| instance.ips.clone(), |ip| vec![ip.to_owned()]),
            started: instance.started,
            image_digest: digest(&instance.image_id).to_owned(),
            finished: end.and_then(|end| end.finished),
            exit_code: end.map_or(0, |end| end.exit_code),
            termination_reason: end.map_or_else(String::new, |end| end.reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::instance::End;
    use crate::query::uuid::Uuid;
    use crate::store::testing::replica;

    fn names(pod: &Pod) -> Vec<Vec<&str>> {
        pod.terminated_instances.iter().map(|b| b.iter().map(|i| i.instance_id.id.as_str()).collect()).collect()
    }

    fn ended(container: &str, id: &str, finished: i64) -> Instance {
        let end = End { finished: Some(Time::from_unix(finished)), ..End::default() };
        Instance { container: container.into(), id: id.into(), end: Some(end), ..Instance::default() }
    }

    #[test]
    fn what_runs_is_live_and_what_has_ended_is_not() {
        let entry = replica();
        let pod = Pod::of(&entry, &[]);
        assert_eq!(pod.id, Uuid::of_object("22222222-0000-0000-0000-000000000000").to_string());
        let [live] = pod.live_instances.as_slice() else { panic!("{pod:?}") };
        assert_eq!((live.container_name.as_str(), live.instance_id.id.as_str()), ("app", "a2"));
        assert_eq!(live.containing_pod_id, "web-5d9c-x7.shop@22222222-0000-0000-0000-000000000000");
        assert_eq!(
            (live.container_ips.as_slice(), live.image_digest.as_str()),
            (&["10.0.0.7".to_owned()][..], "sha256:aa")
        );
        assert_eq!((live.instance_id.container_runtime, live.finished), (Runtime::Unknown, None));
        assert_eq!(names(&pod), [["a1"], ["b1"]]);
        let oom = &pod.terminated_instances[0][0];
        assert_eq!((oom.exit_code, oom.termination_reason.as_str()), (137, "OOMKilled"));
    }

    #[test]
    fn remembered_instances_come_first_and_the_oldest_go() {
        let entry = replica();
        let mut kept: Vec<_> = (0..20).map(|n| ended("side", &format!("containerd://s{n}"), n)).collect();
        kept.push(ended("side", "containerd://b1", 30));
        kept.push(ended("app", "containerd://a2", 40)); // which runs, as the status says
        let pod = Pod::of(&entry, &kept);
        let sides = ["s11", "s12", "s13", "s14", "s15", "s16", "s17", "s18", "s19", "b1"];
        assert_eq!(names(&pod), [&["a1"][..], &sides]);
        assert_eq!(pod.live_instances.len(), 1);
    }
}
