//! The page of metrics of a running daemon, wherever it is shown.

use std::fmt;
use std::sync::Arc;

use super::{render, Metrics, Process};
use crate::store::Store;

/// Knows everything that stands on the page.
pub struct Page {
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    /// Open connections and running streams of the gRPC server.
    load: Box<dyn Fn() -> (usize, usize) + Send + Sync>,
}

impl Page {
    /// A page about this store and these counters.
    pub fn new(
        store: Arc<Store>,
        metrics: Arc<Metrics>,
        load: impl Fn() -> (usize, usize) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { store, metrics, load: Box::new(load) })
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The page as it is now.
    #[must_use]
    pub fn text(&self) -> String {
        self.render(Process::Shown)
    }

    /// The page without the figures of the process: node_exporter shows those of its own under the same names, and
    /// refuses a text file that has them too.
    #[must_use]
    pub fn without_process(&self) -> String {
        self.render(Process::LeftOut)
    }

    fn render(&self, process: Process) -> String {
        let (connections, streams) = (self.load)();
        render(&self.metrics, &self.store.current(), connections, streams, process)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}
