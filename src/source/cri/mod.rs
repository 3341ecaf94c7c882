//! The container runtime, polled over CRI `runtime.v1`.
//!
//! Two lists a second, and a status call for what is new or changed: what the kubelet's own relisting does
//! (`kubernetes/kubernetes pkg/kubelet/pleg`). While the runtime is away its last known state stays.

mod client;
mod convert;
mod digest;
#[cfg(test)]
mod fake_runtime;
mod inventory;
mod log_tail;
mod termination;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{at, never, select, Receiver};
use grpcio::{EnvBuilder, Environment};

use self::client::{CallError, Client};
use self::inventory::Inventory;
use super::reporter::{Reporter, Stopped};
use crate::heartbeat;
use crate::pod::observed::{RuntimeCondition, RuntimeState};
use crate::proto::runtime::{ContainerState, VersionResponse};
use crate::store::update::{HealthState, Update};

const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_LAST: Duration = Duration::from_secs(5);
/// Hints cannot make polls come closer together than this.
const CLOSEST: Duration = Duration::from_millis(50);
/// The runtime's own conditions change rarely.
const CONDITIONS_EVERY: Duration = Duration::from_secs(10);

/// After the hint that a container has ended, it may take the runtime this long to say so itself.
const ENDS_WITHIN: Duration = Duration::from_millis(60);
/// How often it is asked meanwhile, about that container alone.
const ENDED_YET: Duration = Duration::from_millis(2);

/// Why the next poll should come now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// Something may have changed.
    Look,
    /// The container with this id is about to be told as ended.
    Ended(String),
}

/// Where the runtime may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// Sockets to try, the likeliest first.
    pub candidates: Vec<PathBuf>,
    /// A runtime belongs to this node, whether its socket exists yet or not.
    pub expected: bool,
}

/// Asked before each connection, so that a runtime that comes later is found.
pub type Locate = Box<dyn Fn() -> Sockets + Send>;

/// Told each state before it is sent: the node's name may stand in it.
pub type Learn = Box<dyn Fn(&RuntimeState) + Send>;

/// The source's state; owned by its thread.
struct Runtime {
    reporter: Reporter,
    locate: Locate,
    learn: Learn,
    every: Duration,
    hints: Receiver<Nudge>,
    env: Arc<Environment>,
    inventory: Inventory,
    conditions: Vec<RuntimeCondition>,
    /// What was sent last; a session that finds the same sends nothing.
    sent: Option<(VersionResponse, Vec<RuntimeCondition>)>,
    backoff: Duration,
}

/// Why a session with the runtime ended.
#[derive(Debug)]
enum End {
    Stopped,
    Failed(CallError),
}

impl From<Stopped> for End {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<CallError> for End {
    fn from(e: CallError) -> Self {
        match e {
            CallError::Stopped => Self::Stopped,
            e => Self::Failed(e),
        }
    }
}

/// Runs the source until the reporter's stop. A message in `hints` brings the next poll forward; make it a
/// `bounded(1)` channel and drop what does not fit, since one hint says as much as many.
pub fn run(reporter: Reporter, locate: Locate, learn: Learn, every: Duration, hints: Receiver<Nudge>) {
    // Calls are made one after another: one completion queue is plenty.
    let env = Arc::new(EnvBuilder::new().cq_count(1).name_prefix("cri-grpc").build());
    let mut source = Runtime {
        reporter,
        locate,
        learn,
        every,
        hints,
        env,
        inventory: Inventory::default(),
        conditions: Vec::new(),
        sent: None,
        backoff: BACKOFF_FIRST,
    };
    let Stopped = source.work();
}

impl Runtime {
    fn work(&mut self) -> Stopped {
        loop {
            if let Err(stopped) = self.try_sockets() {
                return stopped;
            }
            if let Err(stopped) = self.rest(Instant::now() + self.backoff) {
                return stopped;
            }
            self.backoff = (self.backoff * 2).min(BACKOFF_LAST);
        }
    }

    /// Tries each socket in turn; returns when the runtime is gone, or none of them has one.
    fn try_sockets(&mut self) -> Result<(), Stopped> {
        let Sockets { candidates, expected } = (self.locate)();
        if self.reporter.state().is_none() {
            let state = if expected || !candidates.is_empty() { HealthState::Starting } else { HealthState::Absent };
            self.reporter.health(state, "", "")?;
        }
        let mut first: Option<(PathBuf, CallError)> = None;
        for path in candidates {
            let mut answered = false;
            match self.session(&path, &mut answered) {
                End::Stopped => return Err(Stopped),
                // This one has to come back; the others are not asked in its place.
                End::Failed(e) if answered => {
                    first = Some((path, e));
                    break;
                }
                End::Failed(e) => first = first.or(Some((path, e))),
            }
        }
        let was_known = self.sent.is_some();
        let Some((path, e)) = first else {
            let state = match (was_known, expected) {
                (true, _) => HealthState::Down,
                (false, true) => HealthState::Starting,
                (false, false) => HealthState::Absent,
            };
            if self.reporter.health(state, "no runtime socket was found yet; it is looked for", "")? {
                log::info!("cri: no runtime socket was found yet; it is looked for");
            }
            return Ok(());
        };
        if e == CallError::Starting {
            // Recovery takes a moment, not the seconds that the wait may have grown to.
            self.backoff = BACKOFF_FIRST;
        }
        let target = path.to_string_lossy();
        let state = if was_known { HealthState::Down } else { HealthState::Starting };
        let error = e.to_string();
        if self.reporter.health(state, &error, &target)? {
            let kept = if was_known { "; its last known state is kept" } else { "" };
            log::warn!("cri: {target} does not answer: {error}{kept}");
        }
        Ok(())
    }

