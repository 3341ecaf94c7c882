//! Puts a status together: which sources there are decides what can be said.

use serde_json::{json, Map, Value};

use super::conditions::{self, ConditionInput};
use super::container_status::{list, ContainerStatus};
use super::containers::{Kind, Maker};
use super::instances::Instances;
use super::phase::{self, Phase, PhaseInput};
use super::{addresses, admission, base, resources, PodKind, StatusInput};
use crate::codec::time::Time;
use crate::pod::qos;
use crate::pod::spec::{ContainerView, PodSpecView};

/// The statuses of one pod's containers, by list.
struct Statuses {
    init: Vec<ContainerStatus>,
    regular: Vec<ContainerStatus>,
    ephemeral: Vec<ContainerStatus>,
}

type Fields = Map<String, Value>;

/// Derives one status from its input and the ordered view of the runtime.
pub struct Deriver<'a> {
    /// Everything that is known.
    pub input: &'a StatusInput<'a>,
    /// The pod's sandboxes and containers, ordered.
    pub instances: &'a Instances<'a>,
}

impl<'a> Deriver<'a> {
    /// The fields of the `PodStatus`.
    #[must_use]
    pub fn status(&self) -> Fields {
        match (self.input.base, self.input.spec) {
            (Some(base), spec) => self.by_base(base, spec),
            (None, Some(spec)) => self.by_spec(spec),
            (None, None) => self.by_runtime(),
        }
    }

    /// From the spec and the runtime.
    fn by_spec(&self, spec: &'a PodSpecView) -> Fields {
        let input = self.input;
        let mut out = Fields::new();
        let never_ran = self.instances.sandbox().is_none() && self.previous_containers() == 0;
        if never_ran && input.held_back {
            out.insert("phase".into(), Phase::Pending.as_str().into());
            return out;
        }
        self.put_start_time(&mut out);
        out.insert("qosClass".into(), qos::class(spec).into());
        if !input.runtime_seen {
            return self.unseen(out);
        }
        if never_ran && admission::doubt(spec, input.node).is_some() {
            out.insert("phase".into(), Phase::Pending.as_str().into());
            return out;
        }
        let old = |key| input.previous.map(|p| list(p, key)).unwrap_or_default();
        let statuses = Statuses {
            init: self.statuses(&spec.init_containers, Kind::Init, &old("initContainerStatuses"), false),
            regular: self.statuses(&spec.containers, Kind::Regular, &old("containerStatuses"), false),
            ephemeral: self.statuses(
                &spec.ephemeral_containers,
                Kind::Ephemeral,
                &old("ephemeralContainerStatuses"),
                false,
            ),
        };
        self.put_generation(&mut out, spec);
        let sums = resources::of_pod(spec);
        out.insert("resources".into(), resources::json(&sums));
        if !sums.requests.is_empty() {
            out.insert("allocatedResources".into(), resources::list_json(&sums.requests));
        }
        self.put_addresses(&mut out, spec.host_network);
        self.finish(out, spec, statuses, &[])
    }

    /// A given status, corrected where the runtime shows a newer or an ended container.
    fn by_base(&self, base: &'a Value, spec: Option<&'a PodSpecView>) -> Fields {
        let fields = base.as_object().cloned().unwrap_or_default();
        let (Some(spec), true) = (spec, self.input.runtime_seen) else { return fields };
        let keys = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
        let [init, regular, ephemeral] = keys.map(|key| list(base, key));
        let holds = |given: &ContainerStatus| base::holds(given, self.instances, self.input.now);
        let given = || init.iter().chain(&regular).chain(&ephemeral);
        let unnamed =
            |c: &ContainerView| given().all(|g| g.name != c.name) && self.instances.of(&c.name).next().is_some();
        let mut out = fields;
        if out.get("podIP").is_none() {
            self.put_addresses(&mut out, spec.host_network);
        }
        if given().all(holds) && !spec.startable().chain(&spec.ephemeral_containers).any(unnamed) {
            return out;
        }
        let statuses = Statuses {
            init: self.statuses(&spec.init_containers, Kind::Init, &init, true),
            regular: self.statuses(&spec.containers, Kind::Regular, &regular, true),
            ephemeral: self.statuses(&spec.ephemeral_containers, Kind::Ephemeral, &ephemeral, true),
        };
        let ips = addresses::of_sandbox(self.instances);
        if !ips.is_empty() {
            put_ips(&mut out, &ips);
        }
        let conditions = base.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        self.finish(out, spec, statuses, conditions)
    }

