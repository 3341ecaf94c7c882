//! One pod with everything that is known about it.

use serde_json::Value;

use super::facts::{NodeFacts, PodFacts};
use super::manifest::PodFinding;
use crate::codec::time::Time;

/// A pod and what is known beside it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The pod as a JSON object.
    pub pod: &'a Value,
    /// What is wrong in the manifests of this node, those of other pods included.
    pub findings: &'a [PodFinding],
    /// The node.
    pub node: &'a NodeFacts,
    /// What was looked up for this pod.
    pub looked_up: &'a PodFacts,
    /// Seconds since the epoch.
    pub now: i64,
}

impl<'a> Case<'a> {
    /// Text at a JSON pointer; empty where there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &'a str {
        text(self.pod, pointer)
    }

    /// List at a JSON pointer; empty where there is none.
    #[must_use]
    pub fn list(&self, pointer: &str) -> &'a [Value] {
        list(self.pod, pointer)
    }

    /// An annotation of ours, by its name behind `nodepods.io/`.
    #[must_use]
    pub fn mark(&self, name: &str) -> &'a str {
        self.text(&format!("/metadata/annotations/nodepods.io~1{name}"))
    }

    /// Whether `source` contributed to the pod. A pod that the kubelet itself served has no marks of ours.
    #[must_use]
    pub fn is_from(&self, source: &str) -> bool {
        let sources = self.mark("sources");
        sources.split(',').any(|s| s == source) || (sources.is_empty() && source == "kubelet")
    }

    /// Who tells of containers.
    #[must_use]
    pub fn teller(&self) -> &'static str {
        [("cri", "the container runtime"), ("kubelet", "the kubelet"), ("apiserver", "the API server")]
            .into_iter()
            .find(|(source, _)| self.is_from(source))
            .map_or("the daemon", |(_, words)| words)
    }

    /// Who told the pod's spec.
    #[must_use]
    pub fn spec_teller(&self) -> &'static str {
        if self.mark("spec") == "partial" {
            return "the container runtime";
        }
        let told = [("kubelet", "the kubelet"), ("apiserver", "the API server"), ("file", "the manifest")];
        told.into_iter().find(|(source, _)| self.is_from(source)).map_or("the pod's spec", |(_, words)| words)
    }

    /// The condition of this type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&'a Value> {
        self.list("/status/conditions").iter().find(|c| text(c, "/type") == kind)
    }

    /// Seconds since a time in RFC 3339.
    #[must_use]
    pub fn since(&self, time: &str) -> Option<i64> {
        Time::parse(time).map(|t| (self.now - t.unix()).max(0))
    }
}

/// Text at a JSON pointer.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Number at a JSON pointer.
pub fn number(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

/// List at a JSON pointer.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether there is something other than null.
pub fn has(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).is_some_and(|v| !v.is_null())
}
