//! Watches of pods over HTTP, each a level-triggered [`Watcher`] of its own.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::event::EventPrinter;
use crate::serve::http::list_options::{pod_selector, Start, WatchOptions};
use crate::serve::http::negotiate::{self, Media, Offer};
use crate::serve::http::outgoing::{Outgoing, Woken};
use crate::serve::http::refusal::Refusal;
use crate::serve::http::reply::{self, Produce, Reply};
use crate::serve::http::request::Request;
use crate::serve::http::row_object::RowObject;
use crate::serve::http::shared::Shared;
use crate::serve::http::warning;
use crate::store::masked::Request as Selection;
use crate::store::past::Past;
use crate::store::snapshot::{PodEntry, PodId};
use crate::store::watch::{Event, Watcher};
use crate::store::{Store, Subscription};

/// How often a client that wants bookmarks gets one.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Answers with a watch.
pub(super) fn answer(shared: &Shared, request: &Request, namespace: Option<&str>) -> Result<Reply, Refusal> {
    let current = shared.known()?;
    let options = WatchOptions::read(&request.query)?;
    let form = negotiate::form(request, Offer::WATCH)?;
    let beside = RowObject::read(&request.query)?;
    shared.show(&current);
    let view = Selection { selector: pod_selector(&request.query, namespace)?, mask: None };
    let known = match options.start {
        Start::Initial(wanted) | Start::After(wanted) if wanted > current.revision => {
            return Err(Refusal::TooNew(wanted, current.revision));
        }
        Start::Initial(_) => None,
        Start::Now => Some(current.pods.clone()),
        Start::After(revision) => {
            let past = shared.past.lock();
            let oldest = past.not_before(0).map_or(current.revision, |s| s.revision);
            let expired = || Refusal::Expired(format!("too old resource version: {revision} ({oldest})"));
            Some(past.known_at(revision, &current).ok_or_else(expired)?)
        }
    };
    let (watcher, known) = match known {
        None => (Watcher::with_view(view), Vec::new()),
        Some(known) => (Watcher::resume(view, &known), known),
    };
    let body = WatchBody {
        subscription: shared.store.subscribe(),
        store: Arc::clone(&shared.store),
        past: Arc::clone(&shared.past),
        watcher,
        last: known.into_iter().map(|p| (Arc::clone(&p.id), p)).collect(),
        printer: EventPrinter::new(form, beside),
        bookmarks: options.bookmarks,
        mark_initial: options.mark_initial,
        deadline: options.deadline(Instant::now()),
    };
    let content_type = match form.media {
        Media::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
        _ => reply::JSON,
    };
    let mut reply = Reply::produced(content_type, body);
    warning::add(&mut reply, &current);
    Ok(reply)
}

/// A watch while it lasts.
struct WatchBody {
    subscription: Subscription,
    store: Arc<Store>,
    past: Arc<Mutex<Past>>,
    watcher: Watcher<Selection>,
    /// What was last sent of each pod: an event DELETED shows it. Pods that have not changed since are shared with
    /// the snapshot; a client that does not read keeps one old version of each at most, until it is dropped.
    last: HashMap<Arc<PodId>, Arc<PodEntry>>,
    printer: EventPrinter,
    bookmarks: bool,
    /// A bookmark is due when the initial events are through.
    mark_initial: bool,
    deadline: Instant,
}

impl Produce for WatchBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let mut next_bookmark = Instant::now() + BOOKMARK_EVERY;
        loop {
            let sent = self.send_news(out)?;
            if std::mem::take(&mut self.mark_initial) {
                out.write(&self.printer.bookmark(sent, true))?;
            }
            out.flush()?;
            let until = if self.bookmarks { self.deadline.min(next_bookmark) } else { self.deadline };
            match out.wait(Some(self.subscription.changed()), until) {
                Woken::Changed => {}
                Woken::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Woken::Stopping => return Ok(()),
                Woken::Time => {
                    if self.bookmarks {
                        out.write(&self.printer.bookmark(sent, false))?;
                        next_bookmark = Instant::now() + BOOKMARK_EVERY;
                    }
                    if Instant::now() >= self.deadline {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl WatchBody {
    /// Sends everything that the client does not know; returns the revision up to which it knows everything now. No
    /// snapshot is held while it is sent.
    fn send_news(&mut self, out: &mut Outgoing<'_>) -> io::Result<u64> {
        loop {
            let current = self.store.current();
            self.past.lock().keep(&current);
            let revision = current.revision;
            let Some(event) = self.watcher.next(&current) else { return Ok(revision) };
            drop(current);
            let (kind, pod, shown) = match event {
                Event::InitialSyncComplete => continue,
                Event::Added(pod) => ("ADDED", pod.clone(), pod.revision),
                Event::Modified(pod) => ("MODIFIED", pod.clone(), pod.revision),
                Event::Deleted(id) => match self.last.remove(&id) {
                    Some(pod) => ("DELETED", pod, revision),
                    None => continue, // it was never sent
                },
            };
            let event = self.printer.pod(kind, &pod, shown).map_err(io::Error::other)?;
            if kind != "DELETED" {
                self.last.insert(Arc::clone(&pod.id), pod);
            }
            out.write(&event)?;
        }
    }
}
