//! Whose log is meant.

use crate::cli::exit::{Exit, Failure};
use crate::cli::printable::printable;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::container_log::{self, LogState};
use crate::pod::container_names::ContainerNames;
use crate::pod::lookup::text;

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
    let unreadable = |e| Failure::new(Exit::Failure, format!("error: the server sent something that is no pod: {e}"));
    let names = ContainerNames::read(pod).map_err(unreadable)?;
    let chosen: Vec<&str> = match (named, all) {
        (Some(_), true) => return Err(Failure::usage("logs", "-c and --all-containers exclude each other")),
        (Some(name), false) if names.has(name) => vec![name],
        (Some(name), false) => {
            return Err(Failure::usage("logs", format!("the pod has no container {name:?}; it has {names}")));
        }
        (None, true) => names.all().collect(),
        (None, false) => {
            if let Some(name) = names.meant().filter(|_| names.is_guess()) {
                eprintln!("Defaulted container {name:?} out of: {}", printable(&names.to_string()));
            }
            names.meant().into_iter().collect()
        }
    };
    let target = |container: &str| Target {
        namespace: text(pod, "metadata.namespace").into_owned(),
        pod: text(pod, "metadata.name").into_owned(),
        uids: container_log::uids(pod),
        waiting: LogState::of(pod, container).waiting,
        container: container.to_owned(),
    };
    Ok(chosen.into_iter().map(target).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

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
        assert_eq!(containers(&json!({"kubectl.kubernetes.io/default-container": "b"}), None, false), "b");
        let failure = of(&pod(&none), Some("c"), false).unwrap_err();
        assert!(failure.message.contains("no container \"c\"; it has a, b, init (init)"), "{failure}");
        assert!(of(&pod(&none), Some("a"), true).is_err());
    }

    #[test]
    fn where_it_is() {
        let target = &of(&pod(&json!({"kubernetes.io/config.hash": "h"})), Some("b"), false).unwrap()[0];
        assert_eq!((target.uids.join(" ").as_str(), target.waiting.as_str()), ("u h", "ErrImagePull"));
    }
}
