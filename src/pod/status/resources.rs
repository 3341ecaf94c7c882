//! The resources that a status repeats: of each container, and of the pod as a whole.
//!
//! Sources: `kubernetes/kubernetes pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/kuberuntime` (what CRI reports),
//! `kubernetes/component-helpers resource/helpers.go` (sums).

use serde_json::{Map, Value};

use crate::codec::quantity::{Format, Quantity};
use crate::pod::observed::{Container, ContainerState, LinuxResources};
use crate::pod::spec::{ContainerView, PodSpecView, ResourceList, Resources};

/// Below this many thousandths of a CPU a limit cannot be told from the kernel's least.
const LEAST_CPU_LIMIT: i64 = 10;
/// The kernel's least `cpu.shares`.
const LEAST_CPU_SHARES: i64 = 2;

/// `resources` of a container status: what the spec says, corrected by what the runtime applies while it runs.
#[must_use]
pub fn of_container(container: &ContainerView, instance: &Container) -> Resources {
    let mut out = container.resources.clone();
    let applied = instance.resources.as_ref().filter(|_| instance.state == ContainerState::Running);
    let Some(applied) = applied else { return out };
    if !out.limits.is_empty() {
        set_cpu(&mut out.limits, cpu_limit(applied), LEAST_CPU_LIMIT);
        if applied.memory_limit_in_bytes > 0 {
            let memory = Quantity::from_value(applied.memory_limit_in_bytes, Format::BinarySi);
            out.limits.insert("memory".into(), memory);
        }
    }
    if !out.requests.is_empty() {
        set_cpu(&mut out.requests, cpu_request(applied), LEAST_CPU_SHARES);
    }
    out
}

/// Sets the CPU that is applied, unless it and the wanted one are both at the least that can be applied.
fn set_cpu(list: &mut ResourceList, milli: i64, least: i64) {
    let wanted = list.get("cpu").map_or(0, Quantity::milli_value);
    if milli > 0 && (milli > least || wanted > least) {
        list.insert("cpu".into(), Quantity::from_milli(milli, Format::DecimalSi));
    }
}

fn cpu_limit(applied: &LinuxResources) -> i64 {
    if applied.cpu_period <= 0 || applied.cpu_quota <= 0 {
        return 0;
    }
    applied.cpu_quota.saturating_mul(1000) / applied.cpu_period
}

fn cpu_request(applied: &LinuxResources) -> i64 {
    if applied.cpu_shares <= 0 {
        return 0;
    }
    // rounded up: shares were rounded down from milli CPUs
    applied.cpu_shares.saturating_mul(1000).saturating_add(1023) / 1024
}

/// What the pod as a whole requests and may use: regular containers and sidecars added up, or the hungriest moment
/// of initialisation where that is more; pod-level resources before both; overhead on top.
#[must_use]
pub fn of_pod(spec: &PodSpecView) -> Resources {
    let pod = spec.resources.clone().unwrap_or_default();
    let mut requests = total(spec, |c| &c.resources.requests);
    requests.extend(pod.requests.into_iter().filter(|(name, _)| counts_for_pod(name)));
    for (name, amount) in &spec.overhead {
        add(&mut requests, name, amount);
    }
    let mut limits = total(spec, |c| &c.resources.limits);
    limits.extend(pod.limits.into_iter().filter(|(name, _)| counts_for_pod(name)));
    for (name, amount) in &spec.overhead {
        if limits.get(name).is_some_and(|limit| !limit.is_zero()) {
            add(&mut limits, name, amount);
        }
    }
    Resources { limits, requests }
}

fn counts_for_pod(resource: &str) -> bool {
    resource == "cpu" || resource == "memory" || resource.starts_with("hugepages-")
}

fn total(spec: &PodSpecView, list: impl Fn(&ContainerView) -> &ResourceList) -> ResourceList {
    let mut sum = ResourceList::new();
    spec.containers.iter().flat_map(&list).for_each(|(name, amount)| add(&mut sum, name, amount));
    let (mut sidecars, mut most) = (ResourceList::new(), ResourceList::new());
    for container in &spec.init_containers {
        let mut at_once = sidecars.clone();
        list(container).iter().for_each(|(name, amount)| add(&mut at_once, name, amount));
        if container.is_sidecar() {
            list(container).iter().for_each(|(name, amount)| add(&mut sum, name, amount));
            sidecars.clone_from(&at_once);
        }
        raise(&mut most, at_once);
    }
    raise(&mut sum, most);
    sum
}

