//! `nodepods wait`: until pods are as they should be.

mod condition;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::comeback::ended;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::output::print;
use super::pods_now::PodsNow;
use super::progress::Progress;
use super::resource::PodName;
use super::selection::{Selection, Words};
use super::socket;
use crate::codec::pod_bytes::PodBytes;
use crate::config::duration::GoDuration;
use crate::pod::lookup::text;
use condition::Condition;

/// How often a daemon that is not there is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Wait until pods are as they should be. The daemon and the pods need not be there yet: they are waited for as well,
/// which makes it fit for ExecStartPre= of a unit. Exit code 1 when the time is over.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "wait",
    help_triggers("-h", "--help"),
    example = "nodepods wait --for=condition=Ready kube-system/etcd-n1 --timeout=2m\nnodepods wait --for=phase=Running -l app=web\nnodepods wait --for=delete pod/web-n1\nnodepods wait --for=jsonpath='{{.status.podIP}}' pod/web-n1"
)]
pub struct Wait {
    /// what to wait for: condition=NAME[=VALUE], phase=PHASE, delete, create or jsonpath=PATH[=VALUE]
    #[argh(option, long = "for", arg_name = "condition=NAME|phase=PHASE|delete|create|jsonpath=PATH")]
    condition: String,
    /// how long, such as 30s or 2m; 0 looks once, a negative one waits for a week (default 30s)
    #[argh(option, arg_name = "DURATION")]
    timeout: Option<String>,
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "NAMESPACE")]
    namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    all_namespaces: bool,
    /// pods with these labels; one at least has to be there
    #[argh(option, short = 'l', arg_name = "LABELS")]
    selector: Option<String>,
    /// pods with these fields; one at least has to be there
    #[argh(option, arg_name = "FIELDS")]
    field_selector: Option<String>,
    /// all pods; one at least has to be there
    #[argh(switch)]
    all: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
    /// NAME, NAMESPACE/NAME or UID; as in kubectl, pod or pods may stand in front
    #[argh(positional, arg_name = "POD")]
    names: Vec<String>,
}

impl Command for Wait {
    fn run(self) -> Result<(), Failure> {
        let words = Words::named(&self.names)
            .within(self.namespace.as_deref(), self.all_namespaces)
            .selected(self.selector.as_deref(), self.field_selector.as_deref());
        let selection = Selection::read("wait", words)?;
        if selection.wanted.is_empty() && selection.selector.is_everything() && !self.all {
            return Err(Failure::usage("wait", "name pods, or select them with -l, --field-selector or --all"));
        }
        let condition = Condition::parse(&self.condition).map_err(|problem| Failure::usage("wait", problem))?;
        let until = Instant::now() + patience(self.timeout.as_deref())?;
        let mut watch = Watching { selection, condition, until, now: PodsNow::default() };
        let done = watch.run(&self.socket)?;
        print(&done.iter().map(|name| format!("pod/{name} {}\n", watch.condition.met())).collect::<String>())
    }
}

fn patience(timeout: Option<&str>) -> Result<Duration, Failure> {
    let text = timeout.unwrap_or("30s");
    if text.starts_with('-') {
        return Ok(Duration::from_secs(7 * 24 * 3600)); // as kubectl does
    }
    let wrong = |e: &dyn std::fmt::Display| Failure::usage("wait", format!("--timeout: {text:?}: {e}"));
    text.parse::<GoDuration>().map(|d| d.0).map_err(|e| wrong(&e))
}

/// What is known while it is waited.
struct Watching {
    selection: Selection,
    condition: Condition,
    until: Instant,
    /// The pods that are meant.
    now: PodsNow,
}

impl Watching {
    /// Waits; the names of the pods that are as they should be.
    fn run(&mut self, sockets: &[PathBuf]) -> Result<Vec<String>, Failure> {
        let progress = Progress::start("waiting");
        loop {
            let gone = match self.follow(sockets, &progress) {
                Ok(Some(names)) => return Ok(names),
                Ok(None) => ended(),
                Err(failure) if failure.exit == Exit::Unavailable => failure,
                Err(failure) => return Err(failure),
            };
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(if self.now.complete { self.over() } else { gone });
            }
            progress.say("waiting for the daemon");
            thread::sleep(LOOK_AGAIN.min(left));
        }
    }

    /// Follows one stream until the pods are as they should be, the time is over or the daemon goes away.
    fn follow(&mut self, sockets: &[PathBuf], progress: &Progress) -> Result<Option<Vec<String>>, Failure> {
        let client = PodsClient::new(&socket::find("wait", sockets)?);
        // At least one look is taken, whatever time is left.
        let left = self.until.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        self.now = PodsNow::default();
        for event in client.watch_for(left)? {
            self.now.take(event?, |pod| self.selection.shows(pod));
            if self.now.complete {
                if let Some(names) = self.done()? {
                    return Ok(Some(names));
                }
                if Instant::now() >= self.until {
                    return Err(self.over());
                }
                progress.say(&format!("waiting for {}", self.lacking().join(", ")));
            }
        }
        Ok(None)
    }

    /// The names of all pods that are meant, if all of them are as they should be.
    fn done(&self) -> Result<Option<Vec<String>>, Failure> {
        let mut names: Vec<_> = self.now.pods.values().map(|pod| text(pod, "metadata.name").into_owned()).collect();
        names.sort();
        if matches!(self.condition, Condition::Deleted) {
            let asked = self.selection.wanted.iter().map(|w| w.name.clone()).collect();
            return Ok(names.is_empty().then_some(asked));
        }
        for pod in self.now.pods.values() {
            if !self.condition.holds(pod)? {
                return Ok(None);
            }
        }
        Ok((!names.is_empty() && self.absent().is_empty()).then_some(names))
    }

    /// Names that mean no pod yet.
    fn absent(&self) -> Vec<String> {
        let means = |w: &super::resource::Wanted, pod: &PodBytes| {
            let [namespace, name, uid] = ["metadata.namespace", "metadata.name", "metadata.uid"].map(|p| text(pod, p));
            let called = PodName { namespace: &namespace, name: &name, uid: &uid };
            w.means(&called, self.selection.namespace.as_deref())
        };
        let missing = |w: &&super::resource::Wanted| !self.now.pods.values().any(|pod| means(w, pod));
        self.selection.wanted.iter().filter(missing).map(|w| w.name.clone()).collect()
    }

    /// Pods that are not as they should be, for messages.
    fn lacking(&self) -> Vec<String> {
        let not_yet = |pod: &&PodBytes| !self.condition.holds(pod).unwrap_or(false);
        let mut names: Vec<_> =
            self.now.pods.values().filter(not_yet).map(|pod| format!("pods/{}", text(pod, "metadata.name"))).collect();
        names.sort();
        names.extend(self.absent().into_iter().map(|name| format!("pods/{name}, which is not there")));
        if names.is_empty() && self.now.pods.is_empty() {
            names.push("a pod that is selected".into());
        }
        names
    }

    fn over(&self) -> Failure {
        let what = self.condition.wanted();
        Failure::new(
            Exit::Failure,
            format!(
                "error: timed out waiting for {what} on {}\n'nodepods why' says what is wrong with them.",
                self.lacking().join(", ")
            ),
        )
    }
}
