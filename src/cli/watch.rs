//! `nodepods watch`: what happens to pods, as it happens.

mod follow;
mod news;
mod printer;
mod view;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::command::Command;
use super::exit::Failure;
use super::screen::Screen;
use super::selection::{Selection, Words};

pub use follow::Follow;
pub use printer::Printer;

/// Show what happens to pods, as it happens. First comes every pod there is, then a line for each change, which says
/// what has changed. A daemon that goes away is waited for. For a table that goes on, see nodepods get -w.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "watch",
    help_triggers("-h", "--help"),
    example = "nodepods watch\nnodepods watch -n web -o json | jq -r .object.status.phase"
)]
pub struct Watch {
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "NAMESPACE")]
    namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    all_namespaces: bool,
    /// pods with these labels, such as app=web,tier!=db
    #[argh(option, short = 'l', arg_name = "LABELS")]
    selector: Option<String>,
    /// pods with these fields, such as status.phase=Running
    #[argh(option, arg_name = "FIELDS")]
    field_selector: Option<String>,
    /// json for an object in each line, for programs: the type of the event and the whole pod
    #[argh(option, short = 'o', arg_name = "json")]
    output: Option<String>,
    /// only what happens from now on
    #[argh(switch)]
    watch_only: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
    /// NAME, NAMESPACE/NAME or UID; as in kubectl, pod or pods may stand in front
    #[argh(positional, arg_name = "POD")]
    names: Vec<String>,
}

impl Command for Watch {
    fn run(self) -> Result<(), Failure> {
        let words = Words::named(&self.names)
            .within(self.namespace.as_deref(), self.all_namespaces)
            .selected(self.selector.as_deref(), self.field_selector.as_deref());
        let selection = Selection::read("watch", words)?;
        let printer = match self.output.as_deref() {
            None | Some("") => Printer::news(Screen::stdout()),
            Some("json") => Printer::Lines,
            Some(other) => {
                let problem = format!("unknown output format {other:?}; known is json, and nodepods get -w has others");
                return Err(Failure::usage("watch", problem));
            }
        };
        Follow { selection, printer, socket: self.socket, news_only: self.watch_only }.run("watch")
    }
}
