//! The pods that the API server has for this node: a list, then a watch, for as long as it takes.
//!
//! Rules: `kubernetes/client-go tools/cache/reflector.go`; the kubelet's own is
//! `kubernetes/kubernetes pkg/kubelet/config/apiserver.go`.

mod backoff;
mod error;
mod event;
mod form;
mod frames;
mod list;
mod pods;
mod query;
mod seam;
mod session;
mod status;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{after, at, never, select};

use self::backoff::Backoff;
use self::error::Failure;
use self::event::Event;
pub(in crate::source) use self::list::pods_in_json;
use self::pods::Pods;
use self::query::Freshness;
pub use self::seam::{control, Control, Controlled, Wanted};
pub use self::session::Timing;
use self::session::{Said, Session, Start};
use super::kubeconfig::{Choice, KubeconfigError};
use super::reporter::{Reporter, Stopped};
use crate::heartbeat;
use crate::store::update::{HealthState, SourceId, Update};

/// Messages of a session that are taken before the pods are told.
const AT_ONCE: usize = 64;
/// A watch that goes on behind a time in which the server was away is accepted before it tells what happened meanwhile.
/// That comes at once; until then, what is known must not pass for the present.
const CATCHES_UP: Duration = Duration::from_millis(300);

/// How the API server is found.
pub struct Options {
    /// Which credentials.
    pub choice: Choice,
    /// Where a kubelet of this distribution keeps its kubeconfig (`discovery::node`); asked at each try.
    pub places: Box<dyn Fn() -> Vec<PathBuf> + Send>,
    /// Limits of time.
    pub timing: Timing,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("choice", &self.choice).field("timing", &self.timing).finish_non_exhaustive()
    }
}

/// Runs the source until the reporter's stop. It waits until `controlled` knows the node's name.
pub fn run(reporter: Reporter, options: Options, controlled: Controlled) {
    let mut source = Source {
        reporter,
        options,
        controlled,
        pods: Pods::default(),
        version: None,
        start: first(),
        backoff: Backoff::default(),
        expired: false,
        target: String::new(),
        answered: false,
    };
    let Stopped = source.work();
}

/// What the kubelet asks for first: whatever the server has at hand.
fn first() -> Start {
    Start::List(Freshness::NotOlderThan("0".into()))
}

/// The source's state; owned by its thread.
struct Source {
    reporter: Reporter,
    options: Options,
    controlled: Controlled,
    pods: Pods,
    /// Up to where `pods` is known.
    version: Option<String>,
    /// How the next session begins.
    start: Start,
    backoff: Backoff,
    /// The last session found its version to be too old; asking for another one at once must not go on for ever.
    expired: bool,
    /// The server, fit to be shown.
    target: String,
    /// Whether it ever answered.
    answered: bool,
}

/// Why a session is over.
enum Over {
    /// Something else is wanted now.
    Wanted,
    /// It ended; when its watch was accepted, if it was.
    Ended(Result<(), Failure>, Option<Instant>),
}

impl Source {
    fn work(&mut self) -> Stopped {
        let mut node: Option<String> = None;
        loop {
            let wanted = self.controlled.wanted();
            if wanted.node != node {
                // Another node's pods are not ours.
                node.clone_from(&wanted.node);
                (self.start, self.version) = (first(), None);
            }
            let done = match node.as_deref() {
                _ if wanted.rest => self.rest(),
                None => self.wait_for_name(),
                Some(node) => self.go(node, &wanted),
            };
            if let Err(stopped) = done {
                return stopped;
            }
        }
    }

    fn rest(&mut self) -> Result<(), Stopped> {
        if self.reporter.health(HealthState::Resting, "", &self.target)? {
            log::info!("apiserver: resting, a kubelet tells the same and more");
        }
        self.backoff.reset();
        // Whoever has rested begins with a list: nothing of what it knew from before may pass for the present. A list
        // that is not older than that, since versions do not go back.
        self.pods = Pods::default();
        self.start = self.version.clone().map_or_else(first, |version| Start::List(Freshness::NotOlderThan(version)));
        self.pause(None)
    }

    fn wait_for_name(&mut self) -> Result<(), Stopped> {
        self.reporter.health(HealthState::Starting, "the name of this node is not known yet", &self.target)?;
        self.pause(None)
    }

    /// Waits until something else is wanted, or for `time`.
    fn pause(&self, time: Option<Duration>) -> Result<(), Stopped> {
        let timer = time.map_or_else(never, after);
        let _rest = heartbeat::rest(time.map(|time| Instant::now() + time));
        select! {
            recv(self.reporter.stop()) -> _ => Err(Stopped),
            recv(self.controlled.wake()) -> woken => woken.map_err(|_| Stopped),
            recv(timer) -> _ => Ok(()),
        }
    }

    /// One session, and the pause behind it.
    fn go(&mut self, node: &str, wanted: &Wanted) -> Result<(), Stopped> {
        let access = match self.options.choice.access(&(self.options.places)()) {
            Ok(access) => access,
            Err(e) => return self.failed(&Failure::Access(e), None),
        };
        self.target = access.server.to_string();
        if self.reporter.state().is_none() {
            self.reporter.health(HealthState::Starting, "", &self.target)?;
        }
        let over = match Session::start(access, node, self.start.clone(), self.options.timing) {
            Ok(session) => self.follow(&session, wanted)?,
            Err(e) => {
                log::error!("apiserver: no thread for a connection: {e}");
                return self.back_off();
            }
        };
        match over {
            Over::Wanted => Ok(()),
            Over::Ended(outcome, watching) => {
                let lived = watching.map_or(Duration::ZERO, |since| since.elapsed());
                if lived >= self.options.timing.shortest {
                    self.all_is_well();
                }
                match outcome {
                    Ok(()) if lived >= self.options.timing.shortest => Ok(()),
                    Ok(()) => self.back_off(),
                    Err(failure) => self.failed(&failure, watching),
                }
            }
        }
    }

