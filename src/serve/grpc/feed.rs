//! What one stream is sent, message by message.

use std::sync::Arc;
use std::time::SystemTime;

use grpcio::RpcStatusCode;

use super::encode::{self, Change, Contract, Serving};
use super::offer::Offer;
use super::refusal::Refusal;
use super::reply::Reply;
use super::shared::{Burst, SharedEvents};
use crate::serve::metrics::{self, Method, Metrics};
use crate::store::masked::{MaskedPods, Request};
use crate::store::snapshot::{PodEntry, Snapshot};
use crate::store::watch::{Event, Watcher};

/// The state of one stream.
pub(crate) trait Feed: Send + 'static {
    /// The next message, or `None` when the client knows all that is in `current`. Between two calls no snapshot is
    /// held.
    fn next(&mut self, current: &Snapshot) -> Option<Reply>;

    /// How the stream ends, once there is no message left; `None` where it goes on when there is news.
    fn end(&mut self) -> Option<Result<(), Refusal>> {
        None
    }

    /// The stream has ended with this code.
    fn ended(&mut self, _: RpcStatusCode) {}
}

/// A watch on pods.
pub(crate) struct PodFeed {
    watcher: Watcher<Request>,
    mask: Option<Arc<MaskedPods>>,
    contract: Contract,
    events: Arc<SharedEvents>,
    metrics: Arc<Metrics>,
    /// Until the initial pods were sent.
    start: Option<Burst>,
    /// Number of the snapshot that was looked at last.
    looked: Option<u64>,
}

impl PodFeed {
    pub(crate) fn new(contract: Contract, events: Arc<SharedEvents>, view: Request, metrics: Arc<Metrics>) -> Self {
        let (mask, watcher) = (view.mask.clone(), Watcher::with_view(view));
        let start = mask.is_none().then(|| events.burst());
        Self { mask, watcher, contract, events, metrics, start, looked: None }
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
        let before = self.looked.replace(current.number).unwrap_or(current.number);
        self.metrics.coalesced(current.number.saturating_sub(before).saturating_sub(1));
        let next = loop {
            let Some(event) = self.watcher.next(current) else { break None };
            let (kind, reply) = match event {
                Event::Added(pod) => (metrics::Event::Added, self.changed(Change::Added, &pod)),
                Event::Modified(pod) => (metrics::Event::Modified, self.changed(Change::Modified, &pod)),
                Event::Deleted(id) => {
                    let now = SystemTime::now().into();
                    (metrics::Event::Deleted, encode::deleted(self.contract, &id, now).into())
                }
                Event::InitialSyncComplete => {
                    self.start = None;
                    match encode::initial_sync_complete(self.contract) {
                        Some(marker) => (metrics::Event::InitialSyncComplete, marker.into()),
                        None => continue,
                    }
                }
            };
            self.metrics.event(kind);
            self.metrics.sent(self.contract.into(), Method::Watch, reply.as_ref().len());
            break Some(reply);
        };
        self.metrics.suppressed(self.watcher.take_suppressed());
        next
    }

    fn ended(&mut self, code: RpcStatusCode) {
        self.metrics.ended(self.contract.into(), Method::Watch, code.into());
    }
}

/// Whether a service is served, by its name: exactly when the node is known. The empty name is the server as a whole.
pub(crate) fn serving(service: &str, current: &Snapshot) -> Serving {
    let known = match service {
        "" => true,
        "v1alpha1.Pods" | "Pods" | "nodepods.v1.Lookup" | "v1.PodService" => Offer::of(current).has(service),
        _ => false,
    };
    match known {
        true if current.initialized => Serving::Yes,
        true => Serving::No,
        false => Serving::Unknown,
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
        let mut kubelet = PodFeed::new(Contract::Kubelet, Arc::default(), Request::default(), Arc::default());
        let mut documented = PodFeed::new(Contract::Documented, Arc::default(), Request::default(), Arc::default());
        assert_eq!(all(&mut kubelet, &current).len(), 2);
        assert_eq!(all(&mut documented, &current), [encode::pod(pod.bytes.as_bytes())]);
        assert_eq!(all(&mut documented, &current).len(), 0);
    }

    #[test]
    fn snapshots_that_were_passed_over_are_counted_whatever_each_of_them_changed() {
        let metrics = Arc::<Metrics>::default();
        let mut feed = PodFeed::new(Contract::Kubelet, Arc::default(), Request::default(), Arc::clone(&metrics));
        let mut passed_over = |number, revision| {
            all(&mut feed, &Snapshot { number, ..snapshot(revision, &[&entry("a", revision)]) });
            let page = metrics::render(&metrics, &Snapshot::empty(1), 0, 0, metrics::Process::LeftOut);
            let line = page.lines().find_map(|l| l.strip_prefix("nodepods_watch_events_coalesced_total "));
            line.and_then(|n| n.parse::<u64>().ok()).unwrap()
        };
        assert_eq!(passed_over(7, 7), 0);
        assert_eq!(passed_over(8, 20), 0, "the next one, with 13 changes");
        assert_eq!(passed_over(11, 23), 2);
    }

    #[test]
    fn health_is_sent_when_it_changes() {
        let mut feed = HealthFeed::new("Pods".into());
        assert_eq!(all(&mut feed, &Snapshot::empty(1)), [b"\x08\x02"]);
        assert_eq!(all(&mut feed, &Snapshot::empty(2)).len(), 0);
        assert_eq!(all(&mut feed, &snapshot(3, &[])), [b"\x08\x01"]);
        assert_eq!(all(&mut HealthFeed::new("other".into()), &snapshot(3, &[])), [b"\x08\x03"]);
    }

    #[test]
    fn a_narrow_socket_knows_the_health_of_what_it_serves() {
        let full = snapshot(1, &[]);
        let narrow = Snapshot { narrow: true, ..snapshot(1, &[]) };
        for service in ["", "v1alpha1.Pods", "Pods"] {
            assert_eq!((serving(service, &full), serving(service, &narrow)), (Serving::Yes, Serving::Yes), "{service}");
        }
        for service in ["nodepods.v1.Lookup", "v1.PodService"] {
            assert_eq!(
                (serving(service, &full), serving(service, &narrow)),
                (Serving::Yes, Serving::Unknown),
                "{service}"
            );
        }
    }
}
