//! What the service manager is told (sd_notify(3)). Without one, nothing is.

use sd_notify::NotifyState;

use crate::store::snapshot::Snapshot;
use crate::store::update::{Health, HealthState, SourceId};

/// Tells the manager; a manager that does not listen is no reason to fail.
pub fn tell(states: &[NotifyState<'_>]) {
    if let Err(e) = sd_notify::notify(states) {
        log::debug!("the service manager does not take notifications: {e}");
    }
}

/// One line on how things are, for `systemctl status`.
pub fn status(snapshot: &Snapshot) -> String {
    let pods = match snapshot.pods.len() {
        1 => "1 pod".to_string(),
        n => format!("{n} pods"),
    };
    let head = match (snapshot.initialized, snapshot.incomplete.is_empty()) {
        (false, _) => "Waiting for the sources".to_string(),
        (true, true) => format!("{pods} on {}", snapshot.node_name),
        (true, false) => {
            let missing: Vec<_> = snapshot.incomplete.iter().map(ToString::to_string).collect();
            format!("{pods} on {}, incomplete without {}", snapshot.node_name, missing.join(", "))
        }
    };
    let sources: Vec<_> = snapshot.sources.iter().filter_map(|(id, health)| source(*id, health)).collect();
    std::iter::once(head).chain(sources).collect::<Vec<_>>().join("; ")
}

fn source(id: SourceId, health: &Health) -> Option<String> {
    let word = match health.state {
        HealthState::Absent | HealthState::Resting => return None,
        HealthState::Starting => "starting",
        HealthState::Up => "up",
        HealthState::Down => "down",
    };
    let target = if health.target.is_empty() { String::new() } else { format!(" ({})", health.target) };
    let error = if health.error.is_empty() { String::new() } else { format!(": {}", health.error) };
    Some(format!("{id}{target} {word}{error}").replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn one_line_that_says_what_is_missing() {
        let health = |state, target: &str, error: &str| Health {
            state,
            since: SystemTime::UNIX_EPOCH,
            error: error.into(),
            target: target.into(),
        };
        let mut snapshot = Snapshot::empty(1);
        assert_eq!(status(&snapshot), "Waiting for the sources");
        snapshot.initialized = true;
        snapshot.node_name = "n1".into();
        snapshot.sources = vec![
            (SourceId::File, health(HealthState::Up, "/etc/kubernetes/manifests", "")),
            (SourceId::Runtime, health(HealthState::Down, "/run/c.sock", "no\nanswer")),
            (SourceId::Kubelet, health(HealthState::Absent, "", "")),
        ];
        assert_eq!(
            status(&snapshot),
            "0 pods on n1; file (/etc/kubernetes/manifests) up; cri (/run/c.sock) down: no answer"
        );
        snapshot.incomplete = vec![SourceId::Runtime];
        assert!(status(&snapshot).starts_with("0 pods on n1, incomplete without cri; "));
    }
}
