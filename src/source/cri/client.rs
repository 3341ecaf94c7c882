//! The six CRI calls that are made, over one connection to a unix socket.
//!
//! Replies come back as bytes: the two lists are mostly the same as a second ago, so they are compared before
//! anything is decoded.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{ffi::CString, fmt};

use crossbeam_channel::Receiver;
use grpcio::{CallOption, ChannelBuilder, Environment, RpcStatusCode};
use protobuf::Message;

use crate::proto::runtime;
use crate::raw_message::RawMethod;
use crate::source::call::{Broken, Caller, Next};

/// A reply may be this large: the kubelet's own limit, some 10,000 containers.
const MAX_RECEIVE: i32 = 16 << 20;
/// Lists come from the runtime's memory; one that takes longer than this is stuck, not busy.
const LIST_DEADLINE: Duration = Duration::from_secs(5);
/// Status calls may ask a shim.
const STATUS_DEADLINE: Duration = Duration::from_secs(5);
/// The first call includes the connection: while a small node starts all of its pods, even that takes its time.
const VERSION_DEADLINE: Duration = Duration::from_secs(5);
/// As long as the call that waits for it.
const CONNECT_MS: i32 = 5_000;
/// The core ends a call at its deadline. Should it be stuck itself, nobody waits longer than this.
const GRACE: Duration = Duration::from_secs(1);

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The daemon is stopping.
    Stopped,
    /// The object is not there any more.
    NotFound,
    /// The runtime does not speak `runtime.v1`.
    Unimplemented,
    /// It answered, and the answer makes no sense.
    Garbage {
        /// The method.
        method: &'static str,
        /// What is wrong with the answer.
        problem: String,
    },
    /// This call got no answer or an error; the next one may do better.
    Failed {
        /// The method.
        method: &'static str,
        /// The gRPC code and the runtime's words.
        problem: String,
    },
    /// The runtime is not there: refused, reset.
    Away(String),
    /// The runtime is there and will answer soon.
    Starting,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::NotFound => f.write_str("not found"),
            Self::Unimplemented => f.write_str(
                "it has no CRI runtime.v1 (containerd before 1.6, or with its CRI plugin turned off, or not a container runtime)",
            ),
            Self::Garbage { method, problem } => write!(f, "{method}: the answer makes no sense: {problem}"),
            Self::Failed { method, problem } => write!(f, "{method}: {problem}"),
            Self::Away(problem) => f.write_str(problem),
            Self::Starting => f.write_str("it is starting: server is not initialized yet"),
        }
    }
}

/// A connection. Made lazily by the first call.
pub struct Client(Caller);

impl Client {
    /// A client for the socket at `path`. Calls break off when `stop` closes.
    #[must_use]
    pub fn new(env: Arc<Environment>, path: &Path, stop: Receiver<()>) -> Self {
        let channel = ChannelBuilder::new(env)
            .max_receive_message_len(MAX_RECEIVE)
            .initial_reconnect_backoff(Duration::from_millis(100))
            .max_reconnect_backoff(Duration::from_secs(5))
            // How long an attempt to connect may take at least; without it, as long as the back-off, which begins small.
            .raw_cfg_int(c"grpc.min_reconnect_backoff_ms".into(), CONNECT_MS)
            // A new client starts with a new connection, not with the back-off of the one before it.
            .use_local_subchannel_pool(true)
            .enable_http_proxy(false)
            .raw_cfg_string(CString::from(c"grpc.default_authority"), c"localhost".into())
            .connect(&format!("unix:{}", path.display()));
        Self(Caller::new(channel, stop))
    }

    /// Name and version of the runtime.
    ///
    /// # Errors
    /// [`CallError`]; also when the answer lacks a name.
    pub fn version(&self) -> Result<runtime::VersionResponse, CallError> {
        let mut request = runtime::VersionRequest::new();
        request.version = "0.1.0".into();
        let reply: runtime::VersionResponse = self.typed(&methods::VERSION, &request, VERSION_DEADLINE)?;
        if reply.runtime_name.is_empty() {
            return Err(CallError::Garbage { method: "Version", problem: "no runtime_name".into() });
        }
        Ok(reply)
    }

