//! The thread that owns the reconciler: updates in, snapshots out.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::handle::Store;
use super::reconcile::{Now, Reconciler};
use super::update::Update;

/// Updates that are taken before a snapshot is made: what came at once is shown at once.
const AT_ONCE: usize = 64;
/// How long the thread sleeps at most where no deadline is near.
const LONG: Duration = Duration::from_secs(3600);

/// Starts the thread `reconciler`. It ends when all senders of `updates` are gone. `served` is told the revision of
/// each snapshot that was published.
///
/// # Errors
/// The system has no thread for us.
pub fn start(
    mut reconciler: Reconciler,
    store: Arc<Store>,
    updates: Receiver<Update>,
    mut served: impl FnMut(u64) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("reconciler".into()).spawn(move || loop {
        if let Some(snapshot) = reconciler.snapshot(now()) {
            let revision = snapshot.revision;
            store.publish(snapshot);
            served(revision);
        }
        match updates.recv_timeout(patience(&reconciler)) {
            Ok(update) => {
                reconciler.apply(update, now());
                updates.try_iter().take(AT_ONCE).for_each(|update| reconciler.apply(update, now()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        reconciler.tick(now());
    })
}

fn patience(reconciler: &Reconciler) -> Duration {
    let left = reconciler.deadline().map(|d| d.unix_ms.saturating_sub(now().unix_ms).saturating_add(1));
    left.map_or(LONG, |ms| Duration::from_millis(ms).min(LONG))
}

fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }
}