    fn back_off(&mut self) -> Result<(), Stopped> {
        let wait = self.backoff.next(backoff::chance(), None);
        self.pause(Some(wait))
    }

    /// Takes what a session says until it ends or is not wanted any more.
    fn follow(&mut self, session: &Session, wanted: &Wanted) -> Result<Over, Stopped> {
        let (mut watching, mut catches_up) = (None, None);
        loop {
            let rest = heartbeat::rest(catches_up);
            let said = select! {
                recv(self.reporter.stop()) -> _ => return Err(Stopped),
                recv(catches_up.map_or_else(never, at)) -> _ => {
                    catches_up = None;
                    self.answers()?;
                    continue;
                }
                recv(self.controlled.wake()) -> woken => {
                    woken.map_err(|_| Stopped)?;
                    if self.controlled.wanted() != *wanted {
                        return Ok(Over::Wanted);
                    }
                    continue;
                }
                recv(session.said) -> said => said,
            };
            drop(rest);
            let Ok(said) = said else { return Ok(Over::Ended(Ok(()), watching)) };
            // What has come in the meantime is told together, within reason: a server may never be done talking.
            let (mut changed, mut listed, mut over) = (false, false, None);
            for said in std::iter::once(said).chain(session.said.try_iter().take(AT_ONCE)) {
                match said {
                    Said::Listed(pods, version) => {
                        self.pods.replace(pods);
                        self.backoff.ease();
                        self.start = Start::Watch(version.clone());
                        self.version = Some(version);
                        (changed, listed) = (true, true);
                    }
                    Said::Watching => {
                        let now = Instant::now();
                        watching = Some(now);
                        let away = !listed && self.reporter.state() == Some(HealthState::Down);
                        catches_up = away.then(|| now + CATCHES_UP);
                    }
                    Said::Events(events) => {
                        self.all_is_well();
                        match self.take(&events) {
                            Ok(news) => changed |= news,
                            Err(much) => {
                                (changed, over) = (true, Some(Over::Ended(Err(much), watching)));
                                break;
                            }
                        }
                    }
                    Said::Ended(outcome) => over = Some(Over::Ended(outcome, watching)),
                }
            }
            if changed {
                self.reporter.send(Update::Pods { source: SourceId::ApiServer, pods: self.pods.all() })?;
            }
            if listed || (watching.is_some() && catches_up.is_none()) {
                self.answers()?;
            }
            if let Some(over) = over {
                return Ok(over);
            }
        }
    }

    /// Takes events; true where something is different now.
    fn take(&mut self, events: &[Event]) -> Result<bool, Failure> {
        let mut changed = false;
        for event in events {
            match self.pods.apply(event) {
                Ok(news) => changed |= news,
                Err(much) => {
                    // A list says whether it is still too much, and misses nothing of what was not taken.
                    self.start = Start::List(match self.version.clone() {
                        Some(version) => Freshness::NotOlderThan(version),
                        None => Freshness::Newest,
                    });
                    return Err(much);
                }
            }
            if let Some(version) = event.version() {
                self.start = Start::Watch(version.clone());
                self.version = Some(version);
            }
        }
        Ok(changed)
    }

    /// The watch works, so the next failure is the first one.
    fn all_is_well(&mut self) {
        self.backoff.reset();
        self.expired = false;
    }

    fn answers(&mut self) -> Result<(), Stopped> {
        self.answered = true;
        if self.reporter.health(HealthState::Up, "", &self.target)? {
            log::info!("apiserver: {} answers", self.target);
        }
        Ok(())
    }

    /// Notes a failure, decides how to begin the next time, and waits until then.
    fn failed(&mut self, failure: &Failure, watching: Option<Instant>) -> Result<(), Stopped> {
        let expired = std::mem::replace(&mut self.expired, failure.is_version());
        if failure.is_version() {
            let listing = matches!(self.start, Start::List(_));
            self.start = Start::List(match self.version.clone().filter(|_| !listing) {
                Some(version) => Freshness::NotOlderThan(version),
                None => Freshness::Newest,
            });
            log::debug!("apiserver: {failure}; asking for everything again");
            if !expired {
                return Ok(());
            }
        }
        let fresh = self.backoff.is_fresh();
        let asked = if failure.is_much() { Some(self.options.timing.much) } else { failure.retry_after() };
        let wait = self.backoff.next(backoff::chance(), asked);
        if watching.is_some() && fresh && matches!(failure, Failure::Http(_)) {
            // Proxies and restarts cut watches now and then. Whether the server is gone shows at the next try.
            log::debug!("apiserver: {failure}; watching again");
            return self.pause(Some(wait));
        }
        let state = match failure {
            _ if self.answered => HealthState::Down,
            Failure::Access(KubeconfigError::NotFound { .. }) => HealthState::Absent,
            _ => HealthState::Starting,
        };
        let problem = failure.to_string();
        if self.reporter.health(state, &problem, &self.target)? {
            let kept = if self.answered { "; its last pods are kept" } else { "" };
            log::warn!("apiserver: {problem}{kept}");
        }
        self.pause(Some(wait))
    }
}
