//! What all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::history::History;
use super::refusal::Refusal;
use super::rendered::Rendered;
use super::Scope;
use crate::serve::metrics::Page;
use crate::store::events::Events;
use crate::store::snapshot::Snapshot;
use crate::store::Store;

/// What all requests share. Handlers hold no other state.
pub(crate) struct Shared {
    pub(crate) scope: Scope,
    pub(crate) store: Arc<Store>,
    pub(crate) page: Arc<Page>,
    pub(crate) events: Arc<Events>,
    pub(crate) history: Arc<History>,
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

    /// What this machine is called: the node's name and the host's.
    pub(crate) fn names(&self) -> Vec<String> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        vec![self.store.current().node_name.clone(), host.trim().to_owned()]
    }
}

/// Seconds since the epoch, for ages.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
