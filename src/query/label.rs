//! What can be asked of a pod: the search labels of StackRox that a node can answer by itself.
//!
//! Spellings: `stackrox/stackrox pkg/search/options.go`. Labels about what only a cluster knows (deployments' labels,
//! risk, vulnerabilities) are not in the table, and asking for them is an error.

/// A field that a query or a sort option may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// The pod's id in StackRox form; its Kubernetes UID is understood as well.
    PodId,
    /// `metadata.name`.
    PodName,
    /// `metadata.namespace`.
    Namespace,
    /// UID of the controller that the pod names, of the pod itself where it has none.
    DeploymentId,
    /// Name of what the pod belongs to.
    Deployment,
    /// The cluster's id, which a node does not know: always null.
    ClusterId,
    /// The cluster's name, which a node does not know: always null.
    Cluster,
    /// Names of the containers in the spec.
    ContainerName,
    /// Image digests of the live instances.
    ContainerImageDigest,
    /// `metadata.labels`.
    PodLabel,
    /// `spec.serviceAccountName`.
    ServiceAccount,
    /// `spec.nodeName`.
    Node,
}

/// How the values of a label are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text: prefix, exact, regular expression.
    Text,
    /// A whole UUID, or a regular expression over its text.
    Uuid,
    /// Keys with values: `key=value`.
    Map,
}

/// Every known label with its spelling, in the order in which errors list them.
pub const LABELS: [(Label, &str, Kind); 12] = [
    (Label::PodId, "Pod ID", Kind::Uuid),
    (Label::PodName, "Pod Name", Kind::Text),
    (Label::Namespace, "Namespace", Kind::Text),
    (Label::PodLabel, "Pod Label", Kind::Map),
    (Label::ContainerName, "Container Name", Kind::Text),
    (Label::ContainerImageDigest, "Container Image Digest", Kind::Text),
    (Label::ServiceAccount, "Service Account", Kind::Text),
    (Label::Node, "Node", Kind::Text),
    (Label::Deployment, "Deployment", Kind::Text),
    (Label::DeploymentId, "Deployment ID", Kind::Uuid),
    (Label::Cluster, "Cluster", Kind::Text),
    (Label::ClusterId, "Cluster ID", Kind::Uuid),
];

impl Label {
    /// The label with this spelling, whatever its case.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        LABELS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(text)).map(|(label, ..)| *label)
    }

    /// How it is spelled.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// How its values are compared.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().map_or(Kind::Text, |(.., kind)| *kind)
    }

    /// Whether a pod has one value of it at most: only then can pods be sorted by it.
    #[must_use]
    pub const fn is_single(self) -> bool {
        !matches!(self, Self::ContainerName | Self::ContainerImageDigest | Self::PodLabel)
    }

    fn row(self) -> Option<&'static (Self, &'static str, Kind)> {
        LABELS.iter().find(|(label, ..)| *label == self)
    }
}

/// All spellings, for errors.
#[must_use]
pub fn known() -> String {
    LABELS.map(|(_, name, _)| name).join(", ")
}

/// Where a text begins with the name of a label and a colon, as the next condition of a query does.
#[must_use]
pub fn opens_condition(text: &str) -> bool {
    let Some((name, _)) = text.split_once(':') else { return false };
    Label::named(name.trim_end_matches(' ')).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_found_by_its_name_in_any_case() {
        for (label, name, kind) in LABELS {
            assert_eq!(Label::named(name), Some(label));
            assert_eq!(Label::named(&name.to_uppercase()), Some(label));
            assert_eq!((label.name(), label.kind()), (name, kind));
            assert!(known().contains(name));
            assert!(opens_condition(&format!("{name} :x")));
        }
        for unknown in ["", "Nmespace", "Namespace ", "Image", "Deployment Label"] {
            assert_eq!(Label::named(unknown), None, "{unknown}");
        }
        assert!(!opens_condition("Name:x") && !opens_condition("Namespace"));
    }
}
