//! What one stream is sent, message by message.

use std::sync::Arc;
use std::time::SystemTime;

use super::encode::{self, Change, Contract, Serving};
use super::headers;
use super::reply::Reply;
use super::shared::SharedEvents;
use crate::store::masked::{MaskedPods, Request};
use crate::store::snapshot::{PodEntry, Snapshot};
use crate::store::watch::{Event, Watcher};

/// The state of one stream.
pub(crate) trait Feed: Send + 'static {
    /// The next message, or `None` when the client knows all that is in `current`. Between two calls no snapshot is
    /// held.
    fn next(&mut self, current: &Snapshot) -> Option<Reply>;
}

/// A watch on pods.
pub(crate) struct PodFeed {
    watcher: Watcher<Request>,
    mask: Option<Arc<MaskedPods>>,
    contract: Contract,
    events: Arc<SharedEvents>,
}

impl PodFeed {
    pub(crate) fn new(contract: Contract, events: Arc<SharedEvents>, view: Request) -> Self {
        Self { mask: view.mask.clone(), watcher: Watcher::with_view(view), contract, events }
    }

    fn changed(&self, change: Change, pod: &PodEntry) -> Reply {
        match &self.mask {
            None => self.events.of(self.contract, change, pod),
            Some(mask) => encode::changed(self.contract, change, &mask.of(pod).bytes).into(),
        }
    }
}

impl Feed for PodFeed {
    fn next(&mut self, current: &Snapshot) -> Option<Reply> {
        loop {
            return Some(match self.watcher.next(current)? {
                Event::Added(pod) => self.changed(Change::Added, &pod),
                Event::Modified(pod) => self.changed(Change::Modified, &pod),
                Event::Deleted(id) => encode::deleted(self.contract, &id, headers::seconds(SystemTime::now())).into(),
                Event::InitialSyncComplete => match encode::initial_sync_complete(self.contract) {
                    Some(marker) => marker.into(),
                    None => continue,
                },
            });
        }
    }
}

/// Whether a service is served, by its name: exactly when the node is known.
pub(crate) fn serving(service: &str, current: &Snapshot) -> Serving {
    match service {
        "" | "v1alpha1.Pods" | "Pods" if current.initialized => Serving::Yes,
        "" | "v1alpha1.Pods" | "Pods" => Serving::No,
        _ => Serving::Unknown,
    }
}

/// A watch on the health of one service.
pub(crate) struct HealthFeed {
    service: String,
    sent: Option<Serving>,
}

impl HealthFeed {
    pub(crate) fn new(service: String) -> Self {
        Self { service, sent: None }
    }
}

impl Feed for HealthFeed {
    fn next(&mut self, current: &Snapshot) -> Option<Reply> {
        let now = serving(&self.service, current);
        (self.sent.replace(now) != Some(now)).then(|| encode::health(now).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::grpc::testing::{entry, snapshot};

    fn all(feed: &mut impl Feed, current: &Snapshot) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| feed.next(current)).map(|r| r.as_ref().to_vec()).collect()
    }

    #[test]
    fn the_documented_service_has_no_marker() {
        let pod = entry("a", 1);
        let current = snapshot(1, &[&pod]);
        let mut kubelet = PodFeed::new(Contract::Kubelet, Arc::default(), Request::default());
        let mut documented = PodFeed::new(Contract::Documented, Arc::default(), Request::default());
        assert_eq!(all(&mut kubelet, &current).len(), 2);
        assert_eq!(all(&mut documented, &current), [encode::pod(pod.bytes.as_bytes())]);
        assert_eq!(all(&mut documented, &current).len(), 0);
    }

    #[test]
    fn health_is_sent_when_it_changes() {
        let mut feed = HealthFeed::new("Pods".into());
        assert_eq!(all(&mut feed, &Snapshot::empty(1)), [b"\x08\x02"]);
        assert_eq!(all(&mut feed, &Snapshot::empty(2)).len(), 0);
        assert_eq!(all(&mut feed, &snapshot(3, &[])), [b"\x08\x01"]);
        assert_eq!(all(&mut HealthFeed::new("other".into()), &snapshot(3, &[])), [b"\x08\x03"]);
    }
}
