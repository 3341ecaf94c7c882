//! Why a call is refused, and the one place that turns that into gRPC's codes.

use std::fmt;
use std::time::Duration;

use grpcio::{RpcStatus, RpcStatusCode};

use crate::codec::mask::MaskError;
use crate::codec::wire;
use crate::serve::export::ExportError;
use crate::store::locate::Clue;
use crate::store::paging::PageError;
use crate::store::snapshot::Snapshot;
use crate::store::update::{HealthState, SourceId};

/// Longest piece of a request that is repeated in a message: statuses travel in headers, which have limits.
const MOST_ECHOED: usize = 256;

/// Longest message, as it travels: clients throw away answers whose headers are larger than 8 KiB, code and all. A
/// message stands in two of them where there are details.
const MOST_SAID: usize = 2 << 10;

/// Why a call gets no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The node is not known yet; these sources have not answered.
    Initializing(Vec<SourceId>),
    /// No pod has this UID.
    NoSuchPod(String),
    /// No pod is known behind what was asked about.
    NobodyBehind(Clue),
    /// The health service does not know this service.
    NoSuchService(String),
    /// The request cannot be read.
    BadRequest(String),
    /// The field mask is not one of a pod.
    Mask(MaskError),
    /// The selector under this metadata key is refused, in Kubernetes' words.
    Selector(&'static str, String),
    /// The value of this metadata key is no good.
    Metadata(&'static str, &'static str),
    /// The continue token is not ours, or has expired.
    Page(PageError),
    /// The connection has asked too often; so long until it may ask again.
    TooOften(Duration),
    /// So many watches run already.
    TooManyWatchers(usize),
    /// The system gives us no thread for another watch.
    NoThread(String),
    /// A request to the pod service is refused, or its answer ended early.
    Export(ExportError),
    /// An answer has no encoded form.
    Unencodable(String),
    /// The daemon stops.
    Stopping,
}

impl Refusal {
    /// Refuses where the node is not known yet.
    pub(crate) fn unless_initialized(snapshot: &Snapshot) -> Result<(), Self> {
        if snapshot.initialized {
            return Ok(());
        }
        let waiting = |state| matches!(state, HealthState::Starting | HealthState::Down);
        Err(Self::Initializing(snapshot.sources.iter().filter(|(_, h)| waiting(h.state)).map(|(id, _)| *id).collect()))
    }

    /// gRPC's code for it.
    pub(crate) fn code(&self) -> RpcStatusCode {
        match self {
            Self::Initializing(_) => RpcStatusCode::FAILED_PRECONDITION,
            Self::NoSuchPod(_) | Self::NobodyBehind(_) | Self::NoSuchService(_) => RpcStatusCode::NOT_FOUND,
            Self::BadRequest(_)
            | Self::Mask(_)
            | Self::Selector(..)
            | Self::Metadata(..)
            | Self::Page(PageError::Malformed(_)) => RpcStatusCode::INVALID_ARGUMENT,
            Self::Page(PageError::Expired) => RpcStatusCode::ABORTED,
            Self::TooOften(_) | Self::TooManyWatchers(_) | Self::NoThread(_) => RpcStatusCode::RESOURCE_EXHAUSTED,
            Self::Export(e) => e.code().into(),
            Self::Unencodable(_) => RpcStatusCode::INTERNAL,
            Self::Stopping => RpcStatusCode::UNAVAILABLE,
        }
    }

    /// The status that the client sees.
    pub(crate) fn status(&self) -> RpcStatus {
        let message = cut(self.to_string());
        match self {
            Self::TooOften(wait) => {
                let details = retry_info(self.code(), &message, *wait);
                RpcStatus::with_details(self.code(), message, details)
            }
            _ => RpcStatus::with_message(self.code(), message),
        }
    }
}

/// The message, or as much of it as may be said: much of what a client has sent may be in it.
fn cut(mut message: String) -> String {
    // In `grpc-message` a byte that is no plain character takes three.
    let size = |c: char| if matches!(c, ' '..='~') && c != '%' { 1 } else { 3 * c.len_utf8() };
    let mut room = MOST_SAID;
    let end = message.char_indices().find_map(|(at, c)| match room.checked_sub(size(c)) {
        Some(left) => {
            room = left;
            None
        }
        None => Some(at),
    });
    if let Some(end) = end {
        message.truncate(end);
        message.push_str("...");
    }
    message
}

