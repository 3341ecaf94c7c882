//! Settings as the daemon uses them: every value there, checked for sense.

mod check;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::duration::GoDuration;
use super::narrow::NarrowSocket;
use super::options::ServeOptions;
use super::values::{Endpoint, KubeletEndpoint, LogFormat, Mode, StateDir};
use crate::harden::switches::Switches;
use crate::source::http::url::UrlError;
use crate::source::kubeconfig::Choice;
use crate::source::url;
use crate::store::update::SourceId;

/// The path that the Kubernetes documentation names.
pub const DOCUMENTED_SOCKET: &str = "/var/lib/kubelet/pods/kubelet.sock";
/// The socket to mount into client pods: in a directory of its own.
pub const OWN_SOCKET: &str = "/run/nodepods/pods.sock";
/// What is served on when nothing is named.
pub const DEFAULT_SOCKETS: [&str; 2] = [DOCUMENTED_SOCKET, OWN_SOCKET];
/// The socket for reads over HTTP.
pub const HTTP_SOCKET: &str = "/run/nodepods/http.sock";
/// Where the kubelet has the runtime keep the logs of containers.
pub const POD_LOGS_DIR: &str = "/var/log/pods";
/// Where state is kept.
pub const STATE_DIR: &str = "/var/lib/nodepods";

/// Everything that `serve` needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Directory or file with manifests; `None` looks for the distribution's.
    pub pod_manifest_path: Option<PathBuf>,
    /// The manifest URL; `None` asks none.
    pub manifest_url: Option<url::Options>,
    /// How the API server is reached; `None` leaves it alone.
    pub kubeconfig: Option<Choice>,
    /// The runtime; `None` looks for it.
    pub runtime: Option<Endpoint>,
    /// The node's name; `None` finds it out.
    pub hostname_override: Option<String>,
    /// Sockets to serve on; none stand for those that systemd passes on, or else for [`DEFAULT_SOCKETS`].
    pub sockets: Vec<PathBuf>,
    /// Sockets for reads over HTTP.
    pub http_sockets: Vec<PathBuf>,
    /// Where metrics and health are served over TCP; `None` nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The file for node_exporter; `None` writes none.
    pub metrics_textfile: Option<PathBuf>,
    /// Where all pods are kept as files; `None` nowhere.
    pub downward_dir: Option<PathBuf>,
    /// Sockets that show less.
    pub narrow_sockets: Vec<NarrowSocket>,
    /// Permission bits of all the others.
    pub socket_mode: u32,
    /// Users besides root and our own whose connections are accepted.
    pub allow_uids: Vec<u32>,
    /// Groups whose members' connections are accepted.
    pub allow_gids: Vec<u32>,
    /// Where state is kept; `None` keeps nothing.
    pub state_dir: Option<PathBuf>,
    /// Period of full manifest reads.
    pub file_check_frequency: Duration,
    /// Period of runtime polls.
    pub cri_poll_interval: Duration,
    /// Where a kubelet tells its pods; `None` looks for it.
    pub kubelet: Option<KubeletEndpoint>,
    /// Period of polls of a kubelet's read-only port.
    pub kubelet_poll_interval: Duration,
    /// containerd's state directory; `None` looks beside the runtime's socket.
    pub runtime_state_dir: Option<PathBuf>,
    /// Where the runtime keeps the logs of containers.
    pub pod_logs_dir: PathBuf,
    /// How long a silent runtime is waited for; `None` waits for ever.
    pub init_timeout: Option<Duration>,
    /// Sources that are waited for besides the manifests and the runtime.
    pub require: Vec<SourceId>,
    /// How long a watcher may take nothing.
    pub watch_send_timeout: Duration,
    /// Most watches at a time.
    pub max_watchers: usize,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Unary calls of each connection.
    pub requests: Allowance,
    /// Starts of watches of each connection.
    pub watches: Allowance,
    /// What of the hardening is on.
    pub hardening: Switches,
    /// Form of the log.
    pub log_format: LogFormat,
    /// 0 for changes of state, 1 for details, 2 for everything.
    pub verbosity: u8,
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// In a second, over time; 0 is no limit.
    pub per_second: u32,
    /// At once, after a time of rest.
    pub burst: u32,
}

