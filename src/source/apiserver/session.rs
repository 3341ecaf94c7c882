//! One go at the API server, on a thread of its own: a list where one is needed, then a watch until it ends.

use std::io;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{bounded, Receiver, Sender};

use super::error::Failure;
use super::event::{self, Event};
use super::form::Form;
use super::frames::Frames;
use super::list::{self, Page};
use super::pods::MAX_BYTES;
use super::query::{self, Freshness};
use super::{backoff, status};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup;
use crate::source::http::abort::Abort;
use crate::source::http::client::{Client, Patience, Response};
use crate::source::http::error::HttpError;
use crate::source::http::url::Url;
use crate::source::kubeconfig::Access;
use crate::source::MAX_PODS;

/// Bodies of errors are short.
const MAX_STATUS: usize = 64 << 10;
/// Pages of one list, which may be small or empty.
const MAX_PAGES: usize = 100;
/// A TLS handshake needs most of it.
const STACK: usize = 512 << 10;

/// How long things may take. The defaults suit a real API server.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one page of a list.
    pub list: Duration,
    /// A watch that is silent for longer is looked after by a new one. API servers send a bookmark each minute.
    pub silence: Duration,
    /// How long a watch is asked for; up to twice as long, by chance.
    pub watch: Duration,
    /// A watch that ended sooner, without an event, is a failure.
    pub shortest: Duration,
    /// Whoever has more to tell than is read will hardly have less in a second, and it is dear to hear it again.
    pub much: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            list: Duration::from_secs(60),
            silence: Duration::from_secs(90),
            watch: Duration::from_secs(300),
            shortest: Duration::from_secs(1),
            much: Duration::from_secs(30),
        }
    }
}

/// Where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// With everything.
    List(Freshness),
    /// With what came after this resource version.
    Watch(String),
}

/// What a session says, in this order: `Listed` if it began with a list, `Watching`, events, `Ended`.
#[derive(Debug)]
pub(super) enum Said {
    /// Every pod of the node, as of a resource version.
    Listed(Vec<PodBytes>, String),
    /// The watch is accepted.
    Watching,
    /// Events of the watch that came together, in order; at least one.
    Events(Vec<Event>),
    /// The end; without an error when the watch ran its time or fell silent.
    Ended(Result<(), Failure>),
}

/// A running session; dropping it breaks it off.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) said: Receiver<Said>,
    abort: Abort,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// What a session has to do.
#[derive(Debug)]
struct Job {
    access: Access,
    node: String,
    start: Start,
    timing: Timing,
    abort: Abort,
    say: Sender<Said>,
}

impl Session {
    /// Starts the thread `apiserver-watch`.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(access: Access, node: &str, start: Start, timing: Timing) -> io::Result<Self> {
        let abort = Abort::default();
        // Full: the session reads no more, and TCP holds the server back. Few, since one may hold an event of 16 MiB.
        let (say, said) = bounded(16);
        let job = Job { access, node: node.to_owned(), start, timing, abort: abort.clone(), say };
        thread::Builder::new().name("apiserver-watch".into()).stack_size(STACK).spawn(move || {
            let outcome = job.run();
            // Nobody listens any more: then nobody needs to know.
            let _ = job.say.send(Said::Ended(outcome));
        })?;
        Ok(Self { said, abort })
    }
}

impl Job {
    fn run(&self) -> Result<(), Failure> {
        let client = self.access.client().map_err(Failure::Access)?;
        let version = match &self.start {
            Start::Watch(version) => version.clone(),
            Start::List(freshness) => {
                let (pods, version) = self.list(&client, freshness)?;
                self.say(Said::Listed(pods, version.clone()))?;
                version
            }
        };
        self.watch(&client, &version)
    }

    /// A failed send means that we were broken off.
    fn say(&self, said: Said) -> Result<(), Failure> {
        self.say.send(said).map_err(|_| Failure::Http(HttpError::Aborted))
    }

