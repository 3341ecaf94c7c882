use std::thread;

use crossbeam_channel::{bounded, Receiver, Sender};
use futures_executor::block_on;
use futures_util::{FutureExt as _, SinkExt as _};
use grpcio::{
    RpcContext, RpcStatus, RpcStatusCode, Server, ServerBuilder, ServerCredentials, ServerStreamingSink,
    ServiceBuilder, UnarySink, WriteFlags,
};
use parking_lot::Mutex;

use super::client::{LIST, WATCH};
use super::*;
use crate::codec::wire;
use crate::testdir::TestDir;

const SYNCED: &[u8] = &[8, 4];
const DELETED: &[u8] = &[8, 3];

/// What a kubelet in this process knows.
#[derive(Default)]
struct Known {
    pods: Vec<Vec<u8>>,
    refusal: Option<(RpcStatusCode, &'static str)>,
    watchers: Vec<Sender<Vec<u8>>>,
}

struct FakeKubelet {
    known: Arc<Mutex<Known>>,
    server: Server,
}

impl FakeKubelet {
    fn start(path: &Path, known: Known) -> Self {
        let known = Arc::new(Mutex::new(known));
        let (lists, watches) = (Arc::clone(&known), Arc::clone(&known));
        let list = move |cx: RpcContext<'_>, _: Vec<u8>, sink: UnarySink<Vec<u8>>| {
            let known = lists.lock();
            let mut answer = Vec::new();
            known.pods.iter().for_each(|pod| wire::put_bytes(&mut answer, 1, pod));
            let sent = match known.refusal {
                None => sink.success(answer),
                Some((code, text)) => sink.fail(RpcStatus::with_message(code, text.into())),
            };
            cx.spawn(sent.map(|_| ()));
        };
        let watch = move |_: RpcContext<'_>, _: Vec<u8>, mut sink: ServerStreamingSink<Vec<u8>>| {
            let (tx, events) = bounded(16);
            tx.send(SYNCED.to_vec()).unwrap();
            watches.lock().watchers.push(tx);
            thread::spawn(move || {
                for event in events {
                    if block_on(sink.send((event, WriteFlags::default()))).is_err() {
                        return;
                    }
                }
                let _ = block_on(sink.close());
            });
        };
        let service =
            ServiceBuilder::new().add_unary_handler(&LIST, list).add_server_streaming_handler(&WATCH, watch).build();
        let env = Arc::new(EnvBuilder::new().cq_count(1).build());
        let mut server = ServerBuilder::new(env).register_service(service).build().unwrap();
        server.add_listening_port(format!("unix:{}", path.display()), ServerCredentials::insecure()).unwrap();
        server.start();
        Self { known, server }
    }

    fn tell(&self, event: &[u8]) {
        for watcher in &self.known.lock().watchers {
            let _ = watcher.send(event.to_vec());
        }
    }
}

impl Drop for FakeKubelet {
    fn drop(&mut self) {
        self.known.lock().watchers.clear();
        let shutdown = self.server.shutdown();
        self.server.cancel_all_calls();
        block_on(shutdown).unwrap();
    }
}

struct Running {
    updates: Receiver<Update>,
    answers: Receiver<bool>,
    stop: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<Stopped>>,
}

impl Running {
    fn new(socket: &Path, who: fn(&Path, &[PathBuf]) -> Answers) -> Self {
        let (tx, updates) = bounded(64);
        let (stop, stopped) = bounded(0);
        let (told, answers) = bounded(64);
        let socket = socket.to_path_buf();
        let options = Options {
            locate: Box::new(move || vec![socket.clone()]),
            own: Vec::new(),
            answers: Box::new(move |now| told.send(now).unwrap()),
        };
        let mut source = Kubelet::new(Reporter::new(SourceId::Kubelet, tx, stopped), options, who);
        let thread = thread::spawn(move || source.work());
        Self { updates, answers, stop: Some(stop), thread: Some(thread) }
    }

    fn update(&self) -> Update {
        self.updates.recv_timeout(Duration::from_secs(20)).expect("an update")
    }

    fn state(&self) -> (HealthState, String) {
        loop {
            if let Update::Health(SourceId::Kubelet, health) = self.update() {
                return (health.state, health.error);
            }
        }
    }

    fn pods(&self) -> Vec<PodBytes> {
        loop {
            if let Update::Pods { source: SourceId::Kubelet, pods } = self.update() {
                return pods;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Not asked: the fake is in this very process.
fn other(_: &Path, _: &[PathBuf]) -> Answers {
    Answers::Other
}

fn pod(name: &[u8]) -> Vec<u8> {
    let (mut metadata, mut pod) = (Vec::new(), Vec::new());
    wire::put_bytes(&mut metadata, 1, name);
    wire::put_bytes(&mut metadata, 5, b"uid");
    wire::put_bytes(&mut pod, 1, &metadata);
    pod
}

#[test]
fn deleted_is_a_hint_and_the_list_decides() {
    let dir = TestDir::new();
    let socket = dir.path("s");
    // Go writes empty fields, and a kubelet serves bytes that are no UTF-8.
    let raw = [pod(b"web\xff"), vec![0x12, 0]].concat();
    let kubelet = FakeKubelet::start(&socket, Known { pods: vec![raw.clone()], ..Known::default() });
    let running = Running::new(&socket, other);
    assert_eq!(running.pods(), [crate::codec::canonical::pod(&raw).unwrap()]);
    assert_eq!(running.state(), (HealthState::Up, String::new()));
    assert_eq!(running.answers.recv(), Ok(true));
    // It has finished and is still there; then there is one more; then both are gone.
    kubelet.tell(DELETED);
    kubelet.known.lock().pods.push(pod(b"job"));
    kubelet.tell(DELETED);
    assert_eq!(running.pods().len(), 2);
    kubelet.known.lock().pods.clear();
    kubelet.tell(DELETED);
    assert_eq!(running.pods(), []);
    drop(kubelet);
    assert_eq!(running.state().0, HealthState::Down);
    assert_eq!(running.answers.recv(), Ok(false));
}

#[test]
fn a_kubelet_that_is_not_ready_is_asked_again() {
    let dir = TestDir::new();
    let socket = dir.path("s");
    let refusal = Some((RpcStatusCode::FAILED_PRECONDITION, "Kubelet is initializing"));
    let kubelet = FakeKubelet::start(&socket, Known { refusal, ..Known::default() });
    let running = Running::new(&socket, other);
    assert_eq!(running.state(), (HealthState::Starting, "it is not ready: Kubelet is initializing".into()));
    kubelet.known.lock().refusal = None;
    assert_eq!(running.pods(), []);
    assert_eq!(running.state().0, HealthState::Up);
}

#[test]
fn something_else_is_told_and_we_are_not_a_kubelet() {
    let dir = TestDir::new();
    let socket = dir.path("s");
    let refusal = Some((RpcStatusCode::UNIMPLEMENTED, "unknown service"));
    let _kubelet = FakeKubelet::start(&socket, Known { refusal, ..Known::default() });
    let running = Running::new(&socket, other);
    let want = (HealthState::Absent, "what answers does not serve v1alpha1.Pods".to_owned());
    assert_eq!(running.state(), want);
    let ourselves = Running::new(&socket, ours::who);
    assert_eq!(ourselves.state(), (HealthState::Absent, String::new()), "it is this process that answers");
}
