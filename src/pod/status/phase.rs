//! The phase of a pod. Source: `kubernetes/kubernetes pkg/kubelet/kubelet_pods.go` (`getPhase`), 1.36.

use super::container_status::{ContainerStatus, State};
use crate::pod::spec::{ContainerView, PodSpecView};

/// A `status.phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not everything was started yet.
    Pending,
    /// Something runs or will be started again.
    Running,
    /// Everything ended well and stays so.
    Succeeded,
    /// Everything ended, something badly.
    Failed,
    /// Nothing that we see tells. The kubelet never says this.
    Unknown,
}

impl Phase {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Unknown];
        all.into_iter().find(|p| p.as_str() == word)
    }

    /// A pod never leaves `Succeeded` and `Failed`.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// What the phase depends on beside the container statuses.
#[derive(Clone, Copy, Debug, Default)]
pub struct PhaseInput {
    /// A regular container of the active sandbox was started.
    pub initialized: bool,
    /// Nothing will be started again whatever the policy: the pod goes away. Never so for static pods
    /// (kubernetes/kubernetes#116484).
    pub ends_for_good: bool,
}

#[derive(Default)]
struct Count {
    running: usize,
    waiting: usize,
    stopped: usize,
    succeeded: usize,
    restarting: usize,
    unknown: usize,
}

/// The phase by the statuses of init and regular containers. `status_of` gives the status of a container.
pub fn phase<'a>(
    spec: &PodSpecView,
    status_of: impl Fn(&ContainerView) -> Option<&'a ContainerStatus>,
    input: PhaseInput,
) -> Phase {
    let mut init_pending = false;
    for container in spec.init_containers.iter().filter(|c| !c.is_sidecar()) {
        match status_of(container).and_then(ContainerStatus::last_exit_code) {
            Some(0) => {}
            Some(code) if !spec.restarts(container, code) => return Phase::Failed,
            Some(_) => {}
            None => init_pending = true,
        }
    }
    let mut count = Count::default();
    let mut sidecar_pending = false;
    for container in spec.init_containers.iter().filter(|c| c.is_sidecar()) {
        let Some(status) = status_of(container) else {
            count.unknown += 1;
            continue;
        };
        match status.state {
            State::Running(_) => {
                count.running += 1;
                sidecar_pending |= status.started != Some(true);
            }
            State::Waiting(_) if !status.last_state.is_terminated() => {
                count.waiting += 1;
                sidecar_pending = true;
            }
            State::None => {
                count.unknown += 1;
                sidecar_pending = true;
            }
            State::Waiting(_) | State::Terminated(_) => {}
        }
    }
    for container in &spec.containers {
        count.add(spec, container, status_of(container));
    }
    if init_pending || (sidecar_pending && !input.initialized) {
        return Phase::Pending;
    }
    count.phase(input.ends_for_good)
}

impl Count {
    fn add(&mut self, spec: &PodSpecView, container: &ContainerView, status: Option<&ContainerStatus>) {
        let Some(status) = status else {
            self.unknown += 1;
            return;
        };
        match (&status.state, status.last_exit_code()) {
            (State::Running(_), _) => self.running += 1,
            (State::None, _) => self.unknown += 1,
            (_, None) => self.waiting += 1,
            (state, Some(code)) => {
                self.stopped += 1;
                self.succeeded += usize::from(state.is_terminated() && code == 0);
                self.restarting += usize::from(spec.restarts(container, code));
            }
        }
    }

    const fn phase(&self, ends_for_good: bool) -> Phase {
        if self.waiting > 0 {
            Phase::Pending
        } else if self.running > 0 && self.unknown == 0 {
            Phase::Running
        } else if self.running == 0 && self.stopped > 0 && self.unknown == 0 {
            if self.restarting > 0 && !ends_for_good {
                Phase::Running
            } else if self.stopped == self.succeeded {
                Phase::Succeeded
            } else {
                Phase::Failed
            }
        } else {
            Phase::Pending
        }
    }
}
