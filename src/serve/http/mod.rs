//! Reads over HTTP/1.1: the Kubernetes API as far as pods go, and what a kubelet answers.
//!
//! Nobody waits on a thread that somebody else needs. Connections wait in one poll set until a whole request has
//! arrived ([`parking`]); a few threads answer ([`worker`]) and hand over what a client does not take at once, and
//! watches, to a thread for each ([`streams`]).

mod cluster;
mod connection;
mod discovery;
mod etag;
mod events;
mod health;
mod indent;
mod kubelet;
mod list_options;
mod listed;
mod negotiate;
mod outgoing;
mod parking;
mod pod_log;
mod pod_object;
mod pod_service;
mod pods;
mod query;
pub(crate) mod rebinding;
pub(crate) mod refusal;
mod rendered;
pub(crate) mod reply;
pub(crate) mod request;
mod route;
mod row_object;
mod shared;
mod stream;
mod streams;
mod value;
mod warning;
mod worker;

use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use parking_lot::Mutex;

use super::error::ServeError;
use super::metrics::Page;
use super::peer::Peer;
use crate::heartbeat::Heartbeats;
use crate::store::events::Events;
use crate::store::past::Past;
use crate::store::Store;
use connection::Connection;
use parking::{Limits, Parking, ParkingThread};
use shared::Shared;
use streams::Streams;
use worker::Worker;

/// Requests that may wait for a thread to answer them.
const QUEUE: usize = 64;
/// Snapshots that are kept for clients that list in pages or watch on. Whoever asks for an older one is told to list
/// again.
const KEPT: usize = 16;

/// What a server answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Everything: for sockets that only trusted users reach.
    #[default]
    Reads,
    /// `/metrics` and health, never pods: for TCP, where anybody may ask.
    Figures,
}

impl Scope {
    /// How its threads are called.
    fn name(self) -> &'static str {
        match self {
            Self::Reads => "http",
            Self::Figures => "metrics",
        }
    }
}

/// Limits of the server, and where logs are.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// What it answers.
    pub scope: Scope,
    /// Threads that answer. They never wait for a client.
    pub workers: usize,
    /// Connections that may wait for a request; the one that waits longest is closed for one more.
    pub most_connections: usize,
    /// Watches, logs and large answers at a time.
    pub most_streams: usize,
    /// From the first byte of a request's head to its last.
    pub head_timeout: Duration,
    /// Between two requests.
    pub idle_timeout: Duration,
    /// How long a client may take no data before it is dropped.
    pub send_timeout: Duration,
    /// Where the runtime keeps the logs of containers.
    pub log_root: PathBuf,
    /// Where the threads show that they live.
    pub heartbeats: Heartbeats,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            scope: Scope::Reads,
            workers: 2,
            most_connections: 512,
            most_streams: 256,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            send_timeout: Duration::from_secs(60),
            log_root: PathBuf::from("/var/log/pods"),
            heartbeats: Heartbeats::default(),
        }
    }
}

impl HttpOptions {
    /// A small server for `--metrics-listen`: whoever floods it gets in the way of no one but other readers of metrics.
    #[must_use]
    pub fn figures() -> Self {
        Self { scope: Scope::Figures, workers: 1, most_connections: 32, most_streams: 4, ..Self::default() }
    }

    /// Most files that the server has open at a time: a connection for each of the waiting, of those whose request is
    /// being answered, and of the streams, which may have a log open.
    #[must_use]
    pub fn files(&self) -> u64 {
        (self.most_connections + QUEUE + self.workers + 2 * self.most_streams) as u64
    }
}

/// A running server. Give it connections with [`HttpServer::entrance`].
pub struct HttpServer {
    parking: Parking,
    parking_thread: ParkingThread,
    streams: Arc<Streams>,
    workers: Vec<JoinHandle<()>>,
}

impl HttpServer {
    /// Starts the threads.
    ///
    /// # Errors
    /// There are none to be had.
    pub fn start(
        store: Arc<Store>,
        page: Arc<Page>,
        events: Arc<Events>,
        options: HttpOptions,
    ) -> Result<Self, ServeError> {
        let name = options.scope.name();
        let failed = || ServeError::io("start the threads of the HTTP server", std::path::Path::new("http"));
        // When it is full, clients get 429 and are told to try again.
        let (give, ready) = bounded(QUEUE);
        let limits = Limits {
            most: options.most_connections,
            head_timeout: options.head_timeout,
            idle_timeout: options.idle_timeout,
        };
        let parking = Parking::start(name, limits, give, Arc::clone(&page), &options.heartbeats);
        let (parking, parking_thread) = parking.map_err(failed())?;
        let streams = Streams::new(name, parking.clone(), options.most_streams, options.send_timeout);
        let (scope, log_root) = (options.scope, options.log_root);
        let shared = Arc::new(Shared {
            scope,
            store,
            page,
            events,
            past: Arc::new(Mutex::new(Past::of_at_most(KEPT))),
            rendered: Arc::default(),
            log_root,
        });
        let worker = Worker { shared, streams: Arc::clone(&streams), parking: parking.clone(), ready };
        let workers =
            (1..=options.workers).map(|n| worker.clone().start(name, n, &options.heartbeats)).collect::<Result<_, _>>();
        Ok(Self { parking, parking_thread, streams, workers: workers.map_err(failed())? })
    }

    /// What an [`Acceptor`](super::Acceptor) with [`Protocol::Http1`](super::Protocol::Http1) hands its connections
    /// to. There may be several.
    pub fn entrance(&self) -> impl FnMut(UnixStream, Peer) + Send + 'static {
        let parking = self.parking.clone();
        move |stream, peer| {
            let client = format!("{} on {}", peer.cred, peer.listener);
            parking.park(Connection::new(stream, client));
        }
    }

    /// What a [`TcpAcceptor`](super::tcp::TcpAcceptor) hands its connections to.
    pub fn tcp_entrance(&self) -> impl FnMut(TcpStream, SocketAddr) + Send + 'static {
        let parking = self.parking.clone();
        move |stream, from| parking.park(Connection::new(stream, from.to_string()))
    }

    /// Watches, logs and large answers that are being sent now.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.slots().count()
    }

    /// Ends all answers in order, for `grace` at most, and closes all connections.
    pub fn stop(self, grace: Duration) {
        self.streams.slots().stop();
        if !self.streams.slots().wait(Instant::now() + grace) {
            log::warn!("{} HTTP clients have not taken the end of their answer", self.streams.slots().count());
        }
        self.parking.stop();
        self.parking_thread.join();
        for worker in self.workers {
            if worker.join().is_err() {
                log::error!("a thread of the HTTP server ended in a panic");
            }
        }
    }
}
