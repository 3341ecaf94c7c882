//! The container that remarks are about.

use serde_json::Value;

use super::case::{has, number, Case};
use crate::pod::spec::{ContainerView, PodSpecView};

/// A container of the spec with its status.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The pod.
    pub case: &'a Case<'a>,
    /// Its part of the spec.
    pub spec: &'a Value,
    /// Its status; null where there is none.
    pub status: &'a Value,
    /// It is an init container that has to end before others start.
    pub comes_first: bool,
    /// The pod's rules for starting again.
    pub rules: &'a PodSpecView,
    /// Its own.
    pub view: &'a ContainerView,
}

impl<'a> Subject<'a> {
    /// `container main`, `init container setup`.
    #[must_use]
    pub fn name(&self) -> String {
        let kind = if self.comes_first { "init container" } else { "container" };
        format!("{kind} {}", self.view.name)
    }

    /// How often it was started again.
    #[must_use]
    pub fn restarts(&self) -> i64 {
        number(self.status, "/restartCount").unwrap_or(0)
    }

    /// Whether its pod is being deleted.
    #[must_use]
    pub fn going_away(&self) -> bool {
        has(self.case.pod, "/metadata/deletionTimestamp")
    }
}