/// A value that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The option.
    pub option: &'static str,
    /// What is wrong with its value.
    pub problem: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option, self.problem)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Puts defaults where nothing was said, and checks what was said.
    ///
    /// # Errors
    /// A value makes no sense; the first one is named.
    pub fn resolve(options: ServeOptions) -> Result<Self, SettingsError> {
        let span = |value: Option<GoDuration>, default: u64| value.map_or(Duration::from_secs(default), |d| d.0);
        let manifest_url = manifest_url(&options)?;
        let settings = Self {
            pod_manifest_path: options.pod_manifest_path,
            manifest_url,
            kubeconfig: options.kubeconfig,
            runtime: options.container_runtime_endpoint,
            // As the kubelet does (`kubernetes/kubernetes pkg/util/node`, GetHostname).
            hostname_override: options.hostname_override.map(|name| name.trim().to_lowercase()),
            http_sockets: http_sockets(options.http_socket, &options.socket),
            metrics_listen: options.metrics_listen.map(|listen| listen.0),
            metrics_textfile: options.metrics_textfile,
            downward_dir: options.downward_dir,
            sockets: options.socket,
            narrow_sockets: options.narrow_socket,
            socket_mode: options.socket_mode.unwrap_or(Mode(0o600)).0,
            allow_uids: options.allow_uid,
            allow_gids: options.allow_gid,
            state_dir: match options.state_dir {
                None => Some(STATE_DIR.into()),
                Some(StateDir::Path(path)) => Some(path),
                Some(StateDir::None) => None,
            },
            file_check_frequency: span(options.file_check_frequency, 20),
            cri_poll_interval: span(options.cri_poll_interval, 1),
            kubelet: options.kubelet_endpoint,
            kubelet_poll_interval: span(options.kubelet_poll_interval, 5),
            runtime_state_dir: options.runtime_state_dir,
            pod_logs_dir: options.pod_logs_dir.unwrap_or_else(|| POD_LOGS_DIR.into()),
            init_timeout: Some(span(options.init_timeout, 15)).filter(|d| !d.is_zero()),
            require: options.require.into_iter().map(|name| name.0).collect(),
            watch_send_timeout: span(options.watch_send_timeout, 60),
            max_watchers: options.max_watchers.unwrap_or(1024),
            max_connections: options.max_connections.unwrap_or(256),
            requests: allowance(options.request_qps, options.request_burst, 100, 200),
            watches: allowance(options.watch_qps, options.watch_burst, 10, 100),
            hardening: Switches {
                seccomp: options.seccomp.unwrap_or_default(),
                landlock: options.landlock.unwrap_or_default(),
                drop_capabilities: options.drop_capabilities.is_none_or(|t| t.0),
                no_new_privileges: options.no_new_privileges.is_none_or(|t| t.0),
                no_core_dumps: options.no_core_dumps.is_none_or(|t| t.0),
            },
            log_format: options.log_format.unwrap_or_default(),
            verbosity: options.verbose,
        };
        settings.check()?;
        Ok(settings)
    }
}

fn allowance(per_second: Option<u32>, burst: Option<u32>, usual: u32, usual_burst: u32) -> Allowance {
    Allowance { per_second: per_second.unwrap_or(usual), burst: burst.unwrap_or(usual_burst) }
}

/// What is asked of a manifest URL. Errors repeat neither the address nor a header's value.
fn manifest_url(options: &ServeOptions) -> Result<Option<url::Options>, SettingsError> {
    let mut headers = Vec::new();
    for header in &options.manifest_url_header {
        let option = "manifest-url-header";
        headers.push(header.expose().parse().map_err(|problem| SettingsError { option, problem })?);
    }
    let Some(address) = &options.manifest_url else {
        let (option, problem) = ("manifest-url-header", "it goes with --manifest-url, which is not given".into());
        return if headers.is_empty() { Ok(None) } else { Err(SettingsError { option, problem }) };
    };
    let wrong = |e: UrlError| SettingsError { option: "manifest-url", problem: e.to_string() };
    let every = options.http_check_frequency.map_or(Duration::from_secs(20), |d| d.0);
    Ok(Some(url::Options { url: address.expose().parse().map_err(wrong)?, headers, every }))
}

