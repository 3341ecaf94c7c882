//! `resourceFieldRef`: a limit or request of a container as a whole number of its divisor.
//!
//! Source: `kubernetes/kubernetes pkg/api/v1/resource/helpers.go`.

use serde_json::Value;

use super::pod::DownwardPod;
use super::unknown::Unknown;
use crate::codec::quantity::Quantity;
use crate::pod::spec::ResourceList;

/// Resources whose missing limit is the node's allocatable amount.
const FROM_THE_NODE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// The value of a `ResourceFieldSelector`, given in its JSON form. `own` is the container meant where none is named;
/// `allocatable` what the node can give, as far as it is known.
///
/// # Errors
/// The reference is wrong, or means the node's allocatable amount, which is not known.
pub fn value(
    pod: &DownwardPod,
    selector: &Value,
    own: Option<&str>,
    allocatable: &ResourceList,
) -> Result<String, Unknown> {
    let refused = |why: String| Unknown::Refused(why);
    let text = |key: &str| selector[key].as_str().unwrap_or_default();
    let name = Some(text("containerName")).filter(|n| !n.is_empty()).or(own);
    let name = name.ok_or_else(|| refused("resourceFieldRef names no container".into()))?;
    let container = pod.container(name).ok_or_else(|| refused(format!("container {name} not found")))?;
    let resource = text("resource");
    let unsupported = || refused(format!("unsupported container resource: {resource}"));
    let (side, kind) = resource.split_once('.').ok_or_else(unsupported)?;
    if !FROM_THE_NODE.contains(&kind) && !kind.starts_with("hugepages-") {
        return Err(unsupported());
    }
    let amount = match side {
        "requests" => container.resources.requests.get(kind),
        "limits" => {
            let set = container.resources.limits.get(kind);
            if FROM_THE_NODE.contains(&kind) && set.is_none_or(Quantity::is_zero) {
                let node = allocatable.get(kind);
                Some(node.ok_or_else(|| Unknown::NodeAllocatable(kind.into()))?)
            } else {
                set
            }
        }
        _ => return Err(unsupported()),
    };
    let divisor = divisor(&selector["divisor"]).map_err(refused)?;
    Ok(amount.map_or(0, |amount| amount.div_ceil(&divisor)).to_string())
}

/// The divisor: 1 where it is not given or zero. A bare number counts as well as a string.
fn divisor(value: &Value) -> Result<Quantity, String> {
    let text = match value {
        Value::Null => "1".to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let amount = Quantity::parse(&text).map_err(|e| format!("divisor: {e}"))?;
    match amount.is_zero() {
        true => Quantity::parse("1").map_err(|e| e.to_string()),
        false => Ok(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(resources: &Value) -> DownwardPod {
        let spec = json!({"containers": [{"name": "main", "resources": resources}],
            "initContainers": [{"name": "setup", "resources": {"requests": {"cpu": "3"}}}]});
        DownwardPod::from_json(&json!({}), &spec, &json!({}))
    }

    fn of(resources: &Value, selector: &Value) -> Result<String, Unknown> {
        value(&pod(resources), selector, Some("main"), &ResourceList::new())
    }

    #[test]
    fn vectors() {
        let table = [
            ("requests.cpu", "15m", json!("1m"), "15"),
            ("limits.memory", "4Mi", json!("1Ki"), "4096"),
            ("limits.memory", "4Mi", json!("1"), "4194304"),
            ("limits.cpu", "100m", json!("1"), "1"),
            ("limits.cpu", "1500m", json!("1"), "2"),
            ("requests.memory", "100Ki", json!("1Mi"), "1"),
            ("requests.cpu", "0", json!("1m"), "0"),
            ("requests.memory", "0", json!("1Gi"), "0"),
            ("requests.cpu", "2", json!(null), "2"),
            ("requests.cpu", "2", json!("0"), "2"),
            ("requests.memory", "1G", json!(1), "1000000000"),
            ("requests.memory", "1G", json!("1M"), "1000"),
            ("requests.memory", "1G", json!("1Mi"), "954"),
            ("requests.ephemeral-storage", "10Gi", json!("1Gi"), "10"),
            ("limits.hugepages-2Mi", "100Mi", json!("1Mi"), "100"),
            ("requests.hugepages-1Gi", "2Gi", json!("1"), "2147483648"),
            // above 2^53, where a float would be off by one
            ("limits.memory", "9007199254740993", json!("1"), "9007199254740993"),
            ("requests.cpu", "1u", json!("1m"), "1"),
            ("limits.memory", "1e30", json!("1"), "9223372036854775807"),
        ];
        for (resource, amount, divisor, want) in table {
            let (side, kind) = resource.split_once('.').unwrap();
            let resources = json!({side: {kind: amount}});
            let got = of(&resources, &json!({"resource": resource, "divisor": divisor}));
            assert_eq!(got.as_deref(), Ok(want), "{resource} {amount} {divisor}");
        }
    }

    #[test]
    fn what_is_not_set() {
        let none = json!({});
        for resource in ["requests.cpu", "requests.memory", "requests.hugepages-2Mi", "limits.hugepages-2Mi"] {
            assert_eq!(of(&none, &json!({"resource": resource})).as_deref(), Ok("0"), "{resource}");
        }
        let node = [("cpu".to_string(), Quantity::parse("3920m").unwrap())].into();
        for limits in [json!({}), json!({"limits": {"cpu": "0"}})] {
            let cpu = json!({"resource": "limits.cpu"});
            assert_eq!(of(&limits, &cpu), Err(Unknown::NodeAllocatable("cpu".into())));
            assert_eq!(value(&pod(&limits), &cpu, Some("main"), &node).as_deref(), Ok("4"));
        }
        let memory = value(&pod(&none), &json!({"resource": "limits.memory"}), Some("main"), &node);
        assert_eq!(memory, Err(Unknown::NodeAllocatable("memory".into())));
    }

    #[test]
    fn other_containers() {
        let ask = |name: &str| of(&json!({}), &json!({"resource": "requests.cpu", "containerName": name}));
        assert_eq!(ask("setup").as_deref(), Ok("3"));
        assert!(matches!(ask("nobody"), Err(Unknown::Refused(_))));
        let unnamed = value(&pod(&json!({})), &json!({"resource": "requests.cpu"}), None, &ResourceList::new());
        assert!(matches!(unnamed, Err(Unknown::Refused(_))), "in a volume the container must be named");
    }

    #[test]
    fn references_that_no_kubelet_takes() {
        for resource in ["request.cpu", "cpu", "", "limits.", "limits.nvidia.com/gpu", "limits.storage"] {
            assert!(matches!(of(&json!({}), &json!({"resource": resource})), Err(Unknown::Refused(_))), "{resource}");
        }
        let bad = json!({"resource": "requests.cpu", "divisor": "much"});
        assert!(matches!(of(&json!({}), &bad), Err(Unknown::Refused(_))));
    }
}