    /// What the runtime says about itself.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn status(&self) -> Result<runtime::StatusResponse, CallError> {
        self.typed(&methods::STATUS, &runtime::StatusRequest::new(), STATUS_DEADLINE)
    }

    /// An encoded `ListPodSandboxResponse` with all sandboxes.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn list_sandboxes(&self) -> Result<Vec<u8>, CallError> {
        self.call(&methods::LIST_SANDBOXES, Vec::new(), LIST_DEADLINE)
    }

    /// An encoded `ListContainersResponse` with all containers.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn list_containers(&self) -> Result<Vec<u8>, CallError> {
        self.call(&methods::LIST_CONTAINERS, Vec::new(), LIST_DEADLINE)
    }

    /// Status of one sandbox, never verbose.
    ///
    /// # Errors
    /// [`CallError`]; `NotFound` when it is gone.
    pub fn sandbox_status(&self, id: &str) -> Result<runtime::PodSandboxStatus, CallError> {
        let mut request = runtime::PodSandboxStatusRequest::new();
        request.pod_sandbox_id = id.into();
        let mut reply: runtime::PodSandboxStatusResponse =
            self.typed(&methods::SANDBOX_STATUS, &request, STATUS_DEADLINE)?;
        reply.status.take().filter(|s| s.id == id).ok_or_else(|| CallError::Garbage {
            method: "PodSandboxStatus",
            problem: format!("no status of sandbox {id}"),
        })
    }

    /// Status of one container, never verbose.
    ///
    /// # Errors
    /// [`CallError`]; `NotFound` when it is gone.
    pub fn container_status(&self, id: &str) -> Result<runtime::ContainerStatus, CallError> {
        let mut request = runtime::ContainerStatusRequest::new();
        request.container_id = id.into();
        let mut reply: runtime::ContainerStatusResponse =
            self.typed(&methods::CONTAINER_STATUS, &request, STATUS_DEADLINE)?;
        reply.status.take().filter(|s| s.id == id).ok_or_else(|| CallError::Garbage {
            method: "ContainerStatus",
            problem: format!("no status of container {id}"),
        })
    }

    fn typed<T: Message>(&self, method: &RawMethod, request: &impl Message, limit: Duration) -> Result<T, CallError> {
        let garbage = |e: protobuf::Error| CallError::Garbage { method: short(method.name), problem: e.to_string() };
        let bytes = self.call(method, request.write_to_bytes().map_err(garbage)?, limit)?;
        T::parse_from_bytes(&bytes).map_err(garbage)
    }

    /// One unary call.
    fn call(&self, method: &RawMethod, request: Vec<u8>, limit: Duration) -> Result<Vec<u8>, CallError> {
        let (name, until) = (short(method.name), Instant::now() + limit + GRACE);
        let options = CallOption::default().timeout(limit);
        let mut replies = self.0.call(method, &request, options).map_err(|e| failure(name, e))?;
        let mut first = None;
        loop {
            match replies.next(until) {
                Ok(Next::Message(bytes)) => first = first.or(Some(bytes)),
                Ok(Next::End) => break,
                Ok(Next::Nothing) => return Err(late(name)),
                Err(Broken::Stopped) => return Err(CallError::Stopped),
                Err(Broken::Failed(e)) => return Err(failure(name, e)),
            }
        }
        first.ok_or_else(|| CallError::Garbage { method: name, problem: "no message".into() })
    }
}

fn late(method: &'static str) -> CallError {
    CallError::Failed { method, problem: "no answer in time".into() }
}

fn short(path: &'static str) -> &'static str {
    path.rsplit('/').next().unwrap_or(path)
}

fn failure(method: &'static str, e: grpcio::Error) -> CallError {
    match e {
        grpcio::Error::RpcFailure(s) if s.code() == RpcStatusCode::NOT_FOUND => CallError::NotFound,
        grpcio::Error::RpcFailure(s) if s.code() == RpcStatusCode::UNIMPLEMENTED => CallError::Unimplemented,
        grpcio::Error::RpcFailure(s) if s.code() == RpcStatusCode::DEADLINE_EXCEEDED => late(method),
        // What a runtime says between its start and the end of its recovery.
        grpcio::Error::RpcFailure(s) if s.message().contains("server is not initialized yet") => CallError::Starting,
        grpcio::Error::RpcFailure(s) if matches!(s.code(), RpcStatusCode::UNAVAILABLE | RpcStatusCode::CANCELLED) => {
            CallError::Away(away(s.message()))
        }
        grpcio::Error::RpcFailure(s) => {
            let code = s.code().to_string();
            let code = code.split_once('-').map_or(code.as_str(), |(_, name)| name).to_string();
            CallError::Failed { method, problem: format!("{code}: {}", s.message()) }
        }
        other => CallError::Failed { method, problem: other.to_string() },
    }
}

/// Why nobody answers. gRPC tells which addresses it tried, with its own words for the code; people want errno's.
fn away(message: &str) -> String {
    let told = |errno: &str| message.ends_with(errno);
    match message {
        _ if told("No such file or directory") => "there is no such socket".into(),
        _ if told("Connection refused") => "nobody listens on the socket".into(),
        _ if told("before receiving SETTINGS frame") => "it takes connections and says nothing".into(),
        _ => message.to_owned(),
    }
}

/// Names of the methods, for the fake runtime of the tests as well.
pub(super) mod methods {
    use crate::raw_message::RawMethod;
    use crate::source::call::raw;

    pub const VERSION: RawMethod = raw("/runtime.v1.RuntimeService/Version");
    pub const STATUS: RawMethod = raw("/runtime.v1.RuntimeService/Status");
    pub const LIST_SANDBOXES: RawMethod = raw("/runtime.v1.RuntimeService/ListPodSandbox");
    pub const LIST_CONTAINERS: RawMethod = raw("/runtime.v1.RuntimeService/ListContainers");
    pub const SANDBOX_STATUS: RawMethod = raw("/runtime.v1.RuntimeService/PodSandboxStatus");
    pub const CONTAINER_STATUS: RawMethod = raw("/runtime.v1.RuntimeService/ContainerStatus");
}
