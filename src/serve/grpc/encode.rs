//! Encoded messages of both Pods services and of the health service.

use crate::codec::time::Time;
use crate::codec::wire;
use crate::serve::metrics;
use crate::store::snapshot::PodId;

/// Which of the two Pods services is spoken. List and Get have the same bytes in both; watches differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Contract {
    /// `v1alpha1.Pods`: typed events with an end of the initial list.
    Kubelet,
    /// The documented `Pods`: bare pods.
    Documented,
}

impl From<Contract> for metrics::Service {
    fn from(contract: Contract) -> Self {
        match contract {
            Contract::Kubelet => Self::V1Alpha1,
            Contract::Documented => Self::Documented,
        }
    }
}

/// What happened to a pod that is sent whole. The numbers are those of `v1alpha1.EventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Added = 1,
    Modified = 2,
}

const DELETED: u64 = 3;
const INITIAL_SYNC_COMPLETE: u64 = 4;

/// `ListPodsResponse` and `PodListResponse`.
pub(crate) fn list<'a>(pods: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let len = pods.clone().map(|p| wire::bytes_len(1, p.len())).sum();
    let mut out = Vec::with_capacity(len);
    for pod in pods {
        wire::put_bytes(&mut out, 1, pod);
    }
    out
}

/// `GetPodResponse`, `PodGetResponse`.
pub(crate) fn pod(pod: &[u8]) -> Vec<u8> {
    message(&[], 1, pod)
}

/// An event with a pod.
pub(crate) fn changed(contract: Contract, change: Change, pod: &[u8]) -> Vec<u8> {
    match contract {
        Contract::Kubelet => message(&event_type(change as u64), 2, pod),
        Contract::Documented => message(&[], 1, pod),
    }
}

/// The last event of a pod: name, namespace and UID. The documented service has no event type, so that its message
/// shows the deletion in the pod: by `deletionTimestamp` (`now`) and an annotation.
pub(crate) fn deleted(contract: Contract, id: &PodId, now: Time) -> Vec<u8> {
    let mut metadata = Vec::new();
    wire::put_bytes(&mut metadata, 1, id.name.as_bytes());
    wire::put_bytes(&mut metadata, 3, id.namespace.as_bytes());
    wire::put_bytes(&mut metadata, 5, id.uid.as_bytes());
    if contract == Contract::Documented {
        let mut annotation = Vec::new();
        wire::put_bytes(&mut annotation, 1, b"nodepods.io/event");
        wire::put_bytes(&mut annotation, 2, b"DELETED");
        wire::put_bytes(&mut metadata, 9, &now.to_wire());
        wire::put_bytes(&mut metadata, 12, &annotation);
    }
    let pod = message(&[], 1, &metadata);
    match contract {
        Contract::Kubelet => message(&event_type(DELETED), 2, &pod),
        Contract::Documented => message(&[], 1, &pod),
    }
}

/// The end of the initial list; the documented service cannot say it.
pub(crate) fn initial_sync_complete(contract: Contract) -> Option<Vec<u8>> {
    (contract == Contract::Kubelet).then(|| event_type(INITIAL_SYNC_COMPLETE))
}

/// `grpc.health.v1.HealthCheckResponse.ServingStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serving {
    Yes = 1,
    No = 2,
    Unknown = 3,
}

/// `HealthCheckResponse`.
pub(crate) fn health(serving: Serving) -> Vec<u8> {
    event_type(serving as u64)
}

/// An enum in field 1.
fn event_type(value: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(2);
    wire::put_number(&mut out, 1, value);
    out
}

/// `head`, then `body` as field `number`, in a vector that is exactly full.
fn message(head: &[u8], number: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + wire::bytes_len(number, body.len()));
    out.extend_from_slice(head);
    wire::put_bytes(&mut out, number, body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::pods_v1alpha1::{EventType, GetPodResponse, ListPodsResponse, WatchPodsEvent};
    use crate::serve::grpc::testing::entry;
    use protobuf::Message;

    fn id() -> PodId {
        PodId { uid: "u".into(), namespace: "ns".into(), name: "n".into() }
    }

    #[test]
    fn typed_messages_read_what_is_written() {
        let (a, b) = (entry("a", 1), entry("b", 2));
        let listed = list([a.bytes.as_bytes(), b.bytes.as_bytes()].into_iter());
        assert_eq!(listed.len(), listed.capacity());
        let listed = ListPodsResponse::parse_from_bytes(&listed).unwrap();
        assert_eq!(listed.pods, [a.bytes.as_bytes(), b.bytes.as_bytes()]);
        assert_eq!(GetPodResponse::parse_from_bytes(&pod(a.bytes.as_bytes())).unwrap().pod, a.bytes.as_bytes());
        for (change, want) in [(Change::Added, EventType::ADDED), (Change::Modified, EventType::MODIFIED)] {
            let event =
                WatchPodsEvent::parse_from_bytes(&changed(Contract::Kubelet, change, a.bytes.as_bytes())).unwrap();
            assert_eq!((event.type_.unwrap(), &*event.pod), (want, a.bytes.as_bytes()));
        }
        let marker = initial_sync_complete(Contract::Kubelet).unwrap();
        let marker = WatchPodsEvent::parse_from_bytes(&marker).unwrap();
        assert_eq!((marker.type_.unwrap(), marker.pod.len()), (EventType::INITIAL_SYNC_COMPLETE, 0));
    }

    #[test]
    fn a_deletion_of_the_kubelet_contract_names_the_pod_and_nothing_else() {
        let event = deleted(Contract::Kubelet, &id(), Time::from_unix(7));
        let event = WatchPodsEvent::parse_from_bytes(&event).unwrap();
        assert_eq!(event.type_.unwrap(), EventType::DELETED);
        assert_eq!(event.pod, b"\x0a\x0a\x0a\x01n\x1a\x02ns\x2a\x01u");
    }

    #[test]
    fn a_deletion_of_the_documented_contract_shows_in_the_metadata() {
        let message = deleted(Contract::Documented, &id(), Time::from_unix(7));
        let annotation = b"\x62\x1c\x0a\x11nodepods.io/event\x12\x07DELETED";
        let metadata = [&b"\x0a\x01n\x1a\x02ns\x2a\x01u\x4a\x02\x08\x07"[..], annotation].concat();
        let mut pod = Vec::new();
        wire::put_bytes(&mut pod, 1, &metadata);
        let mut want = Vec::new();
        wire::put_bytes(&mut want, 1, &pod);
        assert_eq!(message, want);
        assert_eq!(initial_sync_complete(Contract::Documented), None);
    }
}
