//! The sandboxes and containers of one pod, put in order.

use std::sync::Arc;

use crate::pod::observed::{Container, ContainerState, Sandbox};
use crate::pod::spec::PodSpecView;

/// Annotation with the restart count that the kubelet gave a container.
const RESTART_COUNT: &str = "io.kubernetes.container.restartCount";

/// What the runtime holds of one pod, newest first.
#[derive(Debug)]
pub struct Instances<'a> {
    sandboxes: Vec<&'a Sandbox>,
    containers: Vec<&'a Container>,
}

impl<'a> Instances<'a> {
    /// Sorts: sandboxes by attempt, then creation; containers by creation. Ids break ties, so that the same input in
    /// any order gives the same result.
    #[must_use]
    pub fn new(sandboxes: &'a [Arc<Sandbox>], containers: &'a [Arc<Container>]) -> Self {
        let mut sandboxes: Vec<&Sandbox> = sandboxes.iter().map(AsRef::as_ref).collect();
        sandboxes.sort_by(|a, b| (b.attempt, b.created_at, &b.id).cmp(&(a.attempt, a.created_at, &a.id)));
        let mut containers: Vec<&Container> = containers.iter().map(AsRef::as_ref).collect();
        containers.sort_by(|a, b| (b.created_at, b.attempt, &b.id).cmp(&(a.created_at, a.attempt, &a.id)));
        Self { sandboxes, containers }
    }

    /// The newest sandbox.
    #[must_use]
    pub fn sandbox(&self) -> Option<&'a Sandbox> {
        self.sandboxes.first().copied()
    }

    /// How many sandboxes are ready; more than one is a fault that the kubelet mends.
    #[must_use]
    pub fn ready_sandboxes(&self) -> usize {
        self.sandboxes.iter().filter(|s| s.ready).count()
    }

    /// All containers, newest first.
    #[must_use]
    pub fn containers(&self) -> &[&'a Container] {
        &self.containers
    }

    /// The instances of one container, newest first.
    pub fn of(&self, name: &str) -> impl Iterator<Item = &'a Container> + use<'_, 'a> {
        let name = name.to_string();
        self.containers.iter().copied().filter(move |c| c.name == name)
    }

    /// Whether a regular container was made at all, in any sandbox.
    #[must_use]
    pub fn any_regular(&self, spec: &PodSpecView) -> bool {
        spec.containers.iter().any(|c| self.of(&c.name).next().is_some())
    }

    /// Whether a regular container was started in the newest sandbox, which has to be ready
    /// (`kubernetes/kubernetes pkg/kubelet/container`, `HasAnyActiveRegularContainerStarted`).
    #[must_use]
    pub fn initialized(&self, spec: &PodSpecView) -> bool {
        let Some(sandbox) = self.sandbox().filter(|s| s.ready) else { return false };
        let started = |c: &Container| c.sandbox_id == sandbox.id && c.state != ContainerState::Created;
        spec.containers.iter().any(|c| self.of(&c.name).next().is_some_and(started))
    }

    /// Whether a regular container was made in an older sandbox than that of this init container instance: then all
    /// init containers had run there, and this instance is not the first. The annotation may say so no more: the
    /// kubelet counts from the containers that it has kept.
    #[must_use]
    pub fn initialized_before(&self, spec: &PodSpecView, instance: &Container) -> bool {
        let mut regular = spec.containers.iter().flat_map(|c| self.of(&c.name));
        regular.any(|c| c.sandbox_id != instance.sandbox_id && c.created_at < instance.created_at)
    }

    /// Whether a container that the kubelet starts after `name` was made after this instance. The kubelet makes the
    /// next container only when the one before was started, its `postStart` hook has ended and, for a sidecar, its
    /// startup probe has succeeded.
    #[must_use]
    pub fn successor_made(&self, spec: &PodSpecView, name: &str, instance: &Container) -> bool {
        let mut later = spec.startable().skip_while(|c| c.name != name).skip(1);
        later.any(|c| self.of(&c.name).any(|i| i.created_at > instance.created_at))
    }
}

/// How often the container was restarted before this instance.
#[must_use]
pub fn restart_count(instance: &Container) -> i64 {
    let counted = instance.annotations.get(RESTART_COUNT).and_then(|n| n.parse::<u32>().ok());
    i64::from(counted.unwrap_or(instance.attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_whatever_the_order() {
        let sandbox = |id: &str, attempt, created_at| {
            Arc::new(Sandbox { id: id.into(), attempt, created_at, ready: true, ..Default::default() })
        };
        let container = |id: &str, created_at| Arc::new(Container { id: id.into(), created_at, ..Default::default() });
        // a clock that was set back does not make attempt 0 the newest again
        let mut sandboxes = [sandbox("a", 0, 9), sandbox("b", 1, 5), sandbox("c", 1, 7)];
        let mut containers = [container("x", 2), container("y", 3), container("z", 3)];
        for _ in 0..2 {
            let sorted = Instances::new(&sandboxes, &containers);
            assert_eq!(sorted.sandbox().map(|s| s.id.as_str()), Some("c"));
            assert_eq!(sorted.containers().iter().map(|c| c.id.as_str()).collect::<String>(), "zyx");
            sandboxes.reverse();
            containers.reverse();
        }
    }

    #[test]
    fn restart_count_of_annotation_then_attempt() {
        let mut c = Container { attempt: 2, ..Default::default() };
        assert_eq!(restart_count(&c), 2);
        c.annotations.insert(RESTART_COUNT.into(), "5".into());
        assert_eq!(restart_count(&c), 5);
        c.annotations.insert(RESTART_COUNT.into(), "many".into());
        assert_eq!(restart_count(&c), 2);
    }
}