/// A `google.rpc.Status` with a `google.rpc.RetryInfo`, as clients expect it in the status details.
fn retry_info(code: RpcStatusCode, message: &str, wait: Duration) -> Vec<u8> {
    let (mut delay, mut info, mut any, mut status) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    wire::put_number(&mut delay, 1, wait.as_secs());
    wire::put_number(&mut delay, 2, wait.subsec_nanos().into());
    wire::put_bytes(&mut info, 1, &delay);
    wire::put_bytes(&mut any, 1, b"type.googleapis.com/google.rpc.RetryInfo");
    wire::put_bytes(&mut any, 2, &info);
    wire::put_number(&mut status, 1, i32::from(code).unsigned_abs().into());
    wire::put_bytes(&mut status, 2, message.as_bytes());
    wire::put_bytes(&mut status, 3, &any);
    status
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let echo = |s: &str| s.chars().take(MOST_ECHOED).collect::<String>();
        match self {
            Self::Initializing(sources) if sources.is_empty() => f.write_str("nodepods is initializing"),
            Self::Initializing(sources) => {
                let names: Vec<_> = sources.iter().map(SourceId::to_string).collect();
                write!(f, "nodepods is initializing: waiting for {}", names.join(", "))
            }
            Self::NoSuchPod(uid) => write!(f, "pod with UID {} not found", echo(uid)),
            Self::NobodyBehind(clue) => match clue {
                Clue::ContainerId(id) => write!(f, "no pod has a container {}", echo(id)),
                Clue::Cgroup(names) if names.is_empty() => {
                    f.write_str("the cgroup's path names no pod and no container")
                }
                Clue::Cgroup(names) => {
                    let words = names.pod_uid.iter().chain(&names.container_ids).map(|w| echo(w)).collect::<Vec<_>>();
                    write!(f, "no pod is known behind {}", words.join(", "))
                }
                Clue::Ip(ip) => write!(f, "no pod has the address {ip}"),
                Clue::PodUid(uid) => write!(f, "pod with UID {} not found", echo(uid)),
            },
            Self::NoSuchService(name) => write!(f, "no service {:?} here", echo(name)),
            Self::BadRequest(problem) => write!(f, "the request cannot be read: {problem}"),
            Self::Mask(e) => e.fmt(f),
            Self::Selector(key, problem) => write!(f, "{key}: {problem}"),
            Self::Metadata(key, problem) => write!(f, "{key}: {problem}"),
            Self::Page(e) => e.fmt(f),
            Self::TooOften(wait) => {
                write!(f, "rejected by rate limit: ask again in {} ms", wait.as_millis().saturating_add(1))
            }
            Self::TooManyWatchers(most) => {
                write!(f, "{most} watches run already, which is the limit (--max-watchers)")
            }
            Self::NoThread(problem) => write!(f, "no thread for another watch: {problem}"),
            Self::Export(e) => e.fmt(f),
            Self::Unencodable(problem) => write!(f, "the answer cannot be encoded: {problem}"),
            Self::Stopping => f.write_str("nodepods is stopping"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::update::Health;
    use std::time::SystemTime;

    #[test]
    fn what_is_waited_for_is_named() {
        let health =
            |state| Health { state, since: SystemTime::UNIX_EPOCH, error: String::new(), target: String::new() };
        let mut snapshot = Snapshot::empty(1);
        let text = |s: &Snapshot| Refusal::unless_initialized(s).unwrap_err().to_string();
        assert_eq!(text(&snapshot), "nodepods is initializing");
        snapshot.sources =
            vec![(SourceId::File, health(HealthState::Up)), (SourceId::Runtime, health(HealthState::Starting))];
        assert_eq!(text(&snapshot), "nodepods is initializing: waiting for cri");
        snapshot.initialized = true;
        assert_eq!(Refusal::unless_initialized(&snapshot), Ok(()));
    }

    #[test]
    fn the_kubelets_words_for_an_unknown_pod() {
        let status = Refusal::NoSuchPod(String::new()).status();
        assert_eq!((status.code(), status.message()), (RpcStatusCode::NOT_FOUND, "pod with UID  not found"));
        assert!(Refusal::NoSuchPod("x".repeat(60_000)).to_string().len() < 300);
    }

    #[test]
    fn what_a_client_sent_does_not_come_back_at_full_length() {
        for (sent, kept) in [("a", MOST_SAID), ("é", MOST_SAID / 6), ("\"", MOST_SAID / 2)] {
            let status = Refusal::Page(PageError::Malformed(sent.repeat(8_000))).status();
            assert_eq!(status.code(), RpcStatusCode::INVALID_ARGUMENT);
            assert!(status.message().ends_with("..."));
            let said = status.message().matches(sent).count();
            assert!(said < kept + 10 && said > kept - 10, "{said} of {sent}");
        }
        assert_eq!(cut("short".into()), "short");
    }

    #[test]
    fn who_asks_too_often_is_told_when_to_come_back() {
        let status = Refusal::TooOften(Duration::from_millis(1500)).status();
        assert_eq!(status.code(), RpcStatusCode::RESOURCE_EXHAUSTED);
        assert_eq!(status.message(), "rejected by rate limit: ask again in 1501 ms");
        let text = String::from_utf8_lossy(status.details());
        assert!(text.contains("type.googleapis.com/google.rpc.RetryInfo"), "{text:?}");
        assert!(status.details().ends_with(b"\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01"), "{:?}", status.details());
    }
}
