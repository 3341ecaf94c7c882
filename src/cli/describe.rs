//! `nodepods describe`: everything about a pod for people, in kubectl's layout.

mod container;
mod events;
mod lines;
mod pod;
mod value;
mod volume;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::api_client::ApiClient;
use super::client::PodsClient;
use super::clock::now;
use super::command::Command;
use super::exit::Failure;
use super::missing;
use super::objects;
use super::output::{print, warn};
use super::selection::{Selection, Words};
use super::socket;
use crate::pod::lookup::text;
use crate::proto::node::Finding;
use lines::Lines;

/// Show everything about a pod, for people. The layout is that of kubectl describe; behind the events stands what is
/// wrong in the manifest.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "describe",
    help_triggers("-h", "--help"),
    example = "nodepods describe pod etcd-n1\nnodepods describe -l app=web"
)]
pub struct Describe {
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "NAMESPACE")]
    namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    all_namespaces: bool,
    /// pods with these labels, such as app=web,tier!=db
    #[argh(option, short = 'l', arg_name = "LABELS")]
    selector: Option<String>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
    /// the daemon's socket for HTTP, which has the events (default: NODEPODS_HTTP_SOCKET, http.sock beside a socket that
    /// is named, the configuration file, /run/nodepods/http.sock)
    #[argh(option, arg_name = "path")]
    http_socket: Option<PathBuf>,
    /// NAME, the beginning of a name, NAMESPACE/NAME or UID; as in kubectl, pod or pods may stand in front
    #[argh(positional, arg_name = "POD")]
    names: Vec<String>,
}

impl Command for Describe {
    fn run(self) -> Result<(), Failure> {
        let words = Words::named(&self.names)
            .within(self.namespace.as_deref(), self.all_namespaces)
            .selected(self.selector.as_deref(), None);
        let selection = Selection::read("describe", words)?;
        let client = PodsClient::new(&socket::find("describe", &self.socket)?);
        let (all, warnings) = client.list()?;
        warnings.iter().for_each(|warning| warn(warning));
        let (pods, missing) = selection.choose_or_begin_with(&all);
        // A kubelet has no findings to tell; that is no reason to say nothing of the pod.
        let findings = client.sources().map(|answer| answer.findings).unwrap_or_default();
        let api = ApiClient::find(self.http_socket.as_deref(), &self.socket).ok();
        let mut out = String::new();
        for (i, pod) in pods.iter().enumerate() {
            out.push_str(if i > 0 { "\n\n" } else { "" });
            let uid = text(pod, "metadata.uid");
            let own: Vec<_> = findings.iter().filter(|f| f.pod.uid == uid && !uid.is_empty()).collect();
            let mut lines = Lines::default();
            pod::describe(&mut lines, &objects::value(pod)?, now());
            let happened = api.as_ref().and_then(|api| api.events(pod).ok());
            events::describe(&mut lines, happened.as_deref(), now());
            remarks(&mut lines, &own, happened.is_some_and(|events| !events.is_empty()));
            out.push_str(&lines.finish());
        }
        if pods.is_empty() && missing.is_empty() {
            eprintln!("No resources found");
        }
        print(&out)?;
        missing::none(&missing)
    }
}

/// What is wrong in the pod's manifest.
fn remarks(lines: &mut Lines, findings: &[&Finding], behind_table: bool) {
    if findings.is_empty() {
        // Behind a table of events it is no part of their columns.
        return match behind_table {
            true => lines.line(0, "Findings:  <none>"),
            false => lines.field(0, "Findings", "<none>"),
        };
    }
    lines.line(0, "Findings:");
    for f in findings {
        let place = if f.line > 0 { format!("{}:{}:{}", f.file, f.line, f.column) } else { f.file.clone() };
        lines.line(1, &format!("{place}: {}: {}", f.field, f.message));
    }
}
