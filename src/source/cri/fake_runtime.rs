//! A runtime in this process, for the faults that a real one shows too rarely.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;
use grpcio::{EnvBuilder, RpcContext, RpcStatus, RpcStatusCode, Server, ServerBuilder, ServerCredentials};
use grpcio::{ServiceBuilder, UnarySink};
use parking_lot::Mutex;
use protobuf::{Enum, Message, MessageField};

use super::client::methods;
use crate::proto::runtime::{self as cri, ContainerState, PodSandboxState};

/// What a method does instead of answering well.
#[derive(Clone, Debug)]
pub enum Fault {
    Status(RpcStatusCode, &'static str),
    Bytes(Vec<u8>),
    NoMessage,
    Hang,
}

/// What the runtime holds.
#[derive(Default)]
pub struct Shown {
    pub sandboxes: BTreeMap<String, cri::PodSandboxStatus>,
    pub containers: BTreeMap<String, cri::ContainerStatus>,
    pub sandbox_of: HashMap<String, String>,
    /// By the method's short name.
    pub faults: HashMap<&'static str, Fault>,
    /// Calls by `Method` and, for status calls, `Method id`.
    pub calls: BTreeMap<String, u32>,
    pub reversed: bool,
    /// Every status call takes this long.
    pub slow: std::time::Duration,
    hanging: Vec<UnarySink<Vec<u8>>>,
}

impl Shown {
    pub fn sandbox(&mut self, id: &str, ip: &str) -> &mut cri::PodSandboxStatus {
        let s = self.sandboxes.entry(id.into()).or_default();
        s.id = id.into();
        s.metadata = MessageField::some(cri::PodSandboxMetadata {
            name: format!("pod-{id}"),
            namespace: "default".into(),
            uid: format!("uid-{id}"),
            ..Default::default()
        });
        s.labels = (0..4).map(|i| (format!("l{i}"), id.to_string())).collect();
        s.network = MessageField::some(cri::PodSandboxNetworkStatus { ip: ip.into(), ..Default::default() });
        s
    }

    pub fn container(&mut self, id: &str, sandbox: &str, state: ContainerState) -> &mut cri::ContainerStatus {
        self.sandbox_of.insert(id.into(), sandbox.into());
        let c = self.containers.entry(id.into()).or_default();
        c.id = id.into();
        c.metadata = MessageField::some(cri::ContainerMetadata { name: format!("c-{id}"), ..Default::default() });
        c.state = state.into();
        c
    }

    pub fn count(&self, call: &str) -> u32 {
        self.calls.get(call).copied().unwrap_or_default()
    }

    fn answer(&mut self, method: &'static str, request: &[u8]) -> Result<Vec<u8>, RpcStatus> {
        *self.calls.entry(method.into()).or_default() += 1;
        let encode = |m: &dyn protobuf::MessageDyn| m.write_to_bytes_dyn().unwrap();
        Ok(match method {
            "Version" => encode(&cri::VersionResponse {
                runtime_name: "fake".into(),
                runtime_version: "1.0".into(),
                ..Default::default()
            }),
            "Status" => encode(&cri::StatusResponse::new()),
            "ListPodSandbox" => {
                let mut items: Vec<_> = self.sandboxes.values().map(list_sandbox).collect();
                self.shuffle(&mut items);
                encode(&cri::ListPodSandboxResponse { items, ..Default::default() })
            }
            "ListContainers" => {
                let of = |c: &cri::ContainerStatus| list_container(c, &self.sandbox_of[&c.id]);
                let mut containers: Vec<_> = self.containers.values().map(of).collect();
                self.shuffle(&mut containers);
                encode(&cri::ListContainersResponse { containers, ..Default::default() })
            }
            "PodSandboxStatus" => {
                let id = cri::PodSandboxStatusRequest::parse_from_bytes(request).unwrap().pod_sandbox_id;
                *self.calls.entry(format!("{method} {id}")).or_default() += 1;
                let status = self.sandboxes.get(&id).ok_or(RpcStatus::new(RpcStatusCode::NOT_FOUND))?.clone();
                encode(&cri::PodSandboxStatusResponse { status: MessageField::some(status), ..Default::default() })
            }
            _ => {
                let id = cri::ContainerStatusRequest::parse_from_bytes(request).unwrap().container_id;
                *self.calls.entry(format!("{method} {id}")).or_default() += 1;
                let status = self.containers.get(&id).ok_or(RpcStatus::new(RpcStatusCode::NOT_FOUND))?.clone();
                encode(&cri::ContainerStatusResponse { status: MessageField::some(status), ..Default::default() })
            }
        })
    }

