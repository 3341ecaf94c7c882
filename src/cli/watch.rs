//! `nodepods watch`: the pods as they change.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::client::{Event, PodsClient};
use super::exit::{Exit, Failure};
use super::get::{now, selector};
use super::resource::{self, PodName, Wanted};
use super::table::{Shape, Table};
use super::{objects, socket, written};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::columns::Columns;
use crate::pod::lookup::text;
use crate::pod::selector::Selector;

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

/// Watches until the daemon ends the stream, the reader of our output leaves, or a signal comes.
///
/// # Errors
/// Wrong usage, no daemon, or the daemon went away.
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
    let mut view = View { filter, known: HashMap::new(), table: (!json).then(|| Table::new(shape)), synced: false };
    let client = PodsClient::new(&socket::find("watch", &watch.socket)?);
    let mut out = io::stdout().lock();
    for event in client.watch()? {
        let text = view.event(event?, now())?;
        if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            return written(Err(e));
        }
    }
    Err(Failure::new(Exit::Unavailable, "error: the daemon ended the watch"))
}

/// Which pods are shown.
struct Filter {
    namespace: Option<String>,
    wanted: Vec<Wanted>,
    selector: Selector,
}

impl Filter {
    fn shows(&self, pod: &PodBytes) -> bool {
        let [namespace, name, uid] = ["metadata.namespace", "metadata.name", "metadata.uid"].map(|p| text(pod, p));
        let called = PodName { namespace: &namespace, name: &name, uid: &uid };
        self.namespace.as_ref().is_none_or(|n| *n == namespace)
            && (self.wanted.is_empty() || self.wanted.iter().any(|w| w.means(&called, None)))
            && self.selector.selects(&namespace, pod)
    }
}

/// What the reader of our output knows: the pods that were shown, by UID, with the row that was printed last.
struct View {
    filter: Filter,
    known: HashMap<String, (PodBytes, Columns)>,
    /// `None` prints JSON.
    table: Option<Table>,
    /// Rows are held back until all pods of the start are there, so that their columns fit.
    synced: bool,
}

impl View {
    /// The text that an event comes to. A pod that no longer passes the filter is DELETED for this reader, one that
    /// begins to is ADDED, and a change that no column shows is not printed in a table.
    fn event(&mut self, event: Event, now: i64) -> Result<String, Failure> {
        let mut out = match event {
            Event::Added(pod) | Event::Modified(pod) => self.upsert(pod, now)?,
            Event::Deleted(pod) => self.gone(&text(&pod, "metadata.uid"), now)?,
            Event::Synced => {
                self.synced = true;
                String::new()
            }
            Event::Unknown => String::new(),
        };
        if let Some(table) = self.table.as_mut().filter(|_| self.synced) {
            out.push_str(&table.take());
        }
        Ok(out)
    }

    fn upsert(&mut self, pod: PodBytes, now: i64) -> Result<String, Failure> {
        let uid = text(&pod, "metadata.uid").into_owned();
        if !self.filter.shows(&pod) {
            return self.gone(&uid, now);
        }
        // Time alone is no change: the row is compared as of the pod's own start.
        let row = Columns::of(&pod, 0);
        let before = self.known.insert(uid, (pod.clone(), row.clone()));
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        if self.table.is_some() && before.is_some_and(|(_, before)| before == row) {
            return Ok(String::new());
        }
        self.show(kind, &pod, now)
    }

    fn gone(&mut self, uid: &str, now: i64) -> Result<String, Failure> {
        match self.known.remove(uid) {
            Some((last, _)) => self.show("DELETED", &last, now),
            None => Ok(String::new()),
        }
    }

    fn show(&mut self, kind: &str, pod: &PodBytes, now: i64) -> Result<String, Failure> {
        match &mut self.table {
            Some(table) => {
                table.pod(kind, pod, now);
                Ok(String::new())
            }
            None => Ok(format!("{}\n", json!({ "type": kind, "object": objects::value(pod)? }))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::wire::put_bytes;

    fn pod(name: &str, phase: &str) -> PodBytes {
        let (mut metadata, mut status) = (Vec::new(), Vec::new());
        put_bytes(&mut metadata, 1, name.as_bytes());
        put_bytes(&mut metadata, 3, b"web");
        put_bytes(&mut metadata, 5, name.as_bytes());
        put_bytes(&mut status, 1, phase.as_bytes());
        PodBytes::from_sections(&metadata, b"", &status, b"")
    }

    fn view(fields: Option<&str>, table: bool) -> View {
        let filter = Filter { namespace: None, wanted: Vec::new(), selector: selector("watch", None, fields).unwrap() };
        let shape = Shape { event: true, no_headers: true, ..Shape::default() };
        View { filter, known: HashMap::new(), table: table.then(|| Table::new(shape)), synced: false }
    }

    #[test]
    fn rows_come_once_the_start_is_complete_and_only_when_they_change() {
        let mut view = view(None, true);
        let mut show = |event| view.event(event, 0).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Pending"))), "");
        assert_eq!(show(Event::Synced), "ADDED   a   0/0   Pending   0   <unknown>\n");
        assert_eq!(show(Event::Modified(pod("a", "Pending"))), "");
        assert!(show(Event::Modified(pod("a", "Running"))).starts_with("MODIFIED   a   0/0   Running"));
        let bare = PodBytes::from_sections(b"\x0a\x01a\x2a\x01a", b"", b"", b"");
        assert!(show(Event::Deleted(bare.clone())).starts_with("DELETED    a   0/0   Running"));
        assert_eq!(show(Event::Deleted(bare)), "");
    }

    #[test]
    fn leaving_the_filter_is_a_deletion_and_entering_it_an_addition() {
        let mut view = view(Some("status.phase=Running"), false);
        let mut kind = |event| {
            let text = view.event(event, 0).unwrap();
            serde_json::from_str::<serde_json::Value>(&text)
                .map_or(String::new(), |v| v["type"].as_str().unwrap().into())
        };
        assert_eq!(kind(Event::Added(pod("a", "Pending"))), "");
        assert_eq!(kind(Event::Modified(pod("a", "Running"))), "ADDED");
        assert_eq!(kind(Event::Modified(pod("a", "Running"))), "MODIFIED");
        assert_eq!(kind(Event::Modified(pod("a", "Failed"))), "DELETED");
    }
}