    fn list(&self, client: &Client, freshness: &Freshness) -> Result<(Vec<PodBytes>, String), Failure> {
        let Timing { connect, list: whole, .. } = self.timing;
        let patience = Patience { connect, silence: whole, whole: Some(whole) };
        let (mut query, mut all, mut room) = (query::list(&self.node, freshness), Vec::new(), MAX_BYTES);
        let mut others = 0;
        for _ in 0..MAX_PAGES {
            let (mut response, form) = self.get(client, &query, patience)?;
            let body = response.bytes(room).map_err(|e| match e {
                HttpError::TooLarge(_) => Failure::TooMuch(MAX_BYTES),
                e => e.into(),
            })?;
            room -= body.len();
            let Page { resource_version, next, pods } = list::read(form, &body)?;
            let before = all.len();
            let listed = pods.len();
            all.extend(pods.into_iter().filter(|pod| self.is_ours(pod)));
            others += listed - (all.len() - before);
            if all.len() > MAX_PODS {
                return Err(Failure::TooMany(MAX_PODS));
            }
            if !next.is_empty() {
                query = query::next_page(&self.node, &next);
                continue;
            }
            if others > 0 {
                log::warn!(
                    "apiserver: {others} pods in its list are not of node {:?} and are left out; \
                     does something between us and the API server drop the fieldSelector?",
                    self.node
                );
            }
            if resource_version.is_empty() {
                return Err(unreadable("the list has no resourceVersion, so changes to it cannot be watched"));
            }
            return Ok((all, resource_version));
        }
        Err(unreadable("the list does not end"))
    }

    fn watch(&self, client: &Client, version: &str) -> Result<(), Failure> {
        let Timing { connect, silence, watch, .. } = self.timing;
        let seconds = (watch + backoff::spread(watch, backoff::chance())).as_secs().max(1);
        let query = query::watch(&self.node, version, seconds);
        let (mut response, form) = self.get(client, &query, Patience { connect, silence, whole: None })?;
        self.say(Said::Watching)?;
        let (mut frames, mut room) = (Frames::new(form), vec![0; 16 << 10]);
        loop {
            match response.read(&mut room) {
                Ok(0) if frames.is_partial() => return Err(unreadable("the watch ended within an event")),
                // Half open or just quiet: a new watch from the same place finds out, and misses nothing.
                Ok(0) | Err(HttpError::Timeout(_)) => return Ok(()),
                Ok(n) => frames.push(room.get(..n).unwrap_or_default()),
                Err(e) => return Err(e.into()),
            }
            let mut events = Vec::new();
            let end = loop {
                match self.next(&mut frames, form) {
                    Ok(Some(event)) => events.extend(event),
                    Ok(None) => break Ok(()),
                    Err(failure) => break Err(failure),
                }
            };
            if !events.is_empty() {
                self.say(Said::Events(events))?;
            }
            end?;
        }
    }

    /// What the next whole frame says: an event, or nothing to us. `None` where there is no whole frame.
    fn next(&self, frames: &mut Frames, form: Form) -> Result<Option<Option<Event>>, Failure> {
        let Some(frame) = frames.next()? else { return Ok(None) };
        Ok(Some(match event::read(form, &frame)? {
            Some(Event::Error(refusal)) => return Err(Failure::Refused(refusal)),
            // Never ours, or ours no longer.
            Some(Event::Is(pod)) if !self.is_ours(&pod) => Some(Event::Gone(pod)),
            event => event,
        }))
    }

    /// Whether the pod runs on this node, as was asked for: not every server and proxy selects by it.
    fn is_ours(&self, pod: &PodBytes) -> bool {
        lookup::text(pod, "spec.nodeName") == self.node
    }

    /// An answer of status 200.
    fn get(&self, client: &Client, query: &str, patience: Patience) -> Result<(Response, Form), Failure> {
        let url: Url = self.access.server.below(query::PATH, query);
        let mut response = client.get(&url, query::ACCEPT, patience, &self.abort)?;
        if response.status() == 200 {
            let form = Form::of(response.header("content-type"))?;
            return Ok((response, form));
        }
        let body = response.bytes(MAX_STATUS).unwrap_or_default();
        let (kind, retry) = (response.header("content-type"), response.header("retry-after"));
        Err(Failure::Refused(status::from_body(response.status(), kind, retry, &body)))
    }
}

fn unreadable(problem: &str) -> Failure {
    super::error::Unreadable(problem.to_owned()).into()
}
