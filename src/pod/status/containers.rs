//! Container statuses as the kubelet makes them of what the runtime shows. Source: `kubernetes/kubernetes
//! pkg/kubelet/kubelet_pods.go` (`convertToAPIContainerStatuses`), `pkg/kubelet/prober/prober_manager.go`.

use serde_json::{json, Map, Value};

use super::container_status::{ContainerStatus, State};
use super::instances::{restart_count, Instances};
use super::{message, resources};
use crate::codec::time::Time;
use crate::pod::observed::{Container, ContainerState};
use crate::pod::spec::{ContainerView, PodSpecView};

/// Exit code of a container that vanished.
const VANISHED: i64 = 137;
const VANISHED_REASON: &str = "ContainerStatusUnknown";

/// Which list of the spec a container is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `initContainers`.
    Init,
    /// `containers`.
    Regular,
    /// `ephemeralContainers`.
    Ephemeral,
}

/// What the statuses of one pod are made from.
pub struct Maker<'a> {
    /// The spec; `None` for a pod that only the runtime knows.
    pub spec: Option<&'a PodSpecView>,
    /// Sandboxes and containers.
    pub instances: &'a Instances<'a>,
    /// Prefix of container ids.
    pub runtime_name: &'a str,
    /// The pod goes away: what vanished is not going to be restarted.
    pub terminating: bool,
}

impl Maker<'_> {
    /// The status of a container of the spec. `old` is what was said of it before, by us or by a kubelet.
    #[must_use]
    pub fn status(&self, container: &ContainerView, kind: Kind, old: Option<&ContainerStatus>) -> ContainerStatus {
        let mut instances = self.instances.of(&container.name);
        let Some(newest) = instances.next() else { return self.without_instance(container, kind, old) };
        let mut out = self.of_instance(newest, old);
        if let Some(old) = old {
            remember(&mut out, old);
        }
        if let Some(second) = instances.next().filter(|second| !second.end_unknown) {
            out.last_state = self.state(second, None);
        }
        if out.image.is_empty() {
            out.image.clone_from(&container.image);
        }
        let plain_init = kind == Kind::Init && !container.is_sidecar();
        if plain_init && self.spec.is_some_and(|spec| self.instances.initialized_before(spec, newest)) {
            out.restart_count = out.restart_count.max(1);
        }
        self.judge(container, kind, newest, &mut out);
        let mut put = |key: &str, value: Value| out.rest.insert(key.to_string(), value);
        if !container.volume_mounts.is_empty() {
            put("volumeMounts", volume_mounts(container, Some(newest)));
        }
        put("resources", resources::json(&resources::of_container(container, newest)));
        if !container.resources.requests.is_empty() {
            put("allocatedResources", resources::list_json(&container.resources.requests));
        }
        out
    }

    /// The status of a container that only the runtime knows: which list it is in, and what its readiness depends
    /// on, cannot be seen.
    #[must_use]
    pub fn status_without_spec(&self, name: &str) -> Option<ContainerStatus> {
        let mut instances = self.instances.of(name);
        let mut out = self.of_instance(instances.next()?, None);
        if let Some(second) = instances.next().filter(|second| !second.end_unknown) {
            out.last_state = self.state(second, None);
        }
        out.ready_unknown = out.state.is_running();
        Some(out)
    }

    fn of_instance(&self, newest: &Container, old: Option<&ContainerStatus>) -> ContainerStatus {
        let state = self.state(newest, old);
        let vanished = newest.state == ContainerState::Unknown && state.is_terminated();
        let mut rest = Map::new();
        if let Some(user) = &newest.user {
            let mut linux = json!({"uid": user.uid, "gid": user.gid});
            if let (false, Some(linux)) = (user.supplemental_groups.is_empty(), linux.as_object_mut()) {
                linux.insert("supplementalGroups".into(), json!(user.supplemental_groups));
            }
            rest.insert("user".into(), json!({ "linux": linux }));
        }
        ContainerStatus {
            name: newest.name.clone(),
            state,
            restart_count: match old {
                Some(old) if vanished => old.restart_count + 1,
                _ => restart_count(newest),
            },
            image: newest.image.clone(),
            image_id: newest.image_ref.clone(),
            container_id: self.container_id(newest),
            rest,
            ..ContainerStatus::default()
        }
    }

    fn container_id(&self, instance: &Container) -> String {
        format!("{}://{}", self.runtime_name, instance.id)
    }

    fn state(&self, instance: &Container, old: Option<&ContainerStatus>) -> State {
        let time = |nanos| json!(Time::from_unix_nanos(nanos).to_string());
        match instance.state {
            // As long as only the list of the runtime shows it, the time of its start is not known.
            ContainerState::Running if instance.started_at == 0 => State::Running(json!({"startedAt": null})),
            ContainerState::Running => State::Running(json!({"startedAt": time(instance.started_at)})),
            ContainerState::Created => State::waiting(""),
            // An exit code is not invented: nobody would ever take it back where the policy says never.
            ContainerState::Exited if instance.end_unknown => {
                let same = old.filter(|old| old.bare_id() == instance.id);
                same.map_or_else(|| State::waiting(""), |old| old.state.clone())
            }
            ContainerState::Exited => {
                let containers = self.spec.map_or(1, PodSpecView::container_count);
                let message = message::compose(&instance.message, &instance.termination_log, containers);
                let mut ended = Map::new();
                ended.insert("exitCode".into(), instance.exit_code.into());
                for (key, text) in [("reason", instance.reason.clone()), ("message", message)] {
                    if !text.is_empty() {
                        ended.insert(key.into(), text.into());
                    }
                }
                ended.insert("startedAt".into(), time(instance.started_at));
                ended.insert("finishedAt".into(), time(instance.finished_at));
                ended.insert("containerID".into(), self.container_id(instance).into());
                State::Terminated(Value::Object(ended))
            }
            ContainerState::Unknown if old.is_some_and(|o| o.state.is_running()) => {
                vanished("The container could not be located when the pod was terminated")
            }
            ContainerState::Unknown => State::waiting(""),
        }
    }

    /// Sets `ready` and `started` by the rules that hold without probe results.
    fn judge(&self, container: &ContainerView, kind: Kind, newest: &Container, out: &mut ContainerStatus) {
        if kind == Kind::Ephemeral {
            return;
        }
        if kind == Kind::Init && !container.is_sidecar() {
            out.started = Some(out.state.is_running());
            out.ready = out.state.exit_code() == Some(0);
            return;
        }
        if !out.state.is_running() || newest.end_unknown {
            out.started = Some(false);
            return;
        }
        let successor = || self.spec.is_some_and(|spec| self.instances.successor_made(spec, &container.name, newest));
        let probed = container.startup_probe && !(kind == Kind::Init && successor());
        let hooked = container.post_start && !successor();
        out.started = (!probed && !hooked).then_some(true);
        out.ready = out.started == Some(true) && !container.readiness_probe;
        out.ready_unknown = !out.ready;
    }

    fn without_instance(
        &self,
        container: &ContainerView,
        kind: Kind,
        old: Option<&ContainerStatus>,
    ) -> ContainerStatus {
        if let Some(ended) = old.filter(|o| o.state.is_terminated()) {
            return ended.clone();
        }
        let has_init = self.spec.is_some_and(|s| !s.init_containers.is_empty());
        let mut out = ContainerStatus {
            name: container.name.clone(),
            image: container.image.clone(),
            state: State::waiting(if has_init { "PodInitializing" } else { "ContainerCreating" }),
            started: (kind != Kind::Ephemeral).then_some(false),
            ..ContainerStatus::default()
        };
        if !container.volume_mounts.is_empty() {
            out.rest.insert("volumeMounts".into(), volume_mounts(container, None));
        }
        if let Some(old) = old {
            out.restart_count = old.restart_count;
            out.last_state = old.last_state.clone();
            if old.state.is_running() && !out.last_state.is_terminated() {
                out.last_state = vanished(
                    "The container could not be located when the pod was deleted.  The container used to be Running",
                );
                out.restart_count += i64::from(!self.terminating);
            }
        }
        let gone_by = kind == Kind::Init && !container.is_sidecar();
        if gone_by && self.spec.is_some_and(|spec| self.instances.any_regular(spec)) {
            out.ready = true;
            out.state = State::Terminated(json!({
                "exitCode": 0, "reason": "Completed", "startedAt": null, "finishedAt": null,
                "message": "Unable to get init container status from container runtime and pod has been initialized, \
                            treat it as exited normally",
            }));
        }
        out
    }
}

