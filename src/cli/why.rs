//! `nodepods why`: one answer to "why is it not running".

mod answer;
mod images;
mod kubelet;
mod look_up;
mod machine;
mod manifest_file;
mod node;
mod report;
mod wanted;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use self::answer::{Answer, Known};
use self::look_up::LookUp;
use super::api_client::ApiClient;
use super::client::PodsClient;
use super::clock::now;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::output::print;
use super::socket;

/// Say why a pod does not run. Without a name, everything on this node that is not as it should be. Each line says how
/// it is known. Exit code 1 if there is something.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "why",
    help_triggers("-h", "--help"),
    example = "nodepods why\nnodepods why web\nnodepods why kube-system/etcd-n1 --tail 20\nnodepods why web.yaml"
)]
pub struct Why {
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "namespace")]
    pub namespace: Option<String>,
    /// json for a form that programs read
    #[argh(option, short = 'o', arg_name = "text|json")]
    pub output: Option<String>,
    /// lines of a failed container's log that are shown; default: 5
    #[argh(option, arg_name = "LINES")]
    pub tail: Option<u64>,
    /// directory with the logs of pods; default: /var/log/pods
    #[argh(option, arg_name = "path")]
    pub pod_logs_dir: Option<PathBuf>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    pub socket: Vec<PathBuf>,
    /// the daemon's socket for HTTP, which is asked for logs that cannot be read here (default: NODEPODS_HTTP_SOCKET,
    /// http.sock beside a socket that is named, the configuration file, /run/nodepods/http.sock)
    #[argh(option, arg_name = "path")]
    pub http_socket: Option<PathBuf>,
    /// pods: NAME (the node's name may be left out), NAMESPACE/NAME or a UID; or manifests
    #[argh(positional, arg_name = "POD|FILE")]
    pub names: Vec<String>,
}

impl Command for Why {
    fn run(self) -> Result<(), Failure> {
        let json = match self.output.as_deref() {
            None | Some("" | "text") => false,
            Some("json") => true,
            Some(other) => {
                return Err(Failure::usage("why", format!("unknown output format {other:?}; known are text, json")))
            }
        };
        let client = PodsClient::new(&socket::find("why", &self.socket)?);
        let told = node::ask(&client)?;
        let facts = machine::with_machine(told.facts);
        let now = now();
        let pods = match client.list() {
            Ok((pods, _)) => pods,
            Err(failure) => {
                // No pods yet; what the node lacks may be why.
                print(&report::node_alone(&facts, now))?;
                return Err(failure);
            }
        };
        let api = ApiClient::find(self.http_socket.as_deref(), &self.socket).ok();
        let look_up = LookUp::new(&facts, self.pod_logs_dir.as_deref(), api, self.tail);
        let asked = wanted::Asked::read(&self.names, self.namespace.as_deref());
        let known = Known { pods: &pods, findings: &told.findings, node: &facts, look_up: &look_up, now };
        let answer = Answer::of(&asked, &known)?;
        print(&if json { report::json(&answer) } else { report::text(&answer) })?;
        match answer.missing.is_empty() {
            false => Err(Failure::new(Exit::NotFound, answer.missing.join("\n"))),
            true if answer.has_trouble() => Err(Failure::silent(Exit::Failure)),
            true => Ok(()),
        }
    }
}
