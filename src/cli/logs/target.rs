//! Whose log is meant.

use serde_json::Value;

use crate::cli::exit::Failure;
use crate::cli::objects;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::annotation;

/// Names the container that is meant where none is named.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// The annotations with the UID in the path of a static pod's log, where its own UID differs.
const PATH_UIDS: [&str; 2] = ["kubernetes.io/config.hash", "kubernetes.io/config.mirror"];

/// One container of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub pod: String,
    /// The pod's own UID, then others under which its log may be.
    pub uids: Vec<String>,
    /// Its name.
    pub container: String,
    /// Why it waits, if it does.
    pub waiting: String,
}

/// The containers of `pod` that are meant.
///
/// # Errors
/// The pod has no such container: a usage error that names those there are.
pub fn of(pod: &PodBytes, named: Option<&str>, all: bool) -> Result<Vec<Target>, Failure> {
    let value = objects::value(pod)?;
    let names = |list: &str| names(&value, list);
    let [init, regular, ephemeral] = ["initContainers", "containers", "ephemeralContainers"].map(names);
    let every: Vec<_> = [&init[..], &regular, &ephemeral].concat();
    let chosen = match (named, all) {
        (Some(_), true) => return Err(Failure::usage("logs", "-c and --all-containers exclude each other")),
        (Some(name), false) if every.iter().any(|n| n == name) => vec![name.to_string()],
        (Some(name), false) => {
            let problem = format!("the pod has no container {name:?}; it has {}", every.join(", "));
            return Err(Failure::usage("logs", problem));
        }
        (None, true) => every,
        (None, false) => {
            let default = annotation(pod, DEFAULT_CONTAINER).filter(|name| every.iter().any(|n| n == name));
            let chosen = default.map(std::borrow::Cow::into_owned).or_else(|| regular.first().cloned());
            if let Some(name) = chosen.as_ref().filter(|_| regular.len() > 1) {
                eprintln!("Defaulted container {name:?} out of: {}", every.join(", "));
            }
            chosen.into_iter().collect()
        }
    };
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
    let mut uids = vec![text("/metadata/uid")];
    uids.extend(PATH_UIDS.iter().filter_map(|key| annotation(pod, key)).map(|uid| uid.into_owned()));
    let target = |container: String| Target {
        namespace: text("/metadata/namespace"),
        pod: text("/metadata/name"),
        uids: uids.clone(),
        waiting: waiting(&value, &container),
        container,
    };
    Ok(chosen.into_iter().map(target).collect())
}

fn names(pod: &Value, list: &str) -> Vec<String> {
    let containers = pod.pointer("/spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
    containers.into_iter().flatten().filter_map(|c| c.get("name")?.as_str().map(str::to_owned)).collect()
}

/// The status of a container of any kind.
pub fn status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let all = lists.iter().filter_map(|list| pod.pointer("/status")?.get(list)?.as_array()).flatten();
    all.into_iter().find(|c| c.get("name").and_then(Value::as_str) == Some(container))
}

fn waiting(pod: &Value, container: &str) -> String {
    let reason = status(pod, container).and_then(|status| status.pointer("/state/waiting/reason"));
    reason.and_then(Value::as_str).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::codec::json::to_wire;
    use crate::codec::schema::id;

    fn pod(annotations: &Value) -> PodBytes {
        let section = |id, value: Value| to_wire(id, &value).unwrap().bytes;
        PodBytes::from_sections(
            &section(id::OBJECT_META, json!({"name": "web", "namespace": "x", "uid": "u", "annotations": annotations})),
            &section(
                id::POD_SPEC,
                json!({"initContainers": [{"name": "init"}], "containers": [{"name": "a"}, {"name": "b"}]}),
            ),
            &section(
                id::POD_STATUS,
                json!({"containerStatuses": [{"name": "b", "state": {"waiting": {"reason": "ErrImagePull"}}}]}),
            ),
            b"",
        )
    }

    fn containers(annotations: &Value, named: Option<&str>, all: bool) -> String {
        let targets = of(&pod(annotations), named, all).unwrap();
        targets.into_iter().map(|t| t.container).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn which_containers() {
        let none = json!({});
        assert_eq!(containers(&none, None, false), "a");
        assert_eq!(containers(&none, None, true), "init a b");
        assert_eq!(containers(&none, Some("init"), false), "init");
        assert_eq!(containers(&json!({DEFAULT_CONTAINER: "b"}), None, false), "b");
        assert_eq!(containers(&json!({DEFAULT_CONTAINER: "gone"}), None, false), "a");
        let failure = of(&pod(&none), Some("c"), false).unwrap_err();
        assert!(failure.message.contains("no container \"c\"; it has init, a, b"), "{failure}");
        assert!(of(&pod(&none), Some("a"), true).is_err());
    }

    #[test]
    fn where_it_is() {
        let target = &of(&pod(&json!({"kubernetes.io/config.hash": "h"})), Some("b"), false).unwrap()[0];
        assert_eq!((target.uids.join(" ").as_str(), target.waiting.as_str()), ("u h", "ErrImagePull"));
    }
}