fn add(to: &mut ResourceList, name: &str, amount: &Quantity) {
    let sum = to.get(name).map_or_else(|| amount.clone(), |so_far| so_far.plus(amount));
    to.insert(name.to_string(), sum);
}

fn raise(to: &mut ResourceList, other: ResourceList) {
    for (name, amount) in other {
        if to.get(&name).is_none_or(|so_far| *so_far < amount) {
            to.insert(name, amount);
        }
    }
}

/// The JSON form of a list of amounts.
#[must_use]
pub fn list_json(list: &ResourceList) -> Value {
    Value::Object(list.iter().map(|(name, amount)| (name.clone(), amount.as_str().into())).collect())
}

/// The JSON form of `ResourceRequirements`, empty lists left out.
#[must_use]
pub fn json(resources: &Resources) -> Value {
    let lists = [("limits", &resources.limits), ("requests", &resources.requests)];
    let set = lists.into_iter().filter(|(_, list)| !list.is_empty());
    Value::Object(set.map(|(key, list)| (key.to_string(), list_json(list))).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as j;

    #[test]
    fn applied_values_are_canonical() {
        let limits = j!({"requests": {"cpu": "0.25", "memory": "16Mi"}, "limits": {"memory": "67108864"}});
        let spec = PodSpecView::from_json(&j!({}), &j!({"containers": [{"resources": limits}]}));
        let applied = LinuxResources {
            cpu_period: 100_000,
            cpu_shares: 256,
            memory_limit_in_bytes: 64 << 20,
            ..Default::default()
        };
        let mut instance = Container { state: ContainerState::Running, resources: Some(applied), ..Default::default() };
        let got = |instance: &Container| json(&of_container(&spec.containers[0], instance));
        assert_eq!(got(&instance), j!({"requests": {"cpu": "250m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}));
        instance.state = ContainerState::Exited;
        assert_eq!(got(&instance)["limits"], j!({"memory": "67108864"}));
    }

    #[test]
    fn least_cpu_keeps_the_spec() {
        let spec = j!({"containers": [{"resources": {"requests": {"cpu": "1m"}, "limits": {"cpu": "5m"}}}]});
        let spec = PodSpecView::from_json(&j!({}), &spec);
        let applied = LinuxResources { cpu_period: 100_000, cpu_quota: 1000, cpu_shares: 2, ..Default::default() };
        let instance = Container { state: ContainerState::Running, resources: Some(applied), ..Default::default() };
        let got = of_container(&spec.containers[0], &instance);
        assert_eq!(json(&got), j!({"requests": {"cpu": "1m"}, "limits": {"cpu": "5m"}}));
    }

    #[test]
    fn sums_of_a_pod() {
        let c = |cpu: &str| j!({"resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}});
        let sidecar = |cpu: &str| j!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}});
        let table = [
            (j!({"containers": [{}]}), j!({})),
            (j!({"containers": [c("100m"), c("150m")]}), j!({"requests": {"cpu": "250m"}, "limits": {"cpu": "250m"}})),
            (
                j!({"containers": [c("1")], "initContainers": [c("2")]}),
                j!({"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}),
            ),
            (
                j!({"containers": [c("1")], "initContainers": [sidecar("1"), c("2")]}),
                j!({"requests": {"cpu": "3"}, "limits": {"cpu": "2"}}),
            ),
            (
                j!({"containers": [c("1")], "resources": {"requests": {"cpu": "5"}}, "overhead": {"cpu": "1"}}),
                j!({"requests": {"cpu": "6"}, "limits": {"cpu": "2"}}),
            ),
        ];
        for (spec, want) in table {
            assert_eq!(json(&of_pod(&PodSpecView::from_json(&j!({}), &spec))), want, "{spec}");
        }
    }
}
