//! The containers of a pod by their names, and which of them is meant where none is named.

use std::fmt;

use super::lookup;
use super::spec::{ContainerView, PodSpecView};
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::WireError;

/// Annotation with the container that is meant where none is named (`kubernetes/kubectl
/// pkg/cmd/util/podcmd/podcmd.go`).
pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Names of a pod's containers, each kind in the order of the spec. Shown as kubectl lists them: regular, ephemeral and
/// init containers, the latter two marked as what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerNames {
    /// `spec.containers`.
    pub regular: Vec<String>,
    /// `spec.initContainers`.
    pub init: Vec<String>,
    /// `spec.ephemeralContainers`.
    pub ephemeral: Vec<String>,
    /// What the annotation [`DEFAULT_CONTAINER`] says.
    annotated: Option<String>,
}

impl ContainerNames {
    /// Those of an encoded pod.
    ///
    /// # Errors
    /// The spec is not a protobuf message.
    pub fn read(pod: &PodBytes) -> Result<Self, WireError> {
        let annotated = lookup::annotation(pod, DEFAULT_CONTAINER);
        Ok(Self::of(&PodSpecView::from_wire(&[], pod.spec())?, annotated.as_deref()))
    }

    /// Those of a spec, beside which an annotation may name one.
    #[must_use]
    pub fn of(spec: &PodSpecView, annotated: Option<&str>) -> Self {
        let names = |containers: &[ContainerView]| containers.iter().map(|c| c.name.clone()).collect();
        Self {
            regular: names(&spec.containers),
            init: names(&spec.init_containers),
            ephemeral: names(&spec.ephemeral_containers),
            annotated: annotated.map(str::to_owned),
        }
    }

    /// All of them in the order in which they start.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.init.iter().chain(&self.regular).chain(&self.ephemeral).map(String::as_str)
    }

    /// Whether the pod has this container.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all().any(|known| known == name)
    }

    /// The container that the pod's author means where none is named, if the pod has it.
    #[must_use]
    pub fn annotated(&self) -> Option<&str> {
        self.annotated.as_deref().filter(|name| self.has(name))
    }

    /// The container that kubectl means where none is named: the annotated one, else the first regular one.
    #[must_use]
    pub fn meant(&self) -> Option<&str> {
        self.annotated().or_else(|| self.regular.first().map(String::as_str))
    }

    /// Whether [`ContainerNames::default`] chose one of several that nobody preferred, which kubectl tells its user.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        self.regular.len() > 1 && self.annotated().is_none()
    }
}

impl fmt::Display for ContainerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (names, kind) in [(&self.regular, ""), (&self.ephemeral, " (ephem)"), (&self.init, " (init)")] {
            for name in names {
                write!(f, "{between}{name}{kind}")?;
                between = ", ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use super::*;
    use crate::codec::json::to_wire;
    use crate::codec::schema::id;

    fn names(annotations: Value, spec: Value) -> ContainerNames {
        let section = |id, value: Value| to_wire(id, &value).unwrap().bytes;
        let metadata = section(id::OBJECT_META, json!({ "annotations": annotations }));
        let pod = PodBytes::from_sections(&metadata, &section(id::POD_SPEC, spec), b"", b"");
        ContainerNames::read(&pod).unwrap()
    }

    #[test]
    fn which_one_is_meant() {
        let several = json!({
            "containers": [{"name": "a"}, {"name": "b"}],
            "initContainers": [{"name": "i"}],
            "ephemeralContainers": [{"name": "e"}],
        });
        let one = json!({"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]});
        let table = [
            (json!({}), &several, Some("a"), true),
            (json!({DEFAULT_CONTAINER: "b"}), &several, Some("b"), false),
            (json!({DEFAULT_CONTAINER: "i"}), &several, Some("i"), false),
            (json!({DEFAULT_CONTAINER: "gone"}), &several, Some("a"), true),
            (json!({}), &one, Some("a"), false),
            (json!({}), &json!({}), None, false),
        ];
        for (annotations, spec, default, guess) in table {
            let names = names(annotations.clone(), spec.clone());
            assert_eq!((names.meant(), names.is_guess()), (default, guess), "{annotations} {spec}");
        }
    }

    #[test]
    fn lists_for_people_and_in_the_order_of_the_start() {
        let names = names(
            json!({}),
            json!({
                "containers": [{"name": "a"}, {"name": "b"}],
                "initContainers": [{"name": "i"}],
                "ephemeralContainers": [{"name": "e"}],
            }),
        );
        assert_eq!(names.to_string(), "a, b, e (ephem), i (init)");
        assert_eq!(names.all().collect::<Vec<_>>(), ["i", "a", "b", "e"]);
        assert!(names.has("e") && names.has("i") && !names.has("x"));
        assert_eq!(ContainerNames::default().to_string(), "");
    }

    #[test]
    fn a_spec_that_is_no_message_is_an_error() {
        let pod = PodBytes::from_sections(b"", b"\x12\x7f", b"", b"");
        assert!(ContainerNames::read(&pod).is_err());
    }
}
