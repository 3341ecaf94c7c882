//! What somebody who watches has seen so far, and what is news to them.

use std::collections::{HashMap, HashSet};

use super::printer::{Change, Printer};
use crate::cli::client::Event;
use crate::cli::exit::Failure;
use crate::cli::selection::Selection;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::text;

/// What the reader of our output knows: the pods that were shown last, by UID.
pub struct View {
    selection: Selection,
    printer: Printer,
    /// What is there in the beginning is not shown.
    news_only: bool,
    known: HashMap<String, PodBytes>,
    /// Rows are held back until all pods of the start are there, so that their columns fit.
    pub synced: bool,
    /// A stream was complete once.
    pub began: bool,
    /// Pods that the current stream has begun with.
    seen: HashSet<String>,
}

impl View {
    /// A view of nothing yet.
    pub fn new(selection: Selection, printer: Printer, news_only: bool) -> Self {
        Self { selection, printer, news_only, known: HashMap::new(), synced: false, began: false, seen: HashSet::new() }
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

    /// The text that an event comes to. A pod that no longer passes the selection is DELETED for this reader, one that
    /// begins to is ADDED, and a change that cannot be seen in this form is not shown.
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
        if self.synced {
            out.push_str(&self.printer.rows());
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
        let before = self.known.insert(uid, pod.clone());
        let silent = match &before {
            Some(before) => !self.printer.differ(before, &pod),
            None => self.news_only && !self.began,
        };
        if silent {
            return Ok(String::new());
        }
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.printer.show(Change { kind, before: before.as_ref(), pod: &pod, now })
    }

    fn gone(&mut self, uid: &str, now: i64) -> Result<String, Failure> {
        match self.known.remove(uid) {
            Some(last) => self.printer.show(Change { kind: "DELETED", before: Some(&last), pod: &last, now }),
            None => Ok(String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::form::Form;
    use crate::cli::screen::Screen;
    use crate::cli::selection::Words;
    use crate::cli::table::{Shape, Table};
    use crate::codec::wire::put_bytes;

    fn pod(name: &str, phase: &str) -> PodBytes {
        let (mut metadata, mut status) = (Vec::new(), Vec::new());
        put_bytes(&mut metadata, 1, name.as_bytes());
        put_bytes(&mut metadata, 3, b"web");
        put_bytes(&mut metadata, 5, name.as_bytes());
        put_bytes(&mut status, 1, phase.as_bytes());
        PodBytes::from_sections(&metadata, b"", &status, b"")
    }

    fn rows() -> Printer {
        let shape = Shape { event: true, no_headers: true, ..Shape::default() };
        Printer::of_form(Form::Table { wide: false }, true, Table::new(shape, Screen::default()))
    }

    fn view(fields: Option<&str>, printer: Printer) -> View {
        View::new(Selection::read("watch", Words { fields, ..Words::default() }).unwrap(), printer, false)
    }

    #[test]
    fn rows_come_once_the_start_is_complete_and_only_when_they_change() {
        let mut view = view(None, rows());
        let mut show = |event| view.event(event, 0).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Pending"))), "");
        assert_eq!(show(Event::Synced), "ADDED      a     0/0   Pending   0     <unknown>\n");
        assert_eq!(show(Event::Modified(pod("a", "Pending"))), "");
        assert!(show(Event::Modified(pod("a", "Running"))).starts_with("MODIFIED   a     0/0   Running"));
        let bare = PodBytes::from_sections(b"\x0a\x01a\x2a\x01a", b"", b"", b"");
        assert!(show(Event::Deleted(bare.clone())).starts_with("DELETED    a     0/0   Running"));
        assert_eq!(show(Event::Deleted(bare)), "");
    }

    #[test]
    fn leaving_the_selection_is_a_deletion_and_entering_it_an_addition() {
        let mut view = view(Some("status.phase=Running"), Printer::Lines);
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
        let mut view = view(None, rows());
        for event in [Event::Added(pod("a", "Running")), Event::Added(pod("b", "Running")), Event::Synced] {
            view.event(event, 0).unwrap();
        }
        view.begin_again();
        let mut show = |event| view.event(event, 0).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Running"))), "");
        assert_eq!(show(Event::Added(pod("c", "Running"))), "");
        assert_eq!(
            show(Event::Synced),
            "ADDED      c     0/0   Running   0     <unknown>\nDELETED    b     0/0   Running   0     <unknown>\n"
        );
    }

    #[test]
    fn lines_for_people() {
        let mut view = view(None, Printer::news(Screen::default()));
        let mut show = |event| view.event(event, 3661).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Pending"))), "01:01:01Z  ADDED     web/a  Pending 0/0\n");
        assert_eq!(show(Event::Synced), "");
        assert_eq!(show(Event::Modified(pod("a", "Running"))), "01:01:01Z  MODIFIED  web/a  Pending -> Running\n");
        assert_eq!(show(Event::Deleted(pod("a", "Running"))), "01:01:01Z  DELETED   web/a\n");
    }

    #[test]
    fn only_what_happens_from_now_on() {
        let mut view = View::new(Selection::default(), Printer::news(Screen::default()), true);
        let mut show = |event| view.event(event, 0).unwrap();
        assert_eq!(show(Event::Added(pod("a", "Pending"))) + &show(Event::Synced), "");
        assert!(show(Event::Added(pod("b", "Pending"))).contains("web/b"));
        assert!(show(Event::Modified(pod("a", "Running"))).contains("web/a  Pending -> Running"));
    }
}
