//! What all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::refusal::Refusal;
use super::rendered::Rendered;
use super::Scope;
use crate::codec::time::Time;
use crate::serve::metrics::Page;
use crate::store::events::Events;
use crate::store::past::Past;
use crate::store::snapshot::Snapshot;
use crate::store::Store;

/// What all requests share. Handlers hold no other state.
pub(crate) struct Shared {
    pub(crate) scope: Scope,
    pub(crate) store: Arc<Store>,
    pub(crate) page: Arc<Page>,
    pub(crate) events: Arc<Events>,
    /// Snapshots that clients have seen, so that a list or a watch can go on from the revision that its client names.
    pub(crate) past: Arc<Mutex<Past>>,
    /// Printed pods, for the next who asks.
    pub(crate) rendered: Arc<Rendered>,
    /// Where the runtime keeps the logs of containers: `/var/log/pods`.
    pub(crate) log_root: PathBuf,
}

impl Shared {
    /// The current snapshot.
    ///
    /// # Errors
    /// The node is not known yet.
    pub(crate) fn known(&self) -> Result<Arc<Snapshot>, Refusal> {
        let snapshot = self.store.current();
        if !snapshot.initialized {
            return Err(Refusal::NotInitialized);
        }
        Ok(snapshot)
    }

    /// Notes that a client is shown this snapshot.
    pub(crate) fn show(&self, snapshot: &Arc<Snapshot>) {
        self.past.lock().keep(snapshot);
    }

    /// What this machine is called: the node's name and the host's.
    pub(crate) fn names(&self) -> Vec<String> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        vec![self.store.current().node_name.clone(), host.trim().to_owned()]
    }
}

/// Seconds since the epoch, for ages.
pub(crate) fn now() -> i64 {
    Time::from(SystemTime::now()).unix()
}
