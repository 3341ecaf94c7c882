//! Which pods a client wants: a namespace, a label selector and a field selector, in Kubernetes' grammar and with
//! its error texts.

pub mod field;
pub mod label;
mod token;

use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup;

pub use field::FieldSelector;
pub use label::LabelSelector;

/// A selection of pods. Empty parts select everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Only pods of this namespace.
    pub namespace: Option<String>,
    /// Only pods with these labels.
    pub labels: LabelSelector,
    /// Only pods with these field values.
    pub fields: FieldSelector,
}

impl Selector {
    /// True where every pod is selected.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.namespace.is_none() && self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether this pod is selected. `namespace` is the pod's own.
    #[must_use]
    pub fn selects(&self, namespace: &str, pod: &PodBytes) -> bool {
        self.namespace.as_ref().is_none_or(|n| n == namespace)
            && self.fields.matches(|field| lookup::text(pod, field).into_owned())
            && (self.labels.is_empty() || self.labels.matches(|key| lookup::label(pod, key)))
    }
}

/// Why a selector is refused. The text is the API server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError(pub String);

impl std::fmt::Display for SelectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SelectorError {}
