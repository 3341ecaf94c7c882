//! The quality of service class of a pod. Source: `kubernetes/kubernetes pkg/apis/core/v1/helper/qos/qos.go`.

use super::spec::{PodSpecView, ResourceList, Resources};
use crate::codec::quantity::Quantity;

const BOTH: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`. Only CPU and memory count, and pod-level resources instead of the
/// containers' where they are set.
#[must_use]
pub fn class(spec: &PodSpecView) -> &'static str {
    let (mut requests, mut limits) = (ResourceList::new(), ResourceList::new());
    let mut guaranteed = true;
    let mut count = |resources: &Resources| {
        add(&mut requests, &resources.requests);
        guaranteed &= add(&mut limits, &resources.limits) == BOTH.len();
    };
    match &spec.resources {
        Some(pod) => count(pod),
        None => spec.startable().for_each(|c| count(&c.resources)),
    }
    if requests.is_empty() && limits.is_empty() {
        return "BestEffort";
    }
    let equal = requests.len() == limits.len()
        && requests.iter().all(|(name, request)| limits.get(name).is_some_and(|limit| limit == request));
    if guaranteed && equal {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Adds CPU and memory where they are more than nothing; how many were.
fn add(total: &mut ResourceList, more: &ResourceList) -> usize {
    let counted = BOTH.iter().filter_map(|name| Some((*name, more.get(*name).filter(|q| is_positive(q))?)));
    counted
        .map(|(name, amount)| {
            let sum = total.get(name).map_or_else(|| amount.clone(), |so_far| so_far.plus(amount));
            total.insert(name.to_string(), sum);
        })
        .count()
}

fn is_positive(amount: &Quantity) -> bool {
    amount.value() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    #[test]
    fn classes() {
        let full =
            |cpu: &str| json!({"requests": {"cpu": cpu, "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}});
        let c = |resources: Value| json!({ "resources": resources });
        let table = [
            (json!({"containers": [{}]}), "BestEffort"),
            (json!({"containers": [c(json!({"requests": {"cpu": "0"}}))]}), "BestEffort"),
            (json!({"containers": [c(json!({"requests": {"ephemeral-storage": "1Gi"}}))]}), "BestEffort"),
            (json!({"containers": [c(json!({"requests": {"cpu": "1m"}}))]}), "Burstable"),
            (json!({"containers": [c(full("1000m"))]}), "Guaranteed"),
            (json!({"containers": [c(full("999m"))]}), "Burstable"),
            (json!({"containers": [c(json!({"limits": {"cpu": "1", "memory": "1Gi"}}))]}), "Burstable"),
            (json!({"containers": [c(full("1")), {}]}), "Burstable"),
            (json!({"containers": [c(full("1"))], "initContainers": [{}]}), "Burstable"),
            (json!({"containers": [c(full("1"))], "initContainers": [c(full("1"))]}), "Guaranteed"),
            (json!({"containers": [{}], "resources": full("1")}), "Guaranteed"),
            (json!({"containers": [c(full("1"))], "resources": {"requests": {"cpu": "2"}}}), "Burstable"),
        ];
        for (spec, want) in table {
            assert_eq!(class(&PodSpecView::from_json(&json!({}), &spec)), want, "{spec}");
        }
    }
}