    /// Adds phase, conditions and container statuses.
    fn finish(&self, mut out: Fields, spec: &'a PodSpecView, statuses: Statuses, given: &[Value]) -> Fields {
        let input = self.input;
        let of = |c: &ContainerView| {
            let mut all = statuses.init.iter().chain(&statuses.regular);
            all.find(|s| s.name == c.name)
        };
        let ends_for_good = input.terminating && input.kind != PodKind::Static;
        let phase_input = PhaseInput { initialized: self.instances.initialized(spec), ends_for_good };
        let phase = self.settled().unwrap_or_else(|| phase::phase(spec, of, phase_input));
        if out.get("phase").and_then(Value::as_str).is_some_and(|before| before != phase.as_str()) {
            out.remove("reason");
            out.remove("message");
        }
        out.insert("phase".into(), phase.as_str().into());
        let both: Vec<ContainerStatus> = statuses.init.iter().chain(&statuses.regular).cloned().collect();
        let derived = conditions::derive(&ConditionInput {
            spec,
            is_static: input.kind == PodKind::Static,
            statuses: &both,
            phase,
            instances: self.instances,
            given,
        });
        let before = self.previous_conditions();
        let before = [given, before];
        let conditions = conditions::into_json(derived, &before, given, spec.generation, input.now);
        out.insert("conditions".into(), conditions);
        put_statuses(&mut out, statuses);
        out
    }

