//! What somebody who watches has seen so far, and what is news to them.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::cli::client::Event;
use crate::cli::exit::Failure;
use crate::cli::objects;
use crate::cli::selection::Selection;
use crate::cli::table::Table;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::columns::Columns;
use crate::pod::lookup::text;

/// What the reader of our output knows: the pods that were shown, by UID, with the row that was printed last.
pub struct View {
    selection: Selection,
    known: HashMap<String, (PodBytes, Columns)>,
    /// `None` prints JSON.
    table: Option<Table>,
    /// Rows are held back until all pods of the start are there, so that their columns fit.
    pub synced: bool,
    /// A stream was complete once.
    pub began: bool,
    /// Pods that the current stream has begun with.
    seen: HashSet<String>,
}

impl View {
    /// A view of nothing yet; without a table it prints JSON.
    pub fn new(selection: Selection, table: Option<Table>) -> Self {
        Self { selection, known: HashMap::new(), table, synced: false, began: false, seen: HashSet::new() }
    }

    /// A new stream begins, which says everything anew: only what differs is shown.
    pub fn begin_again(&mut self) {
        self.synced = false;
        self.seen.clear();
    }

    /// The pods of the start are complete: those of an earlier stream that are not among them are gone.
    fn complete(&mut self, now: i64) -> Result<String, Failure> {
        (self.synced, self.began) = (true, true);
        let mut gone: Vec<_> = self.known.keys().filter(|uid| !self.seen.contains(*uid)).cloned().collect();
        gone.sort();
        gone.iter().map(|uid| self.gone(uid, now)).collect()
    }

    /// The text that an event comes to. A pod that no longer passes the filter is DELETED for this reader, one that
    /// begins to is ADDED, and a change that no column shows is not printed in a table.
    ///
    /// # Errors
    /// The server sent something that is no pod.
    pub fn event(&mut self, event: Event, now: i64) -> Result<String, Failure> {
        let mut out = match event {
            Event::Added(pod) | Event::Modified(pod) => self.upsert(pod, now)?,
            Event::Deleted(pod) => self.gone(&text(&pod, "metadata.uid"), now)?,
            Event::Synced => self.complete(now)?,
            Event::Unknown => String::new(),
        };
        if let Some(table) = self.table.as_mut().filter(|_| self.synced) {
            out.push_str(&table.take());
        }
        Ok(out)
    }

    fn upsert(&mut self, pod: PodBytes, now: i64) -> Result<String, Failure> {
        let uid = text(&pod, "metadata.uid").into_owned();
        if !self.synced {
            self.seen.insert(uid.clone());
        }
        if !self.selection.shows(&pod) {
            return self.gone(&uid, now);
        }
        // Time alone is no change: the row is compared as of the pod's own start.
        let row = Columns::of(&pod, 0);
        let before = self.known.insert(uid, (pod.clone(), row.clone()));
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        let same = |(bytes, cells): (PodBytes, Columns)| if self.table.is_some() { cells == row } else { bytes == pod };
        if before.is_some_and(same) {
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
    use crate::cli::selection::Words;
    use crate::cli::table::Shape;
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
        let selection = Selection::read("watch", Words { fields, ..Words::default() }).unwrap();
        let shape = Shape { event: true, no_headers: true, ..Shape::default() };
        View::new(selection, table.then(|| Table::new(shape)))
    }

    #[test]
    fn rows_come_once_the_start_is_complete_and_only_when_they_change() {
        let mut view = view(None, true);
        let mut show = |event| view.event(event, 0).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Pending"))), "");
        assert_eq!(show(Event::Synced), "ADDED      a   0/0   Pending   0   <unknown>\n");
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
        assert_eq!(kind(Event::Modified(pod("a", "Running"))), "", "nothing is new in it");
        assert_eq!(kind(Event::Modified(pod("a", "Failed"))), "DELETED");
    }

    #[test]
    fn a_second_stream_shows_what_happened_in_between() {
        let mut view = view(None, true);
        for event in [Event::Added(pod("a", "Running")), Event::Added(pod("b", "Running")), Event::Synced] {
            view.event(event, 0).unwrap();
        }
        view.begin_again();
        let mut show = |event| view.event(event, 0).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Running"))), "");
        assert_eq!(show(Event::Added(pod("c", "Running"))), "");
        assert_eq!(
            show(Event::Synced),
            "ADDED      c   0/0   Running   0   <unknown>\nDELETED    b   0/0   Running   0   <unknown>\n"
        );
    }
}