/// The sockets for HTTP. Whoever names `--socket` wants a daemon of his own, which must not take the default place.
fn http_sockets(named: Vec<PathBuf>, sockets: &[PathBuf]) -> Vec<PathBuf> {
    match named.as_slice() {
        [] if sockets.is_empty() => vec![HTTP_SOCKET.into()],
        [none] if none.as_os_str() == "none" => Vec::new(),
        _ => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::Hidden;

    #[test]
    fn defaults() {
        let settings = Settings::resolve(ServeOptions::default()).unwrap();
        assert!(settings.sockets.is_empty());
        assert_eq!((settings.socket_mode, settings.state_dir), (0o600, Some(STATE_DIR.into())));
        assert_eq!(settings.init_timeout, Some(Duration::from_secs(15)));
        assert_eq!((settings.max_watchers, settings.max_connections), (1024, 256));
        assert_eq!(settings.requests, Allowance { per_second: 100, burst: 200 });
        assert_eq!(settings.watches, Allowance { per_second: 10, burst: 100 });
        assert_eq!(settings.http_sockets, [PathBuf::from(HTTP_SOCKET)]);
    }

    #[test]
    fn sockets_for_http() {
        let path = PathBuf::from;
        for (named, sockets, want) in
            [(&[][..], &["/s"][..], &[][..]), (&["none"], &[], &[]), (&["/a", "/b"], &["/s"], &["/a", "/b"])]
        {
            let named = named.iter().map(path).collect();
            let sockets: Vec<_> = sockets.iter().map(path).collect();
            assert_eq!(http_sockets(named, &sockets), want.iter().map(path).collect::<Vec<_>>());
        }
        let options = ServeOptions { http_socket: vec!["relative".into()], ..ServeOptions::default() };
        assert!(Settings::resolve(options).is_err());
    }

    #[test]
    fn a_manifest_url_with_headers_and_no_secret_in_an_error() {
        let hidden = |text: &str| text.parse::<Hidden>().unwrap();
        let options = |url: Option<&str>, header: &str| ServeOptions {
            manifest_url: url.map(hidden),
            manifest_url_header: vec![hidden(header)],
            ..ServeOptions::default()
        };
        let settings = Settings::resolve(options(Some("https://u:hunter2@h/x"), "X-Key:hunter2")).unwrap();
        let url = settings.manifest_url.clone().unwrap();
        assert_eq!((url.url.to_string().as_str(), url.headers.len()), ("https://h/x", 1));
        assert_eq!(url.every, Duration::from_secs(20));
        assert!(!format!("{settings:?}").contains("hunter"));
        for (url, header, option) in [
            (Some("hunter2"), "X-Key:v", "manifest-url"),
            (Some("http://h/"), "hunter2", "manifest-url-header"),
            (None, "X-Key:hunter2", "manifest-url-header"),
        ] {
            let error = Settings::resolve(options(url, header)).unwrap_err();
            assert_eq!(error.option, option);
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
    }

    #[test]
    fn none_and_zero_mean_what_they_say() {
        let options = ServeOptions {
            state_dir: Some(StateDir::None),
            init_timeout: Some(GoDuration::from_secs(0)),
            container_runtime_endpoint: Some(Endpoint::None),
            hostname_override: Some("Node1".into()),
            ..ServeOptions::default()
        };
        let settings = Settings::resolve(options).unwrap();
        assert_eq!(settings.hostname_override.as_deref(), Some("node1"));
        assert_eq!((settings.state_dir, settings.init_timeout), (None, None));
        assert_eq!(settings.runtime, Some(Endpoint::None));
    }
}
