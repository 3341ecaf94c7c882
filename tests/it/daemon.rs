//! The serving half of a daemon over a store that the test fills.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nodepods::codec::pod_bytes::PodBytes;
use nodepods::codec::wire;
use nodepods::serve::grpc::{GrpcOptions, GrpcServer};
use nodepods::serve::{AcceptOptions, Acceptor, OwnedSocket, SocketOptions};
use nodepods::store::snapshot::{PodEntry, PodId, Snapshot};
use nodepods::store::Store;

/// A directory of one test, removed at its end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("nodepods-it-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Daemon {
    pub store: Arc<Store>,
    pub grpc: Arc<GrpcServer>,
    pub socket: PathBuf,
    acceptor: Option<Acceptor>,
    _scratch: Scratch,
}

impl Daemon {
    pub fn start() -> Self {
        Self::with(&GrpcOptions::default())
    }

    pub fn with(options: &GrpcOptions) -> Self {
        Self::over(Snapshot::empty(1), options)
    }

    /// One whose store begins with this snapshot.
    pub fn over(first: Snapshot, options: &GrpcOptions) -> Self {
        let scratch = Scratch::new();
        let socket = scratch.path().join("run/pods.sock");
        let store = Store::new(first);
        let grpc = Arc::new(GrpcServer::start(Arc::clone(&store), options).unwrap());
        let acceptor = serve(&socket, &grpc);
        Self { store, grpc, socket, acceptor: Some(acceptor), _scratch: scratch }
    }

    /// Publishes these pods as all there are.
    pub fn publish(&self, pods: &[&Arc<PodEntry>]) {
        let Snapshot { revision, narrow, .. } = *self.store.current();
        let revision = revision + 1;
        let mut pods: Vec<_> = pods.iter().map(|p| Arc::clone(p)).collect();
        pods.sort_by(|a, b| a.id.uid.cmp(&b.id.uid));
        self.store.publish(Arc::new(Snapshot { initialized: true, narrow, pods, ..Snapshot::empty(revision) }));
    }

    pub fn stop_accepting(&mut self) {
        drop(self.acceptor.take());
    }
}

pub fn serve(socket: &Path, grpc: &Arc<GrpcServer>) -> Acceptor {
    let owned = OwnedSocket::bind(SocketOptions { path: socket.into(), mode: 0o600, group: None }).unwrap();
    let grpc = Arc::clone(grpc);
    Acceptor::start(owned, AcceptOptions::default(), move |stream, peer| grpc.adopt(stream, &peer)).unwrap()
}

/// A pod whose spec takes about `size` bytes.
pub fn pod(uid: &str, revision: u64, size: usize) -> Arc<PodEntry> {
    let id = PodId { uid: uid.into(), namespace: "default".into(), name: format!("pod-{uid}") };
    let mut metadata = Vec::new();
    wire::put_bytes(&mut metadata, 1, id.name.as_bytes());
    wire::put_bytes(&mut metadata, 3, id.namespace.as_bytes());
    wire::put_bytes(&mut metadata, 5, id.uid.as_bytes());
    wire::put_bytes(&mut metadata, 6, revision.to_string().as_bytes());
    let mut spec = Vec::new();
    wire::put_bytes(&mut spec, 10, &vec![b'n'; size]);
    Arc::new(PodEntry {
        id: Arc::new(id),
        phase: "Running".into(),
        container_ids: Vec::new(),
        ips: Vec::new(),
        revision,
        bytes: PodBytes::from_sections(&metadata, &spec, b"", b""),
    })
}

/// Waits for something that announces itself in no other way.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
