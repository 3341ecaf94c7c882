//! The settings of the daemon as options: what the command line says, filled up by the configuration file.

use std::path::PathBuf;
use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};

use super::duration::GoDuration;
use super::narrow::NarrowSocket;
use super::values::{Endpoint, Hidden, KubeletEndpoint, Listen, LogFormat, Mode, SourceName, StateDir};
use crate::harden::switches::{Landlock, Seccomp, Toggle};
use crate::source::kubeconfig::Choice;

/// Run the daemon, which knows this node's pods. It finds manifests and the container runtime by itself, and serves
/// the pods on root-only sockets. Every option can also stand in the configuration file, under the same name; the
/// command line wins.
#[derive(ArgsInfo, Clone, Debug, Default, FromArgs, PartialEq)]
#[argh(subcommand, name = "serve", help_triggers("-h", "--help"))]
pub struct ServeOptions {
    /// directory or file with static pod manifests (default: the one of the distribution that is found)
    #[argh(option, arg_name = "path")]
    pub pod_manifest_path: Option<PathBuf>,
    /// address of a Pod or a PodList to read static pods from, http or https; also accepted as --pod-manifest-url
    #[argh(option, arg_name = "url")]
    pub manifest_url: Option<Hidden>,
    /// header that goes with each request for the manifest URL; may be repeated; better kept in the configuration
    /// file, since other users can see a command line
    #[argh(option, arg_name = "name:value")]
    pub manifest_url_header: Vec<Hidden>,
    /// how often the manifest URL is asked (default 20s)
    #[argh(option, arg_name = "duration")]
    pub http_check_frequency: Option<GoDuration>,
    /// also take this node's pods from the API server, with the credentials of this file; auto uses the kubelet's
    /// own, in-cluster the pod's service account, http://HOST:PORT a kubectl proxy (default: the API server is not
    /// asked)
    #[argh(option, arg_name = "path|auto|in-cluster|url")]
    pub kubeconfig: Option<Choice>,
    /// socket of the container runtime, or none for manifests only (default: the one that is found)
    #[argh(option, arg_name = "unix:///path|none")]
    pub container_runtime_endpoint: Option<Endpoint>,
    /// name of this node (default: what the kubelet on this node calls it)
    #[argh(option, arg_name = "name")]
    pub hostname_override: Option<String>,
    /// socket to serve on; may be repeated (default: /var/lib/kubelet/pods/kubelet.sock and
    /// /run/nodepods/pods.sock)
    #[argh(option, arg_name = "path")]
    pub socket: Vec<PathBuf>,
    /// permission bits of the sockets (default 0600)
    #[argh(option, arg_name = "octal")]
    pub socket_mode: Option<Mode>,
    /// user id, besides root and the daemon's own, whose connections are accepted; may be repeated
    #[argh(option, arg_name = "uid")]
    pub allow_uid: Vec<u32>,
    /// group id whose members' connections are accepted; may be repeated
    #[argh(option, arg_name = "GID")]
    pub allow_gid: Vec<u32>,
    /// another socket that shows less, with a group that may connect: key=value pairs with ; between them, of path,
    /// group, mode, fields, namespace, label-selector, field-selector, redact; may be repeated; a mapping of these in
    /// the configuration file
    #[argh(option, arg_name = "path=...;fields=...")]
    pub narrow_socket: Vec<NarrowSocket>,
    /// directory for what outlives a restart, or none (default /var/lib/nodepods)
    #[argh(option, arg_name = "path|none")]
    pub state_dir: Option<StateDir>,
    /// configuration file (default /etc/nodepods/config.yaml, if it is there)
    #[argh(option, arg_name = "path")]
    pub config: Option<PathBuf>,
    /// socket for reads over HTTP, or none; may be repeated (default: /run/nodepods/http.sock, unless --socket names
    /// other places)
    #[argh(option, arg_name = "path|none")]
    pub http_socket: Vec<PathBuf>,
    /// address and port on which metrics and health, and nothing about single pods, are served to anybody over HTTP
    /// (default: none)
    #[argh(option, arg_name = "address:port")]
    pub metrics_listen: Option<Listen>,
    /// file to which metrics are written every 15 s, for the textfile collector of node_exporter (default: none)
    #[argh(option, arg_name = "path")]
    pub metrics_textfile: Option<PathBuf>,
    /// directory in which every pod is kept as small files for scripts: NAMESPACE/NAME/phase and so on; new or empty
    /// (default: none)
    #[argh(option, arg_name = "path")]
    pub downward_dir: Option<PathBuf>,
    /// how often all manifests are read again, besides when they change (default 20s)
    #[argh(option, arg_name = "duration")]
    pub file_check_frequency: Option<GoDuration>,
    /// how often the runtime is asked for its containers (default 1s)
    #[argh(option, arg_name = "duration")]
    pub cri_poll_interval: Option<GoDuration>,
    /// where a kubelet tells its pods: the socket of its own Pods API, the address of its read-only port, or none
    /// (default: the socket of the distribution that is found)
    #[argh(option, arg_name = "unix:///path|url|none")]
    pub kubelet_endpoint: Option<KubeletEndpoint>,
    /// how often a kubelet's read-only port is asked (default 5s)
    #[argh(option, arg_name = "duration")]
    pub kubelet_poll_interval: Option<GoDuration>,
    /// state directory of containerd, where a container's start and end shows before the next poll (default: beside the
    /// runtime's socket)
    #[argh(option, arg_name = "path")]
    pub runtime_state_dir: Option<PathBuf>,
    /// directory in which the runtime keeps the logs of containers: the kubelet's podLogsDir (default /var/log/pods)
    #[argh(option, arg_name = "path")]
    pub pod_logs_dir: Option<PathBuf>,
    /// how long a silent runtime is waited for before pods are served without it; 0 waits for ever (default 15s)
    #[argh(option, arg_name = "duration")]
    pub init_timeout: Option<GoDuration>,
    /// source without which nothing is served: file, http, cri, apiserver or kubelet; may be repeated
    #[argh(option, arg_name = "source")]
    pub require: Vec<SourceName>,
    /// how long a watching client may take no data before it is dropped (default 60s)
    #[argh(option, arg_name = "duration")]
    pub watch_send_timeout: Option<GoDuration>,
    /// most watches at a time (default 1024)
    #[argh(option, arg_name = "number")]
    pub max_watchers: Option<usize>,
    /// most connections at a time (default 256)
    #[argh(option, arg_name = "number")]
    pub max_connections: Option<usize>,
    /// unary calls that each connection may make in a second, over time; 0 is no limit (default 100)
    #[argh(option, arg_name = "number")]
    pub request_qps: Option<u32>,
    /// unary calls that each connection may make at once (default 200)
    #[argh(option, arg_name = "number")]
    pub request_burst: Option<u32>,
    /// watches that each connection may start in a second, over time; 0 is no limit (default 10)
    #[argh(option, arg_name = "number")]
    pub watch_qps: Option<u32>,
    /// watches that each connection may start at once (default 100)
    #[argh(option, arg_name = "number")]
    pub watch_burst: Option<u32>,
    /// system calls that the daemon does not need: enforce refuses them, log lets the kernel note them, off has no
    /// filter (default enforce)
    #[argh(option, arg_name = "enforce|log|off")]
    pub seccomp: Option<Seccomp>,
    /// files and networks that the daemon does not need: auto shuts them off as far as the kernel can, require does
    /// not start where it cannot, off leaves them open (default auto)
    #[argh(option, arg_name = "auto|require|off")]
    pub landlock: Option<Landlock>,
    /// give up the capabilities that are not needed (default on)
    #[argh(option, arg_name = "on|off")]
    pub drop_capabilities: Option<Toggle>,
    /// give up gaining privileges by running programs; seccomp and landlock imply it (default on)
    #[argh(option, arg_name = "on|off")]
    pub no_new_privileges: Option<Toggle>,
    /// write no core file, which would hold the pods' environment (default on)
    #[argh(option, arg_name = "on|off")]
    pub no_core_dumps: Option<Toggle>,
    /// form of the log on standard error: text or json (default text)
    #[argh(option, arg_name = "format")]
    pub log_format: Option<LogFormat>,
    /// log more: -v for details, -vv for everything; NODEPODS_LOG sets the level too
    #[argh(switch, short = 'v')]
    pub verbose: u8,
}

