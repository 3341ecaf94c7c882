//! `nodepods logs`: what containers wrote, from the runtime's files on this node or from the daemon.

mod files;
mod follow;
mod over_http;
mod prefix;
mod target;
mod wish;

use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::api_client::ApiClient;
use super::client::PodsClient;
use super::clock::now;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::missing;
use super::one_pod::one_of_each;
use super::output::end_with_the_reader;
use super::selection::{Selection, Words};
use super::socket;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::time::Time;
use crate::config::duration::GoDuration;
use crate::config::settings::POD_LOGS_DIR;
use crate::pod::log_line::LogFilter;
use target::Target;
use wish::Wish;

/// Print what containers wrote. The files of the runtime on this node are read, so that neither a kubelet nor the
/// runtime has to run. Those who may not read them are given the logs by the daemon, if its socket for HTTP lets them
/// in.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "logs",
    help_triggers("-h", "--help"),
    example = "nodepods logs web-n1\nnodepods logs -f --tail=20 kube-system/etcd-n1\nnodepods logs -p web-n1 -c main\nnodepods logs -l app=web --all-containers --since=1h"
)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of the command line
pub struct Logs {
    /// go on with what is written
    #[argh(switch, short = 'f')]
    follow: bool,
    /// what the instance before this one wrote: the one that crashed
    #[argh(switch, short = 'p')]
    previous: bool,
    /// only so many lines from the end; -1 for all (default: all, with -l 10)
    #[argh(option, arg_name = "LINES")]
    tail: Option<i64>,
    /// only what is newer than this, such as 5s, 2m or 3h
    #[argh(option, arg_name = "DURATION")]
    since: Option<GoDuration>,
    /// only what is newer than this moment (RFC 3339)
    #[argh(option, arg_name = "TIME")]
    since_time: Option<String>,
    /// the container; default: the one that the pod's annotation kubectl.kubernetes.io/default-container names, or the
    /// first
    #[argh(option, short = 'c', arg_name = "CONTAINER")]
    container: Option<String>,
    /// of all containers, init containers too
    #[argh(switch)]
    all_containers: bool,
    /// each line with its time in front
    #[argh(switch)]
    timestamps: bool,
    /// each line with its pod and container in front
    #[argh(switch)]
    prefix: bool,
    /// at most so many bytes of each log
    #[argh(option, arg_name = "NUMBER")]
    limit_bytes: Option<u64>,
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "NAMESPACE")]
    namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    all_namespaces: bool,
    /// pods with these labels
    #[argh(option, short = 'l', arg_name = "LABELS")]
    selector: Option<String>,
    /// directory of the logs of all pods (default /var/log/pods); with it, the daemon is not asked for logs
    #[argh(option, arg_name = "DIR")]
    pod_logs_dir: Option<PathBuf>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
    /// the daemon's socket for HTTP, which is asked where the files cannot be read (default: NODEPODS_HTTP_SOCKET,
    /// http.sock beside a socket that is named, the configuration file, /run/nodepods/http.sock)
    #[argh(option, arg_name = "path")]
    http_socket: Option<PathBuf>,
    /// the pod: NAME, NAMESPACE/NAME or a UID; behind it, the container may be named too
    #[argh(positional, arg_name = "POD")]
    names: Vec<String>,
}

impl Command for Logs {
    fn run(mut self) -> Result<(), Failure> {
        // kubectl's old spelling: logs POD CONTAINER
        if self.names.len() == 2 && self.container.is_none() && !self.names.iter().any(|n| n == "pod" || n == "pods") {
            self.container = self.names.pop();
        }
        let selection = Selection::read("logs", self.words())?;
        if selection.wanted.is_empty() && self.selector.is_none() {
            return Err(Failure::usage("logs", "name a pod, or select pods with -l"));
        }
        if selection.wanted.len() > 1 {
            return Err(Failure::usage(
                "logs",
                "one pod at a time, and one container; several pods are selected with -l",
            ));
        }
        let wish = self.wish()?;
        let (pods, place) = self.pods()?;
        let (pods, missing) = selection.choose(&pods);
        missing::none(&missing)?;
        let pods = match self.selector {
            Some(_) => pods,
            None => the_one(pods)?,
        };
        let mut targets = Vec::new();
        for pod in &pods {
            targets.extend(target::of(pod, self.container.as_deref(), self.all_containers)?);
        }
        if pods.is_empty() {
            eprintln!("No resources found");
        }
        if self.follow {
            end_with_the_reader();
        }
        self.print(&place, &targets, &wish)
    }
}

