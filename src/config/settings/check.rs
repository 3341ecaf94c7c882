//! Values that make no sense, by the option that has them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Settings, SettingsError};
use crate::pod::names::dns_subdomain;

impl Settings {
    /// Whether the values make sense, each by itself and together.
    ///
    /// # Errors
    /// The first that does not.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let wrong = |option, problem: &str| Err(SettingsError { option, problem: problem.into() });
        if self.hostname_override.as_ref().is_some_and(|name| !dns_subdomain(name).is_empty()) {
            return wrong("hostname-override", "a node name is lower-case letters, digits, '-' and '.', at most 253");
        }
        absolute("pod-manifest-path", self.pod_manifest_path.iter())?;
        absolute("socket", self.sockets.iter())?;
        absolute("state-dir", self.state_dir.iter())?;
        absolute("downward-dir", self.downward_dir.iter())?;
        absolute("pod-logs-dir", [&self.pod_logs_dir].into_iter())?;
        absolute("runtime-state-dir", self.runtime_state_dir.iter())?;
        absolute("metrics-textfile", self.metrics_textfile.iter())?;
        if self.metrics_textfile.as_ref().is_some_and(|path| path.extension().is_none_or(|e| e != "prom")) {
            return wrong("metrics-textfile", "node_exporter reads files whose name ends in .prom only");
        }
        absolute("http-socket", self.http_sockets.iter())?;
        let all: Vec<&PathBuf> =
            self.sockets.iter().chain(&self.http_sockets).chain(self.narrow_sockets.iter().map(|s| &s.path)).collect();
        if all.iter().enumerate().any(|(i, s)| all.iter().take(i).any(|other| other == s)) {
            return wrong("socket", "the same path is named twice");
        }
        if self.socket_mode & 0o600 != 0o600 {
            return wrong("socket-mode", "the owner needs read and write permission, such as 0600 or 0660");
        }
        if self.file_check_frequency < Duration::from_secs(1) {
            return wrong("file-check-frequency", "at least 1s");
        }
        if self.manifest_url.as_ref().is_some_and(|url| url.every < Duration::from_secs(1)) {
            return wrong("http-check-frequency", "at least 1s");
        }
        if self.cri_poll_interval < Duration::from_millis(100) {
            return wrong("cri-poll-interval", "at least 100ms");
        }
        if self.kubelet_poll_interval < Duration::from_secs(1) {
            return wrong("kubelet-poll-interval", "at least 1s");
        }
        if self.watch_send_timeout < Duration::from_secs(1) {
            return wrong("watch-send-timeout", "at least 1s");
        }
        if self.max_watchers == 0 {
            return wrong("max-watchers", "at least 1");
        }
        if self.max_connections == 0 {
            return wrong("max-connections", "at least 1");
        }
        if self.requests.burst == 0 {
            return wrong("request-burst", "at least 1");
        }
        if self.watches.burst == 0 {
            return wrong("watch-burst", "at least 1");
        }
        Ok(())
    }
}

fn absolute<'a>(option: &'static str, paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), SettingsError> {
    match paths.map(PathBuf::as_path).find(|path| !Path::is_absolute(path)) {
        None => Ok(()),
        Some(path) => Err(SettingsError { option, problem: format!("{} must begin with /", path.display()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::duration::GoDuration;
    use crate::config::options::ServeOptions;
    use crate::config::values::{Mode, StateDir};

    #[test]
    fn nonsense_is_refused_by_name() {
        let base = ServeOptions::default;
        let table = [
            ("socket", ServeOptions { socket: vec!["pods.sock".into()], ..base() }),
            ("socket", ServeOptions { socket: vec!["/a".into(), "/a".into()], ..base() }),
            ("socket-mode", ServeOptions { socket_mode: Some(Mode(0o060)), ..base() }),
            ("hostname-override", ServeOptions { hostname_override: Some("Node_1".into()), ..base() }),
            ("hostname-override", ServeOptions { hostname_override: Some(String::new()), ..base() }),
            ("cri-poll-interval", ServeOptions { cri_poll_interval: Some(GoDuration::from_secs(0)), ..base() }),
            ("max-watchers", ServeOptions { max_watchers: Some(0), ..base() }),
            ("metrics-textfile", ServeOptions { metrics_textfile: Some("/var/lib/x.txt".into()), ..base() }),
            ("max-connections", ServeOptions { max_connections: Some(0), ..base() }),
            ("watch-send-timeout", ServeOptions { watch_send_timeout: Some(GoDuration::from_secs(0)), ..base() }),
            ("request-burst", ServeOptions { request_burst: Some(0), ..base() }),
            ("watch-burst", ServeOptions { watch_burst: Some(0), ..base() }),
            ("downward-dir", ServeOptions { downward_dir: Some("tree".into()), ..base() }),
            ("runtime-state-dir", ServeOptions { runtime_state_dir: Some("run/containerd".into()), ..base() }),
            ("state-dir", ServeOptions { state_dir: Some(StateDir::Path("state".into())), ..base() }),
        ];
        for (option, options) in table {
            assert_eq!(Settings::resolve(options).unwrap_err().option, option);
        }
    }
}
