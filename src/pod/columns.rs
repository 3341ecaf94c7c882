//! What a table shows of a pod: the columns that `kubectl get pods` prints, by the rules of the API server's printer
//! (`kubernetes/kubernetes pkg/printers/internalversion/printers.go`, printPod).

mod age;
mod view;

pub use age::age;

use crate::codec::pod_bytes::PodBytes;
use view::{Container, PodView, Terminated};

/// Printed where there is no value.
const NONE: &str = "<none>";

/// The cells of one pod, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// Ready containers out of all that are meant to stay: `1/2`.
    pub ready: String,
    /// One word for what the pod is doing: `Running`, `Init:0/1`, `CrashLoopBackOff`.
    pub status: String,
    /// How often containers were started again, and when that was last: `3 (5m ago)`.
    pub restarts: String,
    /// Time since the pod was created.
    pub age: String,
    /// The first of `status.podIPs`.
    pub ip: String,
    /// `spec.nodeName`.
    pub node: String,
    /// `status.nominatedNodeName`.
    pub nominated_node: String,
    /// Readiness gates that are True out of all: `0/1`.
    pub readiness_gates: String,
}

impl Columns {
    /// Reads the cells of `pod`. `now` is in seconds since the epoch.
    ///
    /// A static pod has no `creationTimestamp` before an API server has seen it, where kubectl would print
    /// `<unknown>`: its age counts from `status.startTime`. Bytes that cannot be read count as absent.
    #[must_use]
    pub fn of(pod: &PodBytes, now: i64) -> Self {
        let pod = PodView::of(pod);
        let containers = Summary::of(&pod);
        let restarts = match containers.last_restart {
            Some(at) if containers.restarts != 0 => {
                format!("{} ({} ago)", containers.restarts, age(now.saturating_sub(at)))
            }
            _ => containers.restarts.to_string(),
        };
        let created = pod.created.or(pod.started);
        Self {
            ready: format!("{}/{}", containers.ready, containers.total),
            restarts,
            age: created.map_or_else(|| "<unknown>".into(), |at| age(now.saturating_sub(at))),
            ip: or_none(&pod.ip),
            node: or_none(&pod.node),
            nominated_node: or_none(&pod.nominated_node),
            readiness_gates: gates(&pod),
            status: containers.status,
            namespace: pod.namespace,
            name: pod.name,
        }
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { NONE } else { text }.to_string()
}

fn gates(pod: &PodView) -> String {
    if pod.readiness_gates.is_empty() {
        return NONE.into();
    }
    let met = pod.readiness_gates.iter().filter(|gate| pod.condition_is_true(gate)).count();
    format!("{met}/{}", pod.readiness_gates.len())
}

/// What the containers come to: READY, STATUS and RESTARTS depend on each other, so they are found in one walk.
struct Summary {
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<i64>,
    status: String,
}

impl Summary {
    fn of(pod: &PodView) -> Self {
        let mut all = Self {
            ready: 0,
            total: pod.containers + pod.sidecars.len(),
            restarts: 0,
            last_restart: None,
            status: if pod.reason.is_empty() { pod.phase.clone() } else { pod.reason.clone() },
        };
        if pod.scheduling_gated() {
            all.status = "SchedulingGated".into();
        }
        let initializing = all.walk_init(pod);
        if !initializing || pod.condition_is_true("Initialized") {
            all.walk_regular(pod);
        }
        if pod.deleting {
            if pod.reason == "NodeLost" {
                all.status = "Unknown".into();
            } else if !matches!(pod.phase.as_str(), "Succeeded" | "Failed") {
                all.status = "Terminating".into();
            }
        }
        all
    }

    fn restarted(&mut self, container: &Container) {
        self.restarts = self.restarts.saturating_add(container.restarts);
        self.last_restart = self.last_restart.max(container.last_finished);
    }

    /// Init containers in order. The first that is neither done nor a started sidecar decides the status.
    fn walk_init(&mut self, pod: &PodView) -> bool {
        for (i, container) in pod.init_statuses.iter().enumerate() {
            self.restarted(container);
            if container.terminated.as_ref().is_some_and(|t| t.exit_code == 0) {
                continue;
            }
            if pod.sidecars.contains(&container.name) && container.started {
                self.ready += usize::from(container.ready);
                continue;
            }
            let what = match (&container.terminated, container.waiting.as_deref()) {
                (Some(end), _) => end.in_a_word(),
                (None, Some(reason)) if !reason.is_empty() && reason != "PodInitializing" => reason.to_string(),
                _ => format!("{i}/{}", pod.init_containers),
            };
            self.status = format!("Init:{what}");
            return true;
        }
        false
    }

    /// Regular containers from the last to the first, each overriding what the ones after it said.
    fn walk_regular(&mut self, pod: &PodView) {
        (self.restarts, self.last_restart) = (0, None);
        for sidecar in pod.init_statuses.iter().filter(|c| pod.sidecars.contains(&c.name)) {
            self.restarted(sidecar);
        }
        let (mut running, mut error) = (false, None);
        for container in pod.statuses.iter().rev() {
            self.restarted(container);
            if let Some(reason) = container.waiting.as_deref().filter(|r| !r.is_empty()) {
                self.status = reason.to_string();
            } else if let Some(end) = &container.terminated {
                self.status = end.in_a_word();
                if end.exit_code != 0 {
                    error = Some(self.status.clone());
                }
            } else if container.ready && container.running {
                running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" {
            if running && pod.condition_is_true("Ready") {
                self.status = "Running".into();
            } else if let Some(error) = error {
                self.status = error;
            } else if running {
                self.status = "NotReady".into();
            }
        }
    }
}

impl Terminated {
    fn in_a_word(&self) -> String {
        match (self.reason.as_str(), self.signal) {
            ("", 0) => format!("ExitCode:{}", self.exit_code),
            ("", signal) => format!("Signal:{signal}"),
            (reason, _) => reason.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
