//! `nodepods logs`: what containers wrote, from the runtime's files on this node.

mod follow;
mod target;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::clock::now;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::output::written;
use super::selection::{all_found, Selection, Words};
use super::socket;
use crate::codec::time::Time;
use crate::config::duration::GoDuration;
use crate::logs::{LogError, LogFiles, LogPlace, LogReader};
use crate::pod::log_line::{LogFilter, LogWriter};
use target::Target;

/// Where runtimes keep the logs of all pods (`kubernetes/kubernetes pkg/kubelet/kubelet.go`).
const ROOT: &str = "/var/log/pods";

/// Print what containers wrote. The files of the runtime on this node are read, so that neither a kubelet nor the
/// runtime has to run; only root may.
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
    /// directory of the logs of all pods (default /var/log/pods)
    #[argh(option, arg_name = "DIR")]
    log_dir: Option<PathBuf>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
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
        let filter =
            LogFilter { since: self.from()?, timestamps: self.timestamps, stream: None, limit_bytes: self.limit_bytes };
        let client = PodsClient::new(&socket::find("logs", &self.socket)?);
        let (pods, missing) = selection.choose(client.list()?.0);
        all_found(&missing)?;
        let mut targets = Vec::new();
        for pod in &pods {
            targets.extend(target::of(pod, self.container.as_deref(), self.all_containers)?);
        }
        if pods.len() > 1 && self.selector.is_none() {
            let names: Vec<_> = targets.iter().map(|t| format!("{}/{}", t.namespace, t.pod)).collect();
            return Err(Failure::usage("logs", format!("several pods are called so: {}", names.join(", "))));
        }
        self.print(&client, targets, &filter)
    }
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
            (Some(ago), None) => {
                let ago = i64::try_from(ago.0.as_secs()).unwrap_or(i64::MAX);
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

    fn print(&self, client: &PodsClient, targets: Vec<Target>, filter: &LogFilter) -> Result<(), Failure> {
        let tail = self.tail.or_else(|| self.selector.is_some().then_some(10)).and_then(|n| u64::try_from(n).ok());
        let root = self.log_dir.as_deref().unwrap_or(Path::new(ROOT));
        let several = targets.len() > 1;
        let mut out = BufWriter::new(io::stdout().lock());
        let mut open = Vec::new();
        for target in targets {
            let place = LogPlace {
                root,
                namespace: &target.namespace,
                pod: &target.pod,
                uids: &target.uids,
                container: &target.container,
            };
            let reader = LogFiles::find(&place, self.previous).and_then(|files| LogReader::open(files, tail));
            match reader {
                Ok(reader) => {
                    let mut log =
                        follow::Log { target, reader, writer: LogWriter::new(filter.clone()), prefix: self.prefix };
                    match log.copy(&mut out) {
                        Ok(()) => open.push(log),
                        Err(failure) => return failure.done(),
                    }
                }
                // Of several containers, some have not started or have written nothing.
                Err(LogError::NotFound) if several => {}
                Err(e) => return Err(no_log(&e, &target, self.previous, root)),
            }
        }
        if let Err(e) = out.flush() {
            return written(Err(e));
        }
        match self.follow && !self.previous {
            true => follow::on(client, open, &mut out),
            false => Ok(()),
        }
    }
}

/// Why there is no log, as far as the pod's status tells.
fn no_log(error: &LogError, target: &Target, previous: bool, root: &Path) -> Failure {
    let (pod, container) = (&target.pod, &target.container);
    match error {
        LogError::Io(path, e) if e.kind() == io::ErrorKind::PermissionDenied => Failure::new(
            Exit::Permission,
            format!("error: no access to {}: {e}\nThe runtime's logs are for root alone: try sudo.", path.display()),
        ),
        LogError::NotFound if previous => Failure::new(
            Exit::NotFound,
            format!("error: container {container} in pod {pod} has no earlier instance whose log is still there"),
        ),
        LogError::NotFound => {
            let why = match target.waiting.as_str() {
                "" => format!("has no log in {}", root.display()),
                reason => format!("is waiting to start: {reason}"),
            };
            Failure::new(Exit::NotFound, format!("error: container {container} in pod {pod} {why}"))
        }
        other => Failure::new(Exit::Failure, format!("error: {other}")),
    }
}
