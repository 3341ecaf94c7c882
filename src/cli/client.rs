//! A small client of the daemon: of the Pods API (`v1alpha1.Pods`), which takes pods as the bytes they are, and of
//! other methods that give and take encoded messages.

mod told;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_executor::{block_on_stream, BlockingStream};
use grpcio::{
    CallOption, ChannelBuilder, Client, ClientSStreamReceiver, Environment, MethodType, RpcStatus, RpcStatusCode,
};
use protobuf::Message;

use super::exit::{Exit, Failure};
use super::progress::Progress;
use super::socket::{turned_away, turns_away};
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value, WireError};
use crate::proto::node::GetSourcesResponse;
use crate::raw_message::method;
use told::{refused, warning};

/// How long a call that answers once may take.
const PATIENCE: Duration = Duration::from_secs(10);

const LIST: &str = "/v1alpha1.Pods/ListPods";
const GET: &str = "/v1alpha1.Pods/GetPod";
const SOURCES: &str = "/nodepods.v1.Node/GetSources";
const WATCH: &str = "/v1alpha1.Pods/WatchPods";
const FIND: &str = "/nodepods.v1.Lookup/Find";

/// A connection to one socket.
pub struct PodsClient {
    client: Client,
    socket: PathBuf,
}

/// What a watch says.
#[derive(Debug)]
pub enum Event {
    /// A pod is new to us.
    Added(PodBytes),
    /// A pod changed.
    Modified(PodBytes),
    /// A pod is gone; it may carry no more than its name, namespace and UID.
    Deleted(PodBytes),
    /// Every pod there was has been sent.
    Synced,
    /// A type that this client does not know.
    Unknown,
}

impl PodsClient {
    /// A client of the daemon (or kubelet) behind `socket`. It connects with the first call.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        grpcio::redirect_log(); // no logger here: the core keeps quiet, and failures are told once, by us
        let env = Arc::new(Environment::new(1));
        // The list of a full node is larger than the 4 MiB that gRPC takes by default, and the server is trusted.
        let channel = ChannelBuilder::new(env).max_receive_message_len(-1).connect(&address(socket));
        Self { client: Client::new(channel), socket: socket.into() }
    }

    /// All pods, sorted by UID, and what the daemon says beside them: sources that are missing or stale.
    ///
    /// # Errors
    /// The call failed, or the answer cannot be read.
    pub fn list(&self) -> Result<(Vec<PodBytes>, Vec<String>), Failure> {
        let (answer, warnings) = self.ask(LIST, &Vec::new())?;
        let pods = wire::fields(&answer).filter_map(|field| match field {
            Ok(f) if f.number == 1 => match f.value {
                Value::Bytes(pod) => Some(PodBytes::from_wire(pod)),
                _ => None,
            },
            Ok(_) => None,
            Err(e) => Some(Err(e)),
        });
        let pods = pods.collect::<Result<_, _>>().map_err(|e| self.unreadable(e))?;
        Ok((pods, warnings))
    }

    /// One pod.
    ///
    /// # Errors
    /// There is no pod with this UID, the call failed, or the answer cannot be read.
    pub fn get(&self, uid: &str) -> Result<PodBytes, Failure> {
        let mut request = Vec::new();
        wire::put_bytes(&mut request, 1, uid.as_bytes());
        let (answer, _) = self.ask(GET, &request)?;
        let pod = wire::fields(&answer).filter_map(Result::ok).find(|f| f.number == 1).map(|f| f.value);
        let Some(Value::Bytes(pod)) = pod else { return Ok(PodBytes::from_sections(b"", b"", b"", b"")) };
        PodBytes::from_wire(pod).map_err(|e| self.unreadable(e))
    }

    /// What the daemon knows beside the pods. A kubelet does not have this.
    ///
    /// # Errors
    /// The call failed, or the answer cannot be read.
    pub fn sources(&self) -> Result<GetSourcesResponse, Failure> {
        let (answer, _) = self.ask(SOURCES, &Vec::new())?;
        GetSourcesResponse::parse_from_bytes(&answer)
            .map_err(|e| Failure::new(Exit::Failure, format!("error: {}: {e}", self.socket.display())))
    }

    /// Calls a method that answers once. Returns the encoded answer, and what the daemon says beside it.
    ///
    /// # Errors
    /// The call failed.
    #[allow(clippy::ptr_arg)] // the type that grpcio asks for
    pub fn ask(&self, name: &'static str, request: &Vec<u8>) -> Result<(Vec<u8>, Vec<String>), Failure> {
        let _progress = Progress::start("asking the daemon");
        let option = CallOption::default().timeout(PATIENCE);
        let call = self.client.unary_call_async(&method(MethodType::Unary, name), request, option);
        let answer = call.and_then(|mut call| call.receive_sync());
        let (headers, answer, _) = answer.map_err(|e| self.failure(name, &e))?;
        let warnings = headers.iter().filter_map(|(key, value)| warning(key, &String::from_utf8_lossy(value)));
        Ok((answer, warnings.collect()))
    }

    /// Calls a method that answers with a stream. What goes wrong later comes out of the iterator.
    ///
    /// # Errors
    /// The call cannot be made.
    #[allow(clippy::ptr_arg)] // the type that grpcio asks for
    pub fn stream(&self, name: &'static str, request: &Vec<u8>) -> Result<Messages<'_>, Failure> {
        self.messages(name, request, CallOption::default())
    }

    #[allow(clippy::ptr_arg)] // the type that grpcio asks for
    fn messages(&self, name: &'static str, request: &Vec<u8>, option: CallOption) -> Result<Messages<'_>, Failure> {
        let method = method(MethodType::ServerStreaming, name);
        let stream = self.client.server_streaming(&method, request, option);
        Ok(Messages { client: self, name, stream: block_on_stream(stream.map_err(|e| self.failure(name, &e))?) })
    }

    /// What `nodepods.v1.Lookup/Find` answers, encoded as the request is; `None` where no pod is known.
    ///
    /// # Errors
    /// The call failed, or what answers is a kubelet, which has no such service.
    pub fn find(&self, request: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        match self.ask(FIND, &request.to_vec()) {
            Ok((answer, _)) => Ok(Some(answer)),
            Err(failure) if failure.exit == Exit::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Watches all pods until the stream ends.
    ///
    /// # Errors
    /// The call cannot be made; what goes wrong later comes out of the iterator.
    pub fn watch(&self) -> Result<Events<'_>, Failure> {
        Ok(Events { messages: self.stream(WATCH, &Vec::new())? })
    }

    /// The same for so long; then it ends with [`Exit::Unavailable`].
    ///
    /// # Errors
    /// The call cannot be made; what goes wrong later comes out of the iterator.
    pub fn watch_for(&self, patience: Duration) -> Result<Events<'_>, Failure> {
        Ok(Events { messages: self.messages(WATCH, &Vec::new(), CallOption::default().timeout(patience))? })
    }

    /// What to say of an answer that makes no sense.
    #[must_use]
    pub fn unreadable(&self, e: WireError) -> Failure {
        let socket = self.socket.display();
        Failure::new(Exit::Failure, format!("error: what answers on {socket} is no Pods API: {e}"))
    }

    fn failure(&self, method: &str, error: &grpcio::Error) -> Failure {
        match error {
            grpcio::Error::RpcFailure(status) => self.refused(method, status),
            other => Failure::new(Exit::Internal, format!("error: call to {}: {other}", self.socket.display())),
        }
    }

    fn refused(&self, method: &str, status: &RpcStatus) -> Failure {
        let service = method.trim_start_matches('/').split('/').next().unwrap_or_default();
        match status.code() {
            RpcStatusCode::UNAVAILABLE if turns_away(&self.socket) => turned_away(&self.socket),
            code => refused(&self.socket, service, code, status.message()),
        }
    }
}

/// The encoded messages of one stream, as they come.
pub struct Messages<'a> {
    client: &'a PodsClient,
    name: &'static str,
    stream: BlockingStream<ClientSStreamReceiver<Vec<u8>>>,
}