    /// The runtime has not answered: the last known state without any claim about readiness.
    fn unseen(&self, mut out: Fields) -> Fields {
        let previous = self.input.previous;
        if let Some(previous) = previous.and_then(Value::as_object) {
            out.extend(previous.clone());
        }
        for key in ["containerStatuses", "initContainerStatuses"] {
            for status in out.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
                let running = status.pointer("/state/running").is_some();
                if let Some(fields) = status.as_object_mut().filter(|_| running) {
                    fields.insert("ready".into(), false.into());
                    fields.remove("started");
                }
            }
        }
        let before = self.previous_conditions();
        let derived = conditions::not_seen();
        let kept = before.iter().filter(|c| derived.iter().all(|d| c.get("type") != Some(&json!(d.kind)))).cloned();
        let mut all: Vec<Value> = kept.collect();
        if let Value::Array(unknown) = conditions::into_json(derived, &[before], &[], 0, self.input.now) {
            all.extend(unknown);
        }
        out.insert("conditions".into(), Value::Array(all));
        out.entry("phase").or_insert_with(|| Phase::Pending.as_str().into());
        out
    }

    /// A pod that only the runtime knows. Which containers are missing, which are init containers, what is restarted
    /// and what is ready would stand in the spec.
    fn by_runtime(&self) -> Fields {
        let input = self.input;
        let mut out = Fields::new();
        self.put_start_time(&mut out);
        let maker = self.maker();
        let mut names: Vec<&str> = self.instances.containers().iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let regular: Vec<ContainerStatus> = names.into_iter().filter_map(|n| maker.status_without_spec(n)).collect();
        let phase = self.settled().unwrap_or_else(|| self.phase_without_spec(&regular));
        out.insert("phase".into(), phase.as_str().into());
        if phase == Phase::Unknown {
            out.insert("reason".into(), "RestartPolicyUnknown".into());
            let message =
                "every container has ended, and whether they are restarted stands in a spec that nobody showed";
            out.insert("message".into(), message.into());
        }
        let host_network = self.instances.sandbox().is_some_and(|s| s.host_network);
        let network = vec![conditions::network_ready(host_network, self.instances)];
        let conditions = conditions::into_json(network, &[self.previous_conditions()], &[], 0, input.now);
        out.insert("conditions".into(), conditions);
        self.put_addresses(&mut out, host_network);
        put_statuses(&mut out, Statuses { init: Vec::new(), regular, ephemeral: Vec::new() });
        out
    }

    fn phase_without_spec(&self, statuses: &[ContainerStatus]) -> Phase {
        let ended = |s: &ContainerStatus| s.state.is_terminated();
        if statuses.iter().any(|s| s.state.is_running()) {
            return Phase::Running;
        }
        if statuses.is_empty() || !statuses.iter().all(ended) {
            return Phase::Pending;
        }
        // a policy that has restarted a failed container before does so again
        let failed_again = |s: &ContainerStatus| s.restart_count > 0 && s.state.exit_code() != Some(0);
        let sandbox_ready = self.instances.sandbox().is_some_and(|s| s.ready);
        if sandbox_ready && statuses.iter().any(failed_again) {
            return Phase::Running;
        }
        Phase::Unknown
    }

    fn maker(&self) -> Maker<'a> {
        Maker {
            spec: self.input.spec,
            instances: self.instances,
            runtime_name: self.input.runtime_name,
            terminating: self.input.terminating,
        }
    }

    /// Statuses in the order of their list: init containers as in the spec, others by name.
    fn statuses(
        &self,
        views: &[ContainerView],
        kind: Kind,
        old: &[ContainerStatus],
        given: bool,
    ) -> Vec<ContainerStatus> {
        let maker = self.maker();
        let one = |view: &ContainerView| {
            let old = old.iter().find(|o| o.name == view.name);
            match old.filter(|o| given && base::holds(o, self.instances, self.input.now)) {
                Some(stands) => stands.clone(),
                None => maker.status(view, kind, old),
            }
        };
        let mut out: Vec<ContainerStatus> = views.iter().map(one).collect();
        if kind != Kind::Init {
            out.sort_by(|a, b| a.name.cmp(&b.name));
        }
        out
    }

    /// The phase that the pod has reached for good.
    fn settled(&self) -> Option<Phase> {
        let said = [self.input.base, self.input.previous].into_iter().flatten();
        let mut phases = said.filter_map(|s| Phase::parse(s.get("phase")?.as_str()?));
        phases.find(|p| p.is_terminal())
    }

    fn previous_conditions(&self) -> &'a [Value] {
        let conditions = self.input.previous.and_then(|p| p.get("conditions")).and_then(Value::as_array);
        conditions.map_or(&[], Vec::as_slice)
    }

    fn previous_containers(&self) -> usize {
        self.input.previous.map_or(0, |p| list(p, "containerStatuses").iter().filter(|c| !c.state.is_waiting()).count())
    }

    fn put_start_time(&self, out: &mut Fields) {
        let known = self.input.previous.and_then(|p| p.get("startTime")).filter(|t| t.is_string()).cloned();
        let time = known.unwrap_or_else(|| json!(Time::from_unix(self.input.first_seen).to_string()));
        out.insert("startTime".into(), time);
    }

    fn put_generation(&self, out: &mut Fields, spec: &PodSpecView) {
        if spec.generation != 0 {
            out.insert("observedGeneration".into(), spec.generation.into());
        }
    }

    /// Addresses of the newest sandbox; those of a stopped one are remembered, as the kubelet remembers them.
    fn put_addresses(&self, out: &mut Fields, host_network: bool) {
        let ips = addresses::of_sandbox(self.instances);
        if !ips.is_empty() {
            put_ips(out, &ips);
        } else if !host_network {
            for key in ["podIP", "podIPs"] {
                if let Some(known) = self.input.previous.and_then(|p| p.get(key)) {
                    out.insert(key.into(), known.clone());
                }
            }
        }
    }
}

fn put_ips(out: &mut Fields, ips: &[String]) {
    if let Some(first) = ips.first() {
        out.insert("podIP".into(), first.as_str().into());
        out.insert("podIPs".into(), ips.iter().map(|ip| json!({ "ip": ip })).collect());
    }
}

fn put_statuses(out: &mut Fields, statuses: Statuses) {
    let lists = [
        ("initContainerStatuses", statuses.init),
        ("containerStatuses", statuses.regular),
        ("ephemeralContainerStatuses", statuses.ephemeral),
    ];
    for (key, list) in lists {
        out.remove(key);
        if !list.is_empty() {
            out.insert(key.into(), list.into_iter().map(ContainerStatus::into_json).collect());
        }
    }
}
