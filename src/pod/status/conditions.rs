//! Pod conditions. Sources: `kubernetes/kubernetes pkg/kubelet/status/generate.go`,
//! `pkg/kubelet/kuberuntime/util` (`PodSandboxChanged`), `pkg/kubelet/kubelet_pods.go` (order).

use serde_json::{json, Map, Value};

use super::container_status::ContainerStatus;
use super::instances::Instances;
use super::phase::Phase;
use crate::codec::time::Time;
use crate::pod::spec::{ContainerView, PodSpecView};

/// Reason of ours: only a probe or hook result decides, and the runtime does not show it.
pub const PROBE_RESULT_UNKNOWN: &str = "ProbeResultUnknown";
/// Reason of ours: conditions that readiness gates name are set through the API, which we do not see.
pub const READINESS_GATES_UNKNOWN: &str = "ReadinessGatesUnknown";
/// Reason of ours: the runtime has not answered, or there is none.
pub const CONTAINERS_NOT_SEEN: &str = "ContainersNotSeen";

const READY: &str = "Ready";
const CONTAINERS_READY: &str = "ContainersReady";
const INITIALIZED: &str = "Initialized";
const NETWORK: &str = "PodReadyToStartContainers";
const SCHEDULED: &str = "PodScheduled";
const RESTARTING_ALL: &str = "AllContainersRestarting";
/// The conditions that the kubelet derives anew with each status.
const DERIVED: [&str; 6] = [NETWORK, INITIALIZED, READY, CONTAINERS_READY, SCHEDULED, RESTARTING_ALL];

/// A condition without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `type`.
    pub kind: &'static str,
    /// `status`: `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// `reason`, may be empty.
    pub reason: &'static str,
    /// `message`, may be empty.
    pub message: String,
}

impl Condition {
    const fn new(kind: &'static str, status: &'static str, reason: &'static str, message: String) -> Self {
        Self { kind, status, reason, message }
    }

    const fn holds(kind: &'static str) -> Self {
        Self::new(kind, "True", "", String::new())
    }

    const fn fails(kind: &'static str) -> Self {
        Self::new(kind, "False", "", String::new())
    }
}

/// What conditions are derived from.
pub struct ConditionInput<'a> {
    /// The spec.
    pub spec: &'a PodSpecView,
    /// The pod comes from a manifest: nobody can set conditions for its readiness gates.
    pub is_static: bool,
    /// Init container statuses, then regular ones.
    pub statuses: &'a [ContainerStatus],
    /// The phase.
    pub phase: Phase,
    /// Sandboxes and containers.
    pub instances: &'a Instances<'a>,
    /// Conditions that others set: of the base status.
    pub given: &'a [Value],
}

/// The derived conditions in the kubelet's order.
#[must_use]
pub fn derive(input: &ConditionInput<'_>) -> Vec<Condition> {
    let containers = containers_ready(input);
    let mut out = vec![
        network_ready(input.spec.host_network, input.instances),
        initialized(input),
        ready(input, &containers),
        containers,
        Condition::holds(SCHEDULED),
    ];
    let all_restart = |c: &ContainerView| c.restart_rules.iter().any(|r| r.action == "RestartAllContainers");
    if input.spec.startable().any(all_restart) {
        out.push(Condition::fails(RESTARTING_ALL));
    }
    out
}

/// `Ready` and `ContainersReady` of a pod whose containers nobody sees.
#[must_use]
pub fn not_seen() -> Vec<Condition> {
    let message = "the container runtime has not answered, so the containers cannot be seen";
    [READY, CONTAINERS_READY].map(|kind| Condition::new(kind, "Unknown", CONTAINERS_NOT_SEEN, message.into())).into()
}

/// Whether containers can be started: one ready sandbox, the newest, in the right network and with an address.
#[must_use]
pub fn network_ready(host_network: bool, instances: &Instances<'_>) -> Condition {
    let fits = |s: &&crate::pod::observed::Sandbox| {
        s.ready && s.host_network == host_network && (host_network || !s.ips.is_empty())
    };
    match instances.sandbox().filter(fits) {
        Some(_) if instances.ready_sandboxes() == 1 => Condition::holds(NETWORK),
        _ => Condition::fails(NETWORK),
    }
}

fn status_of<'a>(input: &ConditionInput<'a>, name: &str) -> Option<&'a ContainerStatus> {
    input.statuses.iter().find(|s| s.name == name)
}

/// A list of names as Go prints it.
fn names(of: &[&str]) -> String {
    format!("[{}]", of.join(" "))
}

fn join(parts: &[(&str, &[&str])]) -> String {
    let texts = parts.iter().filter(|(_, of)| !of.is_empty());
    texts.map(|(what, of)| format!("containers with {what} status: {}", names(of))).collect::<Vec<_>>().join(", ")
}