impl Iterator for Messages<'_> {
    type Item = Result<Vec<u8>, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.stream.next()?.map_err(|e| self.client.failure(self.name, &e)))
    }
}

/// The events of one watch, as they come.
pub struct Events<'a> {
    messages: Messages<'a>,
}

impl Iterator for Events<'_> {
    type Item = Result<Event, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = self.messages.next()?;
        Some(message.and_then(|message| event(&message).map_err(|e| self.messages.client.unreadable(e))))
    }
}

fn event(message: &[u8]) -> Result<Event, WireError> {
    let (mut kind, mut pod) = (0, &[][..]);
    for field in wire::fields(message) {
        match field? {
            wire::RawField { number: 1, value: Value::Varint(n), .. } => kind = n,
            wire::RawField { number: 2, value: Value::Bytes(b), .. } => pod = b,
            _ => {}
        }
    }
    Ok(match kind {
        1 => Event::Added(PodBytes::from_wire(pod)?),
        2 => Event::Modified(PodBytes::from_wire(pod)?),
        3 => Event::Deleted(PodBytes::from_wire(pod)?),
        4 => Event::Synced,
        _ => Event::Unknown,
    })
}

/// A `unix:` target. gRPC reads it as a URI, so what is special there is escaped.
fn address(socket: &Path) -> String {
    let mut target = String::from("unix:");
    for &byte in socket.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => target.push(char::from(byte)),
            other => target.push_str(&format!("%{other:02X}")),
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_uri() {
        assert_eq!(address(Path::new("/run/nodepods/pods.sock")), "unix:/run/nodepods/pods.sock");
        assert_eq!(address(Path::new("/tmp/a%b c")), "unix:/tmp/a%25b%20c");
    }

    #[test]
    fn events_of_the_wire() {
        let mut message = Vec::new();
        wire::put_number(&mut message, 1, 2);
        wire::put_bytes(&mut message, 2, b"\x0a\x03\x0a\x01a");
        assert!(matches!(event(&message), Ok(Event::Modified(pod)) if pod.metadata() == b"\x0a\x01a"));
        assert!(matches!(event(&[8, 4]), Ok(Event::Synced)));
        assert!(matches!(event(&[]), Ok(Event::Unknown)));
        assert!(event(&[0x12, 9]).is_err());
    }
}