/// Keys of the configuration file: the options of `serve`, but for the file itself and for `-v`.
pub const KEYS: &[&str] = &[
    "pod-manifest-path",
    "manifest-url",
    "manifest-url-header",
    "http-check-frequency",
    "kubeconfig",
    "container-runtime-endpoint",
    "hostname-override",
    "socket",
    "socket-mode",
    "allow-uid",
    "allow-gid",
    "narrow-socket",
    "state-dir",
    "http-socket",
    "metrics-listen",
    "metrics-textfile",
    "downward-dir",
    "file-check-frequency",
    "cri-poll-interval",
    "kubelet-endpoint",
    "kubelet-poll-interval",
    "runtime-state-dir",
    "pod-logs-dir",
    "init-timeout",
    "require",
    "watch-send-timeout",
    "max-watchers",
    "max-connections",
    "request-qps",
    "request-burst",
    "watch-qps",
    "watch-burst",
    "seccomp",
    "landlock",
    "drop-capabilities",
    "no-new-privileges",
    "no-core-dumps",
    "log-format",
];

/// The name of an option that has another one in circulation.
#[must_use]
pub fn proper_name(name: &str) -> &str {
    match name {
        "pod-manifest-url" => "manifest-url",
        other => other,
    }
}

/// Why a key of the configuration file cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FillError {
    /// No option has this name.
    UnknownKey,
    /// A list stands where one value is expected.
    NotAList,
    /// The value with this position in the list does not fit.
    Value(usize, String),
}

