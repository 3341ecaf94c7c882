//! `nodepods watch`: the pods as they change.

mod view;

use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::clock::now;
use super::exit::{Exit, Failure};
use super::output::written;
use super::selection::{Selection, Words};
use super::socket;
use super::table::{Shape, Table};
use super::verbs::Command;
use view::View;

/// Pauses between attempts to reach a daemon that went away; later ones are as long as the last.
const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2)];
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Show pods as they change. First comes every pod there is, then each change as it happens.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(subcommand, name = "watch", help_triggers("-h", "--help"))]
pub struct Watch {
    /// pods of this namespace only
    #[argh(option, short = 'n', arg_name = "namespace")]
    namespace: Option<String>,
    /// pods of all namespaces; the default
    #[argh(switch, short = 'A')]
    all_namespaces: bool,
    /// pods with these labels, such as app=web,tier!=db
    #[argh(option, short = 'l', arg_name = "labels")]
    selector: Option<String>,
    /// pods with these fields, such as status.phase=Running
    #[argh(option, arg_name = "fields")]
    field_selector: Option<String>,
    /// wide for more columns; json for one event a line
    #[argh(option, short = 'o', arg_name = "format")]
    output: Option<String>,
    /// no line of headings
    #[argh(switch)]
    no_headers: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    socket: Vec<PathBuf>,
    /// pods and names: NAME, NAMESPACE/NAME or a UID
    #[argh(positional, arg_name = "pods|NAME")]
    names: Vec<String>,
}

impl Command for Watch {
    fn run(self) -> Result<(), Failure> {
        let words = Words {
            namespace: self.namespace.as_deref(),
            all_namespaces: self.all_namespaces,
            labels: self.selector.as_deref(),
            fields: self.field_selector.as_deref(),
            names: &self.names,
        };
        let selection = Selection::read("watch", words)?;
        let form = Form::read("watch", self.output.as_deref(), self.no_headers)?;
        Follow { selection, form, socket: self.socket }.run("watch")
    }
}

/// How events are shown.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A row each.
    Table {
        /// With the columns of `-o wide`.
        wide: bool,
        /// Without a line of headings.
        no_headers: bool,
    },
    /// An object of a line each.
    Json,
}

impl Form {
    /// Reads the value of `-o`.
    ///
    /// # Errors
    /// It is unknown: a usage error.
    pub fn read(verb: &str, output: Option<&str>, no_headers: bool) -> Result<Self, Failure> {
        match output {
            None | Some("") => Ok(Self::Table { wide: false, no_headers }),
            Some("wide") => Ok(Self::Table { wide: true, no_headers }),
            Some("json") => Ok(Self::Json),
            Some(other) => {
                Err(Failure::usage(verb, format!("unknown output format {other:?}; a watch knows wide, json")))
            }
        }
    }
}

/// Pods that are shown as they change.
#[derive(Debug)]
pub struct Follow {
    /// Which.
    pub selection: Selection,
    /// How.
    pub form: Form,
    /// The values of `--socket`.
    pub socket: Vec<PathBuf>,
}

impl Follow {
    /// Shows them until the reader of our output leaves or a signal comes. A daemon that goes away is waited for.
    ///
    /// # Errors
    /// No daemon in the beginning, or one that refuses us.
    pub fn run(self, verb: &str) -> Result<(), Failure> {
        let namespace = self.selection.namespace.is_none();
        let table = match self.form {
            Form::Table { wide, no_headers } => Some(Table::new(Shape { namespace, wide, event: true, no_headers })),
            Form::Json => None,
        };
        let mut view = View::new(self.selection, table);
        let mut waits = pauses();
        loop {
            let gone = match follow(verb, &self.socket, &mut view)? {
                Ended::ReaderLeft => return Ok(()),
                Ended::DaemonGone(failure) => failure,
            };
            if !view.began {
                return Err(gone);
            }
            if view.synced {
                eprintln!("Warning: the daemon went away; waiting for it");
                waits = pauses();
            }
            view.begin_again();
            thread::sleep(waits.next().unwrap_or(LONGEST_PAUSE));
        }
    }
}

/// Why a stream ended.
enum Ended {
    ReaderLeft,
    DaemonGone(Failure),
}

/// Shows the events of one stream.
fn follow(verb: &str, sockets: &[PathBuf], view: &mut View) -> Result<Ended, Failure> {
    let unavailable = |failure: Failure| match failure.exit {
        Exit::Unavailable => Ok(Ended::DaemonGone(failure)),
        _ => Err(failure),
    };
    let client = match socket::find(verb, sockets) {
        Ok(socket) => PodsClient::new(&socket),
        Err(failure) => return unavailable(failure),
    };
    let mut out = io::stdout().lock();
    for event in client.watch()? {
        let event = match event {
            Ok(event) => event,
            Err(failure) => return unavailable(failure),
        };
        let text = view.event(event, now())?;
        if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            return written(Err(e)).map(|()| Ended::ReaderLeft);
        }
    }
    Ok(Ended::DaemonGone(Failure::new(Exit::Unavailable, "error: the daemon ended the watch")))
}

/// Pauses between attempts to reach a daemon that went away, without end.
pub fn pauses() -> impl Iterator<Item = Duration> {
    PAUSES.into_iter().chain(std::iter::repeat(LONGEST_PAUSE)).map(|wait| wait + jitter(wait))
}

/// Up to half as long again, so that many watchers do not come back at the same moment.
fn jitter(wait: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    wait.mul_f64(f64::from(nanos) / 2e9)
}