/// Adds what the runtime has forgotten: the count never falls, and the end of the instance before is kept when its
/// container was removed.
fn remember(out: &mut ContainerStatus, old: &ContainerStatus) {
    let replaced = old.container_id != out.container_id && old.state.is_terminated();
    out.restart_count = out.restart_count.max(old.restart_count + i64::from(replaced && out.state.is_running()));
    out.last_state = if replaced { old.state.clone() } else { old.last_state.clone() };
    for (key, value) in &old.rest {
        out.rest.entry(key.as_str()).or_insert_with(|| value.clone());
    }
}

fn vanished(message: &str) -> State {
    State::Terminated(json!({
        "exitCode": VANISHED, "reason": VANISHED_REASON, "message": message, "startedAt": null, "finishedAt": null,
    }))
}

/// CRI has no names of volumes, so the spec's mounts are repeated. Whether a recursive read-only mount was had is
/// taken from the runtime, and left out before there is a container.
fn volume_mounts(container: &ContainerView, instance: Option<&Container>) -> Value {
    let mount = |m: &crate::pod::spec::VolumeMountView| {
        let mut out = json!({"name": m.name, "mountPath": m.mount_path});
        let Some(fields) = out.as_object_mut().filter(|_| m.read_only) else { return out };
        fields.insert("readOnly".into(), true.into());
        let had = instance.and_then(|i| i.mounts.iter().find(|had| had.container_path == m.mount_path));
        let recursive = match had {
            _ if !m.wants_recursive_read_only => Some(false),
            Some(had) => Some(had.recursive_read_only),
            None => None,
        };
        if let Some(recursive) = recursive {
            fields.insert("recursiveReadOnly".into(), if recursive { "Enabled" } else { "Disabled" }.into());
        }
        out
    };
    Value::Array(container.volume_mounts.iter().map(mount).collect())
}