impl ServeOptions {
    /// Takes the values of one key of the configuration file, unless the command line has said something else.
    /// They are checked all the same.
    ///
    /// # Errors
    /// The key is unknown, or a value does not fit it.
    pub fn fill(&mut self, key: &str, values: &[String]) -> Result<(), FillError> {
        match key {
            "pod-manifest-path" => one(&mut self.pod_manifest_path, values),
            "manifest-url" => one(&mut self.manifest_url, values),
            "manifest-url-header" => many(&mut self.manifest_url_header, values),
            "http-check-frequency" => one(&mut self.http_check_frequency, values),
            "kubeconfig" => one(&mut self.kubeconfig, values),
            "container-runtime-endpoint" => one(&mut self.container_runtime_endpoint, values),
            "hostname-override" => one(&mut self.hostname_override, values),
            "socket" => many(&mut self.socket, values),
            "socket-mode" => one(&mut self.socket_mode, values),
            "allow-uid" => many(&mut self.allow_uid, values),
            "allow-gid" => many(&mut self.allow_gid, values),
            "narrow-socket" => many(&mut self.narrow_socket, values),
            "state-dir" => one(&mut self.state_dir, values),
            "http-socket" => many(&mut self.http_socket, values),
            "metrics-listen" => one(&mut self.metrics_listen, values),
            "metrics-textfile" => one(&mut self.metrics_textfile, values),
            "downward-dir" => one(&mut self.downward_dir, values),
            "file-check-frequency" => one(&mut self.file_check_frequency, values),
            "cri-poll-interval" => one(&mut self.cri_poll_interval, values),
            "kubelet-endpoint" => one(&mut self.kubelet_endpoint, values),
            "kubelet-poll-interval" => one(&mut self.kubelet_poll_interval, values),
            "runtime-state-dir" => one(&mut self.runtime_state_dir, values),
            "pod-logs-dir" => one(&mut self.pod_logs_dir, values),
            "init-timeout" => one(&mut self.init_timeout, values),
            "require" => many(&mut self.require, values),
            "watch-send-timeout" => one(&mut self.watch_send_timeout, values),
            "max-watchers" => one(&mut self.max_watchers, values),
            "max-connections" => one(&mut self.max_connections, values),
            "request-qps" => one(&mut self.request_qps, values),
            "request-burst" => one(&mut self.request_burst, values),
            "watch-qps" => one(&mut self.watch_qps, values),
            "watch-burst" => one(&mut self.watch_burst, values),
            "seccomp" => one(&mut self.seccomp, values),
            "landlock" => one(&mut self.landlock, values),
            "drop-capabilities" => one(&mut self.drop_capabilities, values),
            "no-new-privileges" => one(&mut self.no_new_privileges, values),
            "no-core-dumps" => one(&mut self.no_core_dumps, values),
            "log-format" => one(&mut self.log_format, values),
            _ => Err(FillError::UnknownKey),
        }
    }
}

fn one<T: FromStr<Err: ToString>>(slot: &mut Option<T>, values: &[String]) -> Result<(), FillError> {
    let [value] = values else {
        return Err(FillError::NotAList);
    };
    let value = value.parse().map_err(|e: T::Err| FillError::Value(0, in_our_words(&e)))?;
    slot.get_or_insert(value);
    Ok(())
}

fn many<T: FromStr<Err: ToString>>(slot: &mut Vec<T>, values: &[String]) -> Result<(), FillError> {
    let parse = |(i, v): (usize, &String)| v.parse().map_err(|e: T::Err| FillError::Value(i, in_our_words(&e)));
    let values = values.iter().enumerate().map(parse).collect::<Result<Vec<T>, _>>()?;
    if slot.is_empty() {
        *slot = values;
    }
    Ok(())
}

/// Why a value does not fit. What the standard library has against a number is for programmers.
pub fn in_our_words(problem: &impl ToString) -> String {
    let problem = problem.to_string();
    match problem.contains("digit") || problem.contains("number too") || problem.contains("empty string") {
        true => "a whole number is expected, 0 or more".into(),
        false => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_a_key_of_the_file() {
        let flags = ServeOptions::get_args_info().flags;
        let options: Vec<_> = flags.iter().map(|f| f.long.trim_start_matches('-')).collect();
        let settings: Vec<_> = options.iter().copied().filter(|o| !["config", "verbose", "help"].contains(o)).collect();
        assert_eq!(settings, KEYS);
        for key in KEYS {
            assert_ne!(ServeOptions::default().fill(key, &["1".into()]), Err(FillError::UnknownKey), "{key}");
        }
    }

    #[test]
    fn the_command_line_wins_and_the_file_is_checked_all_the_same() {
        let mut options = ServeOptions { socket: vec!["/a".into()], ..ServeOptions::default() };
        options.fill("socket", &["/b".into(), "/c".into()]).unwrap();
        options.fill("init-timeout", &["5s".into()]).unwrap();
        assert_eq!(options.socket, [PathBuf::from("/a")]);
        assert_eq!(options.init_timeout, Some(GoDuration::from_secs(5)));
        let error = options.fill("allow-uid", &["1".into(), "root".into()]).unwrap_err();
        assert!(matches!(error, FillError::Value(1, _)), "{error:?}");
        assert_eq!(options.fill("init-timeout", &[]), Err(FillError::NotAList));
        assert!(options.fill("init-timeout", &["5".into()]).is_err());
    }
}
