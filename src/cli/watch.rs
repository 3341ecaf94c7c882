//! `nodepods watch`: the pods as they change.

mod view;

use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::exit::{Exit, Failure};
use super::get::{now, selector, Get};
use super::resource;
use super::table::{Shape, Table};
use super::{socket, written};
use view::{Filter, View};

/// Pauses between attempts to reach a daemon that went away; later ones are as long as the last.
const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2)];
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Show pods as they change: first every pod there is, then each change as it happens.
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

impl From<&Get> for Watch {
    fn from(get: &Get) -> Self {
        Self {
            namespace: get.namespace.clone(),
            all_namespaces: get.all_namespaces,
            selector: get.selector.clone(),
            field_selector: get.field_selector.clone(),
            output: get.output.clone(),
            no_headers: get.no_headers,
            socket: get.socket.clone(),
            names: get.names.clone(),
        }
    }
}

/// Watches until the reader of our output leaves or a signal comes. A daemon that goes away is waited for.
///
/// # Errors
/// Wrong usage, no daemon in the beginning, or one that refuses us.
pub fn run(watch: &Watch) -> Result<(), Failure> {
    let (wide, json) = match watch.output.as_deref() {
        None | Some("") => (false, false),
        Some("wide") => (true, false),
        Some("json") => (false, true),
        Some(other) => {
            return Err(Failure::usage("watch", format!("unknown output format {other:?}; known are wide, json")));
        }
    };
    let filter = Filter {
        namespace: watch.namespace.clone().filter(|_| !watch.all_namespaces),
        wanted: resource::wanted("watch", &watch.names)?,
        selector: selector("watch", watch.selector.as_deref(), watch.field_selector.as_deref())?,
    };
    let shape = Shape { namespace: filter.namespace.is_none(), wide, event: true, no_headers: watch.no_headers };
    let mut view = View::new(filter, (!json).then(|| Table::new(shape)));
    let mut pause = PAUSES.iter().copied();
    loop {
        let gone = match follow(watch, &mut view)? {
            Ended::ReaderLeft => return Ok(()),
            Ended::DaemonGone(failure) => failure,
        };
        if !view.began {
            return Err(gone);
        }
        if view.synced {
            eprintln!("Warning: the daemon went away; waiting for it");
            pause = PAUSES.iter().copied();
        }
        view.begin_again();
        let wait = pause.next().unwrap_or(LONGEST_PAUSE);
        thread::sleep(wait + jitter(wait));
    }
}

/// Why a stream ended.
enum Ended {
    ReaderLeft,
    DaemonGone(Failure),
}

/// Shows the events of one stream.
fn follow(watch: &Watch, view: &mut View) -> Result<Ended, Failure> {
    let unavailable = |failure: Failure| match failure.exit {
        Exit::Unavailable => Ok(Ended::DaemonGone(failure)),
        _ => Err(failure),
    };
    let client = match socket::find("watch", &watch.socket) {
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

/// Up to half as long again, so that many watchers do not come back at the same moment.
fn jitter(wait: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    wait.mul_f64(f64::from(nanos) / 2e9)
}
