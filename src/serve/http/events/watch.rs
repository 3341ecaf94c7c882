//! Watches of events. Like those of pods they compare what was sent with what is there, so none can overflow.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use super::object::{self, KIND};
use super::Selection;
use crate::serve::http::list_options::{Start, WatchOptions};
use crate::serve::http::listed::{self, INITIAL};
use crate::serve::http::negotiate::{Form, Shape};
use crate::serve::http::outgoing::{Outgoing, Woken};
use crate::serve::http::refusal::Refusal;
use crate::serve::http::reply::{self, Produce, Reply};
use crate::serve::http::request::Request;
use crate::serve::http::shared::Shared;
use crate::serve::http::warning;
use crate::store::events::{Events, PodEvent};
use crate::store::snapshot::Snapshot;
use crate::store::Subscription;

/// How often a client that wants bookmarks gets one, and events that are too old are looked for.
const EVERY: Duration = Duration::from_secs(60);

/// Answers with a watch.
pub(super) fn answer(
    shared: &Shared,
    request: &Request,
    selection: Selection,
    snapshot: &Snapshot,
) -> Result<Reply, Refusal> {
    let options = WatchOptions::read(&request.query)?;
    let form = listed::watch_form(request)?;
    let subscription = shared.store.subscribe(); // before the first look
    let view = shared.events.look();
    let known = match options.start {
        Start::Initial(wanted) | Start::After(wanted) if wanted > view.revision => {
            return Err(Refusal::TooNew(wanted, view.revision));
        }
        Start::After(revision) if revision < view.start => {
            return Err(Refusal::Expired(format!("too old resource version: {revision} ({})", view.start)));
        }
        Start::Initial(_) => 0,
        Start::After(revision) => revision,
        Start::Now => view.revision,
    };
    let known = view.events.into_iter().filter(|e| e.revision <= known && selection.selects(e));
    let body = EventsBody {
        subscription,
        events: Arc::clone(&shared.events),
        node: snapshot.node_name.clone(),
        sent: known.map(|event| (event.number, event)).collect(),
        selection,
        form,
        columns_told: false,
        bookmarks: options.bookmarks,
        mark_initial: options.mark_initial,
        deadline: options.deadline(Instant::now()),
    };
    let mut reply = Reply::produced(reply::JSON, body);
    warning::add(&mut reply, snapshot);
    Ok(reply)
}

struct EventsBody {
    subscription: Subscription,
    events: Arc<Events>,
    node: String,
    selection: Selection,
    /// What the client knows. As many as there are events, and shared with them.
    sent: BTreeMap<u64, Arc<PodEvent>>,
    form: Form,
    columns_told: bool,
    bookmarks: bool,
    mark_initial: bool,
    deadline: Instant,
}

impl Produce for EventsBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut next = Instant::now() + EVERY;
        loop {
            let revision = self.send_news(out)?;
            if std::mem::take(&mut self.mark_initial) {
                self.bookmark(revision, true, out)?;
            }
            out.flush()?;
            match out.wait(Some(self.subscription.changed()), self.deadline.min(next)) {
                Woken::Changed => {}
                Woken::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Woken::Stopping => return Ok(()),
                Woken::Time => {
                    if self.bookmarks {
                        self.bookmark(revision, false, out)?;
                    }
                    if Instant::now() >= self.deadline {
                        return Ok(());
                    }
                    next = Instant::now() + EVERY;
                }
            }
        }
    }
}

impl EventsBody {
    /// Sends everything that the client does not know; returns the revision up to which it then knows everything.
    fn send_news(&mut self, out: &mut Outgoing<'_>) -> io::Result<u64> {
        let view = self.events.look();
        let there: BTreeMap<u64, Arc<PodEvent>> =
            view.events.into_iter().filter(|e| self.selection.selects(e)).map(|e| (e.number, e)).collect();
        let gone: Vec<_> = self.sent.keys().copied().filter(|number| !there.contains_key(number)).collect();
        for number in gone {
            let Some(event) = self.sent.remove(&number) else { continue };
            let last = PodEvent { revision: view.revision, ..(*event).clone() };
            self.send("DELETED", object::value(&last, &self.node), out)?;
        }
        let mut news: Vec<_> = there.into_values().filter(|e| self.sent.get(&e.number) != Some(e)).collect();
        news.sort_by_key(|event| event.revision);
        for event in news {
            let kind = if self.sent.contains_key(&event.number) { "MODIFIED" } else { "ADDED" };
            self.send(kind, object::value(&event, &self.node), out)?;
            self.sent.insert(event.number, event);
        }
        Ok(view.revision)
    }

    fn send(&mut self, kind: &str, object: Value, out: &mut Outgoing<'_>) -> io::Result<()> {
        let object = match self.form.shape {
            Shape::Table(version) => {
                let columns = !std::mem::replace(&mut self.columns_told, true);
                listed::event_table(&KIND, version, object, columns)
            }
            _ => object,
        };
        out.write(format!("{}\n", json!({"type": kind, "object": object})).as_bytes())
    }

    fn bookmark(&mut self, revision: u64, initial: bool, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if let (true, Value::Object(metadata)) = (initial, &mut metadata) {
            metadata.insert("annotations".into(), json!({ INITIAL: "true" }));
        }
        let object = match self.form.shape {
            Shape::Table(version) => json!({
                "kind": "Table", "apiVersion": format!("meta.k8s.io/{version}"), "metadata": metadata, "rows": [],
                "columnDefinitions": null,
            }),
            _ => json!({"kind": "Event", "apiVersion": "v1", "metadata": metadata, "involvedObject": {}}),
        };
        out.write(format!("{}\n", json!({"type": "BOOKMARK", "object": object})).as_bytes())
    }
}
