//! Defaults of requests and limits.
//!
//! Source: `kubernetes/kubernetes pkg/apis/core/v1/defaults.go` (SetDefaults_Pod, SetDefaults_ResourceList,
//! defaultPodRequests), `kubernetes/component-helpers resource/helpers.go` (AggregateContainerRequests).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{items, made, object, Object};
use crate::codec::quantity::Quantity;

/// A limit without a request is the request too.
pub fn requests_from_limits(resources: &mut Object) {
    let Some(limits) = object(resources, "limits").map(|l| l.clone()) else { return };
    if limits.is_empty() {
        return;
    }
    let Some(requests) = made(resources, "requests") else { return };
    for (name, limit) in limits {
        requests.entry(name).or_insert(limit);
    }
}

/// Requests of the pod as a whole, where `spec.resources` has limits: the sum of what the containers ask for, else
/// the limit.
pub fn pod_requests(spec: &mut Object) {
    let Some(limits) = object(spec, "resources").and_then(|r| object(r, "limits")).map(|l| l.clone()) else { return };
    if limits.is_empty() {
        return;
    }
    let asked = container_requests(spec);
    let Some(requests) = object(spec, "resources").and_then(|r| made(r, "requests")) else { return };
    for (name, amount) in asked {
        if matches!(name.as_str(), "cpu" | "memory") {
            requests.entry(name).or_insert_with(|| Value::String(amount.to_string()));
        }
    }
    for (name, limit) in limits {
        if matches!(name.as_str(), "cpu" | "memory") || name.starts_with("hugepages-") {
            requests.entry(name).or_insert(limit);
        }
    }
}

type Amounts = BTreeMap<String, Quantity>;

/// What the containers need at the moment in which they need most: all regular containers and sidecars together, or
/// one init container beside the sidecars started before it.
fn container_requests(spec: &mut Object) -> Amounts {
    let mut running = Amounts::new();
    for container in items(spec, "containers") {
        add(&mut running, &requests(container));
    }
    let (mut sidecars, mut starting) = (Amounts::new(), Amounts::new());
    for container in items(spec, "initContainers") {
        let mut asked = requests(container);
        if container.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
            add(&mut running, &asked);
            add(&mut sidecars, &asked);
            asked.clone_from(&sidecars);
        } else {
            add(&mut asked, &sidecars);
        }
        raise(&mut starting, &asked);
    }
    raise(&mut running, &starting);
    running
}

fn requests(container: &mut Object) -> Amounts {
    let list = object(container, "resources").and_then(|r| object(r, "requests"));
    let Some(list) = list else { return Amounts::new() };
    list.iter().filter_map(|(name, value)| Some((name.clone(), parse(value)?))).collect()
}

fn add(to: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = to.get(name).map_or_else(|| amount.clone(), |have| have.plus(amount));
        to.insert(name.clone(), sum);
    }
}

fn raise(to: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        if to.get(name).is_none_or(|have| amount > have) {
            to.insert(name.clone(), amount.clone());
        }
    }
}

/// Rounds the quantities of a resource list up to milli, the finest that the API keeps there.
pub fn round(parent: &mut Object, list: &str) {
    for value in object(parent, list).into_iter().flat_map(Object::values_mut) {
        if let Some(amount) = parse(value) {
            *value = Value::String(amount.round_up_to_milli().to_string());
        }
    }
}

fn parse(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}