    /// Connects, and polls until something fails. `answered` says whether there was a full poll before that.
    fn session(&mut self, path: &Path, answered: &mut bool) -> End {
        let client = Client::new(Arc::clone(&self.env), path, self.reporter.stop().clone());
        match self.polls(&client, path, answered) {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    fn polls(&mut self, client: &Client, path: &Path, answered: &mut bool) -> Result<Infallible, End> {
        let target = path.to_string_lossy().into_owned();
        let version = client.version()?;
        let mut conditions_due = Instant::now();
        loop {
            let started = Instant::now();
            if started >= conditions_due {
                match client.status() {
                    Ok(status) => self.conditions = convert::conditions(status),
                    Err(e @ (CallError::Stopped | CallError::Away(_) | CallError::Starting)) => return Err(e.into()),
                    Err(e) => log::debug!("cri: {target}: {e}"),
                }
                conditions_due = started + CONDITIONS_EVERY;
            }
            let changed = self.inventory.poll(client)?;
            let said = (version.clone(), self.conditions.clone());
            if changed || self.sent.as_ref() != Some(&said) {
                let state = self.inventory.state(&version, &self.conditions);
                (self.learn)(&state);
                self.reporter.send(Update::Runtime(Arc::new(state)))?;
                self.sent = Some(said);
            }
            *answered = true;
            self.backoff = BACKOFF_FIRST;
            self.report_up(&version, &target)?;
            // A change is seldom alone: look again soon, once.
            let pause = match changed {
                _ if self.inventory.is_behind() => CLOSEST,
                true => self.every / 4,
                false => self.every,
            };
            self.rest_after(client, started, pause)?;
        }
    }

    fn report_up(&mut self, version: &VersionResponse, target: &str) -> Result<(), Stopped> {
        let was = self.reporter.state();
        let complaint = self.inventory.complaint();
        if !self.reporter.health(HealthState::Up, &complaint, target)? {
            return Ok(());
        }
        if was != Some(HealthState::Up) {
            log::info!("cri: {} {} answers on {target}", version.runtime_name, version.runtime_version);
        }
        if !complaint.is_empty() {
            log::warn!("cri: {target}: {complaint}; the last known state of it is kept");
        }
        Ok(())
    }

    /// Waits for the next poll: `pause` after `started`, or at a hint, but never sooner than [`CLOSEST`].
    fn rest_after(&mut self, client: &Client, started: Instant, pause: Duration) -> Result<(), End> {
        if let Some(Nudge::Ended(id)) = self.rest(started + pause.max(CLOSEST))? {
            self.until_ended(client, &id)?;
        }
        Ok(self.sleep(started + CLOSEST)?)
    }

    /// A poll that came before the runtime knows would see nothing, and the next one could not follow at once.
    fn until_ended(&self, client: &Client, id: &str) -> Result<(), End> {
        let patience = Instant::now() + ENDS_WITHIN;
        while Instant::now() < patience {
            match client.container_status(id) {
                Ok(status) if status.state.enum_value() == Ok(ContainerState::CONTAINER_RUNNING) => {}
                Err(e @ (CallError::Stopped | CallError::Away(_) | CallError::Starting)) => return Err(e.into()),
                // It has ended, or is no container: sandboxes have tasks too.
                Ok(_) | Err(_) => return Ok(()),
            }
            self.sleep(Instant::now() + ENDED_YET)?;
        }
        Ok(())
    }

    fn sleep(&self, until: Instant) -> Result<(), Stopped> {
        let _rest = heartbeat::rest(Some(until));
        select! {
            recv(self.reporter.stop()) -> _ => Err(Stopped),
            recv(at(until)) -> _ => Ok(()),
        }
    }

    /// Waits until `until` or a hint.
    fn rest(&mut self, until: Instant) -> Result<Option<Nudge>, Stopped> {
        let _rest = heartbeat::rest(Some(until));
        select! {
            recv(self.reporter.stop()) -> _ => return Err(Stopped),
            recv(self.hints) -> hint => match hint {
                Ok(nudge) => return Ok(Some(nudge)),
                Err(_) => {
                    // Nobody hints any more.
                    self.hints = never();
                    return self.rest(until);
                }
            },
            recv(at(until)) -> _ => {}
        }
        Ok(None)
    }
}
