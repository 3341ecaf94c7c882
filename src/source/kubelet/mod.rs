//! A kubelet's own Pods API (`kubernetes/kubernetes pkg/kubelet/apis/pods`), where a kubelet serves it.
//!
//! A watch says when something changed; a list says what. So it does not matter that a kubelet's watch repeats old
//! events, drops some, keeps silent about labels, and says DELETED of a pod that has merely finished.

mod client;
mod ours;
pub mod page;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{after, select};
use grpcio::{EnvBuilder, Environment};

use self::client::{CallError, Client, Told};
use self::ours::Answers;
use super::reporter::{Reporter, Stopped};
use crate::codec::pod_bytes::PodBytes;
use crate::heartbeat;
use crate::store::update::{HealthState, SourceId, Update};

const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_LAST: Duration = Duration::from_secs(10);
/// Events come in bunches, and a kubelet answers 100 lists a second at most, 10 of them at once: one list for a bunch.
const BUNCH: Duration = Duration::from_millis(20);
/// A list without an event, for what the watch keeps silent about (labels, annotations, dropped events).
const RELIST: Duration = Duration::from_secs(20);
/// How long the initial burst of a watch may take before the first list.
const BURST: Duration = Duration::from_secs(5);

/// Sockets where a kubelet may serve, the likeliest first. Asked before each connection.
pub type Locate = Box<dyn Fn() -> Vec<PathBuf> + Send>;

/// What the source needs to know.
pub struct Options {
    /// Finds the sockets.
    pub locate: Locate,
    /// The sockets that this process serves on: never taken for a kubelet's.
    pub own: Vec<PathBuf>,
    /// Told whenever a kubelet begins (true) or ceases to answer, so that others can rest meanwhile.
    pub answers: Box<dyn Fn(bool) + Send>,
}

/// The source's state; owned by its thread.
struct Kubelet {
    reporter: Reporter,
    options: Options,
    env: Arc<Environment>,
    who: fn(&Path, &[PathBuf]) -> Answers,
    /// What was sent last.
    sent: Option<Vec<PodBytes>>,
    backoff: Duration,
}

/// Runs the source until the reporter's stop.
pub fn run(reporter: Reporter, options: Options) {
    let Stopped = Kubelet::new(reporter, options, ours::who).work();
}

impl Kubelet {
    fn new(reporter: Reporter, options: Options, who: fn(&Path, &[PathBuf]) -> Answers) -> Self {
        // Two calls at most: one completion queue is plenty.
        let env = Arc::new(EnvBuilder::new().cq_count(1).name_prefix("kubelet-grpc").build());
        Self { reporter, options, env, who, sent: None, backoff: BACKOFF_FIRST }
    }

    fn work(&mut self) -> Stopped {
        loop {
            if let Err(stopped) = self.try_sockets() {
                return stopped;
            }
            let rest = heartbeat::rest(Some(Instant::now() + self.backoff));
            select! {
                recv(self.reporter.stop()) -> _ => return Stopped,
                recv(after(self.backoff)) -> _ => {}
            }
            drop(rest);
            self.backoff = (self.backoff * 2).min(BACKOFF_LAST);
        }
    }

    /// Tries each socket in turn; returns when the kubelet is gone, or none of them has one.
    fn try_sockets(&mut self) -> Result<(), Stopped> {
        let mut trouble = None;
        for path in (self.options.locate)() {
            match (self.who)(&path, &self.options.own) {
                Answers::Other => {
                    let error = self.session(&path);
                    (self.options.answers)(false);
                    match error {
                        CallError::Stopped => return Err(Stopped),
                        error => trouble = trouble.or(Some((path, error))),
                    }
                }
                nobody => log::debug!("kubelet: {}: {nobody}", path.display()),
            }
        }
        let known = self.sent.is_some();
        let (target, error) = match &trouble {
            Some((path, error)) => (path.to_string_lossy().into_owned(), error.to_string()),
            None => (String::new(), if known { "it is gone".to_owned() } else { String::new() }),
        };
        let state = match &trouble {
            _ if known => HealthState::Down,
            Some((_, CallError::NotReady(_))) => HealthState::Starting,
            _ => HealthState::Absent,
        };
        if self.reporter.health(state, &error, &target)? && !error.is_empty() {
            let kept = if known { "; its last known pods are kept" } else { "" };
            log::warn!("kubelet: {target}: {error}{kept}");
        }
        Ok(())
    }

    /// Follows the kubelet behind `path` until something fails.
    fn session(&mut self, path: &Path) -> CallError {
        match self.follow(path) {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn follow(&mut self, path: &Path) -> Result<std::convert::Infallible, CallError> {
        let client = Client::new(Arc::clone(&self.env), path, self.reporter.stop().clone());
        let mut watch = client.watch()?;
        let patience = Instant::now() + BURST;
        while Instant::now() < patience && watch.told(patience)? == Told::Event {}
        loop {
            let pods = client.list()?;
            self.tell(pods, path).map_err(|Stopped| CallError::Stopped)?;
            self.backoff = BACKOFF_FIRST;
            if watch.told(Instant::now() + RELIST)? == Told::Nothing {
                continue;
            }
            let bunch = Instant::now() + BUNCH;
            while Instant::now() < bunch && watch.told(bunch)? != Told::Nothing {}
        }
    }

    fn tell(&mut self, pods: Vec<PodBytes>, path: &Path) -> Result<(), Stopped> {
        if self.sent.as_ref() != Some(&pods) {
            self.sent = Some(pods.clone());
            self.reporter.send(Update::Pods { source: SourceId::Kubelet, pods })?;
        }
        let was = self.reporter.state();
        self.reporter.health(HealthState::Up, "", &path.to_string_lossy())?;
        if was != Some(HealthState::Up) {
            log::info!("kubelet: it answers on {}", path.display());
            (self.options.answers)(true);
        }
        Ok(())
    }
}
