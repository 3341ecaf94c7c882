//! The thread that owns the reconciler: updates in, snapshots out.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::heartbeat::{self, Heartbeats};
use crate::store::now::Now;
use crate::store::reconcile::Reconciler;
use crate::store::snapshot::Snapshot;
use crate::store::update::Update;
use crate::store::Store;

/// Updates that are taken before a snapshot is made: what came at once is shown at once.
const AT_ONCE: usize = 64;
/// How long the thread sleeps at most where no deadline is near.
const LONG: Duration = Duration::from_secs(3600);

/// Where the reconciler's times come from.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// The steady time of the start: that of the wall then, so that what the runtime dates before it has one too.
    at_start_ms: u64,
}

impl Clock {
    /// A clock whose steady time runs from now on.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), at_start_ms: wall_ms() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        let passed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { unix_ms: wall_ms(), steady_ms: self.at_start_ms.saturating_add(passed) }
    }
}

/// The wall's time in seconds since the epoch.
#[must_use]
pub fn wall_seconds() -> i64 {
    i64::try_from(wall_ms() / 1000).unwrap_or(i64::MAX)
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Who is told on the owner's thread what it does. Whoever takes long holds everything up.
pub trait Bystander: Send + 'static {
    /// This update is about to be applied.
    fn heard(&mut self, update: &Update);
    /// This snapshot is about to be published.
    fn publishing(&mut self, snapshot: &Arc<Snapshot>);
}

/// Starts the thread `reconciler`. It ends when all senders of `updates` are gone.
///
/// # Errors
/// The system has no thread for us.
pub fn start(
    mut reconciler: Reconciler,
    clock: Clock,
    store: Arc<Store>,
    updates: Receiver<Update>,
    beats: &Heartbeats,
    mut bystander: impl Bystander,
) -> io::Result<JoinHandle<()>> {
    let (name, beats) = ("reconciler", beats.clone());
    thread::Builder::new().name(name.into()).spawn(move || {
        let _watched = beats.enter(name);
        loop {
            if let Some(snapshot) = reconciler.snapshot(clock.now()) {
                bystander.publishing(&snapshot);
                store.publish(snapshot);
            }
            let patience = patience(&reconciler, clock.now());
            let rest = heartbeat::rest(Some(Instant::now() + patience));
            let update = updates.recv_timeout(patience);
            drop(rest);
            match update {
                Ok(update) => {
                    for update in std::iter::once(update).chain(updates.try_iter().take(AT_ONCE)) {
                        bystander.heard(&update);
                        reconciler.apply(update, clock.now());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            reconciler.tick(clock.now());
        }
    })
}

fn patience(reconciler: &Reconciler, now: Now) -> Duration {
    let left = reconciler.deadline().map(|at| at.saturating_sub(now.steady_ms).saturating_add(1));
    left.map_or(LONG, |ms| Duration::from_millis(ms).min(LONG))
}
