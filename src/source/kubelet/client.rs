//! The two calls of `v1alpha1.Pods` that are made, over one connection to a unix socket.

use std::ffi::CString;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crossbeam_channel::{at, select, Receiver, Sender};
use futures_util::Stream;
use grpcio::{
    CallOption, Channel, ChannelBuilder, ClientSStreamReceiver, Environment, GrpcSlice, Marshaller, MessageReader,
    Method, MethodType, RpcStatusCode,
};

use crate::codec::canonical;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value};
use crate::heartbeat;

/// A list may be this large: some 10,000 pods. A kubelet sets no limit of its own.
const MAX_RECEIVE: i32 = 64 << 20;
/// Lists come from the kubelet's memory.
const LIST_DEADLINE: Duration = Duration::from_secs(5);
/// The event that ends the initial burst.
const INITIAL_SYNC_COMPLETE: u64 = 4;

/// Both calls are made as server-streaming ones, which is the same on the wire: grpcio's unary receiver panics on a
/// reply that is OK and holds no message.
const RAW: Marshaller<Vec<u8>> = Marshaller { ser: put, de: take };
pub(super) const LIST: RawMethod = method("/v1alpha1.Pods/ListPods");
pub(super) const WATCH: RawMethod = method("/v1alpha1.Pods/WatchPods");

type RawMethod = Method<Vec<u8>, Vec<u8>>;

const fn method(name: &'static str) -> RawMethod {
    Method { ty: MethodType::ServerStreaming, name, req_mar: RAW, resp_mar: RAW }
}

#[allow(clippy::ptr_arg)] // the type that grpcio asks for
fn put(message: &Vec<u8>, slice: &mut GrpcSlice) -> grpcio::Result<()> {
    *slice = GrpcSlice::from(message.clone());
    Ok(())
}

fn take(mut reader: MessageReader) -> grpcio::Result<Vec<u8>> {
    let mut message = Vec::with_capacity(reader.len());
    reader.read_to_end(&mut message).map_err(|e| grpcio::Error::Codec(Box::new(e)))?;
    Ok(message)
}

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

struct WakeByChannel(Sender<()>);

impl Wake for WakeByChannel {
    fn wake(self: Arc<Self>) {
        let _ = self.0.try_send(()); // full: a wake-up is already waiting, and one is enough
    }
}

/// A connection. Made lazily by the first call.
pub(super) struct Client {
    channel: Channel,
    stop: Receiver<()>,
}

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
        Self { channel, stop }
    }

    fn open(&self, method: &RawMethod, option: CallOption) -> Result<Replies, CallError> {
        let stream = grpcio::Client::new(self.channel.clone()).server_streaming(method, &Vec::new(), option);
        // One place: a second wake-up says nothing that the first does not.
        let (tx, woken) = crossbeam_channel::bounded(1);
        let waker = Waker::from(Arc::new(WakeByChannel(tx)));
        Ok(Replies { stream: stream.map_err(failure)?, waker, woken, stop: self.stop.clone() })
    }

    /// All pods, canonical.
    pub(super) fn list(&self) -> Result<Vec<PodBytes>, CallError> {
        let mut replies = self.open(&LIST, CallOption::default().timeout(LIST_DEADLINE))?;
        // The core ends the call at its deadline; a moment later nobody does.
        let late = || CallError::Failed("no answer in time".into());
        let answer = replies.next(Instant::now() + LIST_DEADLINE * 2)?.ok_or_else(late)?.unwrap_or_default();
        let senseless = |e: wire::WireError| CallError::Failed(format!("ListPods: the answer makes no sense: {e}"));
        let mut pods = Vec::new();
        for field in wire::fields(&answer) {
            let field = field.map_err(senseless)?;
            if let (1, Value::Bytes(pod)) = (field.number, field.value) {
                pods.push(canonical::pod(pod).map_err(senseless)?);
            }
        }
        Ok(pods)
    }

    /// Watches all pods. Open it before the first list, so that nothing falls between the two.
    pub(super) fn watch(&self) -> Result<Replies, CallError> {
        self.open(&WATCH, CallOption::default())
    }
}

/// Messages of one call.
pub(super) struct Replies {
    stream: ClientSStreamReceiver<Vec<u8>>,
    waker: Waker,
    woken: Receiver<()>,
    stop: Receiver<()>,
}

impl Replies {
    /// The next event, waiting until `until`.
    pub(super) fn told(&mut self, until: Instant) -> Result<Told, CallError> {
        match self.next(until)? {
            None => Ok(Told::Nothing),
            Some(None) => Err(CallError::Away("the watch has ended".into())),
            Some(Some(event)) => Ok(meaning(&event)),
        }
    }

    /// `None` when the time is up, `Some(None)` at the end.
    fn next(&mut self, until: Instant) -> Result<Option<Option<Vec<u8>>>, CallError> {
        loop {
            let mut cx = Context::from_waker(&self.waker);
            match Pin::new(&mut self.stream).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(message))) => return Ok(Some(Some(message))),
                Poll::Ready(Some(Err(e))) => return Err(failure(e)),
                Poll::Ready(None) => return Ok(Some(None)),
                Poll::Pending => {}
            }
            let _rest = heartbeat::rest(Some(until));
            select! {
                recv(self.woken) -> _ => {}
                recv(self.stop) -> _ => return Err(CallError::Stopped),
                recv(at(until)) -> _ => return Ok(None),
            }
        }
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.stream.cancel();
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

fn failure(e: grpcio::Error) -> CallError {
    match e {
        grpcio::Error::RpcFailure(s) => match s.code() {
            RpcStatusCode::FAILED_PRECONDITION => CallError::NotReady(s.message().into()),
            RpcStatusCode::UNIMPLEMENTED => CallError::Unimplemented,
            RpcStatusCode::UNAVAILABLE | RpcStatusCode::CANCELLED => CallError::Away(s.message().into()),
            RpcStatusCode::DEADLINE_EXCEEDED => CallError::Failed("no answer in time".into()),
            code => CallError::Failed(format!("{code}: {}", s.message())),
        },
        other => CallError::Failed(other.to_string()),
    }
}