/// The pod that a name means, unless there are several in different namespaces.
fn the_one(pods: Vec<PodBytes>) -> Result<Vec<PodBytes>, Failure> {
    let pods = one_of_each(pods);
    if pods.len() > 1 {
        let names: Vec<_> = pods.into_keys().collect();
        return Err(Failure::usage("logs", format!("several pods are called so: {}; say which", names.join(", "))));
    }
    Ok(pods.into_values().collect())
}

/// Who knows the pods, and has their logs.
enum Place {
    /// The daemon knows the pods; the runtime's files are here.
    Here(PodsClient),
    /// The daemon's reads over HTTP, for those who are not let in elsewhere.
    OverHttp(ApiClient),
}

impl Logs {
    fn words(&self) -> Words<'_> {
        Words::named(&self.names)
            .within(self.namespace.as_deref(), self.all_namespaces)
            .selected(self.selector.as_deref(), None)
    }

    /// The moment from which on lines are wanted.
    fn from(&self) -> Result<Option<Time>, Failure> {
        match (self.since, self.since_time.as_deref()) {
            (Some(_), Some(_)) => Err(Failure::usage("logs", "--since and --since-time exclude each other")),
            // As with kubectl, 0 means from the beginning.
            (Some(ago), None) if ago.0.is_zero() => Ok(None),
            (Some(ago), None) => {
                let ago = i64::try_from(ago.0.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
                Ok(Some(Time::from_unix(now().saturating_sub(ago))))
            }
            (None, Some(text)) => match Time::parse(text) {
                Some(time) => Ok(Some(time)),
                None => Err(Failure::usage(
                    "logs",
                    format!("--since-time: {text:?} is no time such as 2026-01-11T07:47:02Z"),
                )),
            },
            (None, None) => Ok(None),
        }
    }

    fn wish(&self) -> Result<Wish, Failure> {
        let tail = match self.tail {
            Some(n) if n < -1 => return Err(Failure::usage("logs", "--tail is a number of lines, or -1 for all")),
            None if self.selector.is_some() => Some(10),
            n => n.and_then(|n| u64::try_from(n).ok()),
        };
        if self.limit_bytes == Some(0) {
            return Err(Failure::usage("logs", "--limit-bytes is at least 1"));
        }
        let filter =
            LogFilter { since: self.from()?, timestamps: self.timestamps, stream: None, limit_bytes: self.limit_bytes };
        Ok(Wish { filter, tail, follow: self.follow, previous: self.previous, prefix: self.prefix })
    }

    /// All pods. Who is refused by the Pods API may be let in by the socket for HTTP.
    fn pods(&self) -> Result<(Vec<PodBytes>, Place), Failure> {
        let answer = socket::find("logs", &self.socket).and_then(|path| {
            let client = PodsClient::new(&path);
            Ok((client.list()?.0, client))
        });
        match answer {
            Ok((pods, client)) => Ok((pods, Place::Here(client))),
            Err(refused) if refused.exit == Exit::Permission && self.pod_logs_dir.is_none() => {
                let answer = self.api().and_then(|api| Ok((api.pods()?, api)));
                let (pods, api) =
                    answer.map_err(|other| if other.exit == Exit::Permission { other } else { refused })?;
                Ok((pods, Place::OverHttp(api)))
            }
            Err(failure) => Err(failure),
        }
    }

    fn api(&self) -> Result<ApiClient, Failure> {
        ApiClient::find(self.http_socket.as_deref(), &self.socket)
    }

    fn print(&self, place: &Place, targets: &[Target], wish: &Wish) -> Result<(), Failure> {
        let client = match place {
            Place::OverHttp(api) => return over_http::print(api, targets, wish),
            Place::Here(client) => client,
        };
        let root = self.pod_logs_dir.as_deref().unwrap_or(Path::new(POD_LOGS_DIR));
        match files::open(root, targets, wish) {
            Ok(logs) => files::print(client, logs, wish),
            // They may be for root alone, or elsewhere, as for a client in a container. The daemon has them, then.
            Err(none) if none.exit != Exit::Failure && self.pod_logs_dir.is_none() => match self.api() {
                Ok(api) => over_http::print(&api, targets, wish),
                Err(other) if none.exit == Exit::Permission => {
                    let why = other.message.lines().next().unwrap_or_default().trim_start_matches("error: ");
                    let message = format!("{}\nThe daemon would read them for you, but {why}.", none.message);
                    Err(Failure { message, ..none })
                }
                Err(_) => Err(none),
            },
            Err(failure) => Err(failure),
        }
    }
}