fn initialized(input: &ConditionInput<'_>) -> Condition {
    if input.statuses.is_empty() && !input.spec.init_containers.is_empty() {
        return Condition::new(INITIALIZED, "False", "UnknownContainerStatuses", String::new());
    }
    let (mut absent, mut incomplete, mut unsure) = (Vec::new(), Vec::new(), Vec::new());
    for container in &input.spec.init_containers {
        let name = container.name.as_str();
        match status_of(input, name) {
            None => absent.push(name),
            Some(s) if !container.is_sidecar() && !s.ready => incomplete.push(name),
            Some(s) if container.is_sidecar() && s.started == Some(false) => incomplete.push(name),
            Some(s) if container.is_sidecar() && s.started.is_none() => unsure.push(name),
            Some(_) => {}
        }
    }
    if input.phase == Phase::Succeeded && absent.is_empty() {
        return Condition::new(INITIALIZED, "True", "PodCompleted", String::new());
    }
    let has_run = |s: &ContainerStatus| s.state.is_running() || s.state.is_terminated();
    if input.spec.containers.iter().any(|c| status_of(input, &c.name).is_some_and(has_run)) {
        return Condition::holds(INITIALIZED);
    }
    let message = join(&[("unknown", &absent), ("incomplete", &incomplete)]);
    if !message.is_empty() {
        return Condition::new(INITIALIZED, "False", "ContainersNotInitialized", message);
    }
    if unsure.is_empty() {
        return Condition::holds(INITIALIZED);
    }
    Condition::new(INITIALIZED, "Unknown", PROBE_RESULT_UNKNOWN, unsure_message("started", &unsure))
}

fn unsure_message(what: &str, of: &[&str]) -> String {
    format!("whether {} have {what} depends on probes or hooks whose results only the kubelet knows", names(of))
}

fn containers_ready(input: &ConditionInput<'_>) -> Condition {
    let make = |status, reason, message| Condition::new(CONTAINERS_READY, status, reason, message);
    if input.statuses.is_empty() {
        return make("False", "UnknownContainerStatuses", String::new());
    }
    let (mut absent, mut unready, mut unsure) = (Vec::new(), Vec::new(), Vec::new());
    let sidecars = input.spec.init_containers.iter().filter(|c| c.is_sidecar());
    for container in sidecars.chain(&input.spec.containers) {
        let name = container.name.as_str();
        match status_of(input, name) {
            None => absent.push(name),
            Some(s) if s.ready => {}
            Some(s) if s.ready_unknown => unsure.push(name),
            Some(_) => unready.push(name),
        }
    }
    if input.phase == Phase::Succeeded && absent.is_empty() {
        return make("False", "PodCompleted", String::new());
    }
    if input.phase == Phase::Failed {
        return make("False", "PodFailed", String::new());
    }
    let message = join(&[("unknown", &absent), ("unready", &unready)]);
    if !message.is_empty() {
        return make("False", "ContainersNotReady", message);
    }
    if unsure.is_empty() {
        return Condition::holds(CONTAINERS_READY);
    }
    make("Unknown", PROBE_RESULT_UNKNOWN, unsure_message("become ready", &unsure))
}

fn ready(input: &ConditionInput<'_>, containers: &Condition) -> Condition {
    if containers.status != "True" {
        return Condition { kind: READY, ..containers.clone() };
    }
    let (mut failing, mut unseen) = (Vec::new(), Vec::new());
    for gate in &input.spec.readiness_gates {
        match input.given.iter().find(|c| text(c, "type") == gate).map(|c| text(c, "status")) {
            None if input.is_static => {
                failing.push(format!("corresponding condition of pod readiness gate {gate:?} does not exist."));
            }
            None => unseen.push(gate.as_str()),
            Some("True") => {}
            Some(status) => {
                failing.push(format!("the status of pod readiness gate {gate:?} is not \"True\", but {status}"));
            }
        }
    }
    if !failing.is_empty() {
        return Condition::new(READY, "False", "ReadinessGatesNotReady", failing.join(", "));
    }
    if unseen.is_empty() {
        return Condition::holds(READY);
    }
    let message =
        format!("the conditions of readiness gates {} are set through the API, which is not seen", names(&unseen));
    Condition::new(READY, "Unknown", READINESS_GATES_UNKNOWN, message)
}

fn text<'a>(condition: &'a Value, key: &str) -> &'a str {
    condition.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The JSON list: conditions of others first, as they came, then the derived ones. A transition time is kept while
/// the status stays what it was in one of `before` (the first that has the condition decides); else it is `now`.
#[must_use]
pub fn into_json(derived: Vec<Condition>, before: &[&[Value]], given: &[Value], generation: i64, now: i64) -> Value {
    let foreign = given.iter().filter(|c| !DERIVED.contains(&text(c, "type"))).cloned();
    let mut out: Vec<Value> = foreign.collect();
    for condition in derived {
        let same = before
            .iter()
            .find_map(|list| list.iter().find(|c| text(c, "type") == condition.kind))
            .filter(|c| text(c, "status") == condition.status);
        let mut json = Map::new();
        json.insert("type".into(), condition.kind.into());
        json.insert("status".into(), condition.status.into());
        json.insert("lastProbeTime".into(), Value::Null);
        let since = same.and_then(|c| c.get("lastTransitionTime")).filter(|t| t.is_string()).cloned();
        let since = since.unwrap_or_else(|| json!(Time::from_unix(now).to_string()));
        json.insert("lastTransitionTime".into(), since);
        if generation != 0 {
            json.insert("observedGeneration".into(), generation.into());
        }
        for (key, value) in [("reason", condition.reason), ("message", condition.message.as_str())] {
            if !value.is_empty() {
                json.insert(key.into(), value.into());
            }
        }
        out.push(Value::Object(json));
    }
    Value::Array(out)
}