    /// Go's maps come in another order each time; here every other time will do.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        self.reversed = !self.reversed;
        if self.reversed {
            items.reverse();
        }
    }
}

fn list_sandbox(s: &cri::PodSandboxStatus) -> cri::PodSandbox {
    cri::PodSandbox {
        id: s.id.clone(),
        metadata: s.metadata.clone(),
        state: s.state,
        created_at: s.created_at,
        labels: s.labels.clone(),
        annotations: s.annotations.clone(),
        ..Default::default()
    }
}

fn list_container(c: &cri::ContainerStatus, sandbox: &str) -> cri::Container {
    cri::Container {
        id: c.id.clone(),
        pod_sandbox_id: sandbox.into(),
        metadata: c.metadata.clone(),
        state: c.state,
        created_at: c.created_at,
        annotations: c.annotations.clone(),
        ..Default::default()
    }
}

/// A running fake; its socket goes with it.
pub struct FakeRuntime {
    pub shown: Arc<Mutex<Shown>>,
    server: Server,
}

impl FakeRuntime {
    pub fn start(path: &std::path::Path, shown: &Arc<Mutex<Shown>>) -> Self {
        let mut service = ServiceBuilder::new();
        for (name, method) in [
            ("Version", &methods::VERSION),
            ("Status", &methods::STATUS),
            ("ListPodSandbox", &methods::LIST_SANDBOXES),
            ("ListContainers", &methods::LIST_CONTAINERS),
            ("PodSandboxStatus", &methods::SANDBOX_STATUS),
            ("ContainerStatus", &methods::CONTAINER_STATUS),
        ] {
            let shown = Arc::clone(shown);
            let handler = move |cx: RpcContext<'_>, request: Vec<u8>, sink: UnarySink<Vec<u8>>| {
                let fault = shown.lock().faults.get(name).cloned();
                if name.ends_with("Status") && name != "Status" {
                    let slow = shown.lock().slow;
                    std::thread::sleep(slow);
                }
                let reply = match fault {
                    None => shown.lock().answer(name, &request),
                    Some(Fault::Bytes(bytes)) => Ok(bytes),
                    Some(Fault::Status(code, text)) => Err(RpcStatus::with_message(code, text.into())),
                    Some(Fault::NoMessage) => Err(RpcStatus::ok()),
                    Some(Fault::Hang) => return shown.lock().hanging.push(sink),
                };
                let sent = match reply {
                    Ok(bytes) => sink.success(bytes),
                    Err(status) => sink.fail(status),
                };
                cx.spawn(sent.map(|_| ()));
            };
            service = service.add_unary_handler(method, handler);
        }
        let env = Arc::new(EnvBuilder::new().cq_count(1).build());
        let mut server = ServerBuilder::new(env).register_service(service.build()).build().unwrap();
        server.add_listening_port(format!("unix:{}", path.display()), ServerCredentials::insecure()).unwrap();
        server.start();
        Self { shown: Arc::clone(shown), server }
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut Shown) -> T) -> T {
        f(&mut self.shown.lock())
    }
}

impl Drop for FakeRuntime {
    fn drop(&mut self) {
        self.shown.lock().hanging.clear();
        let shutdown = self.server.shutdown();
        self.server.cancel_all_calls();
        futures_executor::block_on(shutdown).unwrap();
    }
}

/// Not ready, as the list and the status say it.
pub fn not_ready() -> protobuf::EnumOrUnknown<PodSandboxState> {
    PodSandboxState::from_i32(1).unwrap().into()
}

/// A socket path that fits into `sun_path`.
pub fn socket(dir: &crate::testdir::TestDir) -> PathBuf {
    dir.path("s.sock")
}
