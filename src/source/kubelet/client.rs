//! The two calls of `v1alpha1.Pods` that are made, over one connection to a unix socket.

use std::ffi::CString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use grpcio::{CallOption, ChannelBuilder, Environment, RpcStatusCode};

use crate::codec::canonical;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value};
use crate::raw_message::RawMethod;
use crate::source::call::{self, raw, Broken, Caller, Next};
use crate::source::MAX_PODS;

/// A list may be this large: some 10,000 pods. A kubelet sets no limit of its own.
const MAX_RECEIVE: i32 = 64 << 20;
/// Lists come from the kubelet's memory.
const LIST_DEADLINE: Duration = Duration::from_secs(5);
/// The core ends a call at its deadline. Should it be stuck itself, nobody waits longer than this.
const GRACE: Duration = Duration::from_secs(1);
/// The event that ends the initial burst.
const INITIAL_SYNC_COMPLETE: u64 = 4;

pub(super) const LIST: RawMethod = raw("/v1alpha1.Pods/ListPods");
pub(super) const WATCH: RawMethod = raw("/v1alpha1.Pods/WatchPods");

/// Why a kubelet gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// The daemon is stopping.
    Stopped,
    /// Nobody answers on the socket.
    Away(String),
    /// It answers, and does not know its pods yet.
    NotReady(String),
    /// What answers serves something else.
    Unimplemented,
    /// An error, or an answer that makes no sense.
    Failed(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::NotReady(text) => write!(f, "it is not ready: {text}"),
            Self::Unimplemented => f.write_str("what answers does not serve v1alpha1.Pods"),
            Self::Away(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

/// What a watch has to tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The initial burst is over.
    Synced,
    /// Something about some pod. What exactly, a list says better: DELETED means finished here, not gone.
    Event,
    /// Nothing by the deadline.
    Nothing,
}

/// A connection. Made lazily by the first call.
pub(super) struct Client(Caller);

impl Client {
    /// A client for the socket at `path`. Waiting breaks off when `stop` closes.
    pub(super) fn new(env: Arc<Environment>, path: &Path, stop: Receiver<()>) -> Self {
        let channel = ChannelBuilder::new(env)
            .max_receive_message_len(MAX_RECEIVE)
            // A new client starts with a new connection, not with the back-off of the one before it.
            .use_local_subchannel_pool(true)
            .enable_http_proxy(false)
            .raw_cfg_string(CString::from(c"grpc.default_authority"), c"localhost".into())
            .connect(&format!("unix:{}", path.display()));
        Self(Caller::new(channel, stop))
    }

    fn open(&self, method: &RawMethod, option: CallOption) -> Result<call::Replies<'_>, CallError> {
        self.0.call(method, &Vec::new(), option).map_err(failure)
    }

    /// All pods, canonical.
    pub(super) fn list(&self) -> Result<Vec<PodBytes>, CallError> {
        let mut replies = self.open(&LIST, CallOption::default().timeout(LIST_DEADLINE))?;
        let answer = match replies.next(Instant::now() + LIST_DEADLINE + GRACE).map_err(broken)? {
            Next::Message(answer) => answer,
            Next::End => Vec::new(),
            Next::Nothing => return Err(late()),
        };
        pods_of(&answer)
    }

    /// Watches all pods. Open it before the first list, so that nothing falls between the two.
    pub(super) fn watch(&self) -> Result<Watch<'_>, CallError> {
        self.open(&WATCH, CallOption::default()).map(Watch)
    }
}

/// The pods of a `ListPodsResponse`, canonical.
fn pods_of(answer: &[u8]) -> Result<Vec<PodBytes>, CallError> {
    let senseless = |e: wire::WireError| CallError::Failed(format!("ListPods: the answer makes no sense: {e}"));
    let mut pods = Vec::new();
    for field in wire::fields(answer) {
        let field = field.map_err(senseless)?;
        if let (1, Value::Bytes(pod)) = (field.number, field.value) {
            // Before it is read: an empty pod is two bytes on the wire and a hundred in memory.
            if pods.len() == MAX_PODS {
                let problem =
                    format!("ListPods: there are more than {MAX_PODS} pods in it, which is the most that is read");
                return Err(CallError::Failed(problem));
            }
            pods.push(canonical::pod(pod).map_err(senseless)?);
        }
    }
    Ok(pods)
}

/// A running watch.
pub(super) struct Watch<'c>(call::Replies<'c>);

impl Watch<'_> {
    /// The next event, waiting until `until`.
    pub(super) fn told(&mut self, until: Instant) -> Result<Told, CallError> {
        match self.0.next(until).map_err(broken)? {
            Next::Nothing => Ok(Told::Nothing),
            Next::End => Err(CallError::Away("the watch has ended".into())),
            Next::Message(event) => Ok(meaning(&event)),
        }
    }
}

/// What a `WatchPodsEvent` says; types that are not known count as events.
fn meaning(event: &[u8]) -> Told {
    let synced = |f: wire::RawField<'_>| matches!((f.number, f.value), (1, Value::Varint(INITIAL_SYNC_COMPLETE)));
    if wire::fields(event).map_while(Result::ok).any(synced) {
        Told::Synced
    } else {
        Told::Event
    }
}

fn late() -> CallError {
    CallError::Failed("no answer in time".into())
}

fn broken(broken: Broken) -> CallError {
    match broken {
        Broken::Stopped => CallError::Stopped,
        Broken::Failed(e) => failure(e),
    }
}

fn failure(e: grpcio::Error) -> CallError {
    match e {
        grpcio::Error::RpcFailure(s) => match s.code() {
            RpcStatusCode::FAILED_PRECONDITION => CallError::NotReady(s.message().into()),
            RpcStatusCode::UNIMPLEMENTED => CallError::Unimplemented,
            RpcStatusCode::UNAVAILABLE | RpcStatusCode::CANCELLED => CallError::Away(s.message().into()),
            RpcStatusCode::DEADLINE_EXCEEDED => late(),
            code => CallError::Failed(format!("{code}: {}", s.message())),
        },
        other => CallError::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_far_as_pods_go() {
        assert_eq!(pods_of(&b"\x0a\x00".repeat(MAX_PODS)).map(|pods| pods.len()), Ok(MAX_PODS));
        let much = pods_of(&b"\x0a\x00".repeat(MAX_PODS + 1)).unwrap_err();
        assert!(much.to_string().contains("more than 20000 pods"), "{much}");
        assert!(pods_of(b"\x0a\x05\xff").unwrap_err().to_string().contains("makes no sense"));
    }
}
