//! The gRPC services: `v1alpha1.Pods`, the documented `Pods`, `v1.PodService`, `nodepods.v1.Lookup`, health and
//! reflection.
//!
//! The server has no ports of its own; connections are accepted by [`crate::serve::accept`] and adopted. Only the
//! files of this folder and `sys::handover` touch grpcio on the serving side.

mod ask;
mod encode;
mod feed;
mod headers;
mod lookup;
mod node;
mod offer;
mod pod_service;
pub mod reflection;
mod refusal;
mod reply;
mod self_call;
mod service;
mod shared;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod wait;

use std::ffi::CString;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::Receiver;
use grpcio::{ChannelBuilder, EnvBuilder, Environment, Server, ServerBuilder};
use parking_lot::Mutex;

use self::encode::Contract;
use self::offer::Offer;
use self::service::Shared;
use self::stream::Streams;
use super::connections::{Connections, Rates};
use super::error::ServeError;
use super::metrics::Metrics;
use super::peer::Peer;
use super::quiet::Quiet;
use super::slots::Slots;
use crate::heartbeat::Heartbeats;
use crate::store::masked::MaskCache;
use crate::store::Store;
use crate::sys::handover;

/// Longest request, in bytes. The longest one that makes sense holds a UID.
const MAX_REQUEST: i32 = 64 * 1024;
/// Longest request metadata, in bytes.
const MAX_METADATA: i32 = 16 * 1024;
/// Calls that may run at once on one connection; the client queues more.
const MAX_STREAMS: i32 = 256;
/// Room for bytes from a client, kept for each connection. Requests are short.
const READ_CHUNK: i32 = 1024;
/// What one stream may leave in the core to be written. The core's 64 KiB times the watchers is what a burst of events
/// would cost.
const WRITE_BUFFER: i32 = 16 * 1024;
/// Requests for which room is kept ready; the default of 1024 costs memory and gains nothing here.
const SLOTS: usize = 16;
/// Clients may ping this often on a quiet connection. The core's default of five minutes cuts off Go clients with
/// ordinary keepalive settings.
const MIN_PING_INTERVAL: Duration = Duration::from_secs(10);

/// Limits of the server.
#[derive(Clone, Debug)]
pub struct GrpcOptions {
    /// Connections at once (`--max-connections`); more are closed at accept.
    pub max_connections: usize,
    /// Streams at once (`--max-watchers`); more get RESOURCE_EXHAUSTED.
    pub max_watchers: usize,
    /// How long a client may leave a message of a stream unread (`--watch-send-timeout`).
    pub watch_send_timeout: Duration,
    /// How often each connection may ask.
    pub rates: Rates,
    /// A connection on which no call runs for so long is closed. A quiet watch is a call that runs.
    pub idle_timeout: Duration,
    /// A connection from which nothing comes for so long is asked for a sign of life, which any live HTTP/2 client
    /// gives by itself. It is closed after `watch_send_timeout` without one: a client that is stopped may come back.
    pub ping_after: Duration,
    /// Where the threads show that they live.
    pub heartbeats: Heartbeats,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self {
            max_connections: 256,
            max_watchers: 1024,
            watch_send_timeout: Duration::from_secs(60),
            rates: Rates::default(),
            idle_timeout: Duration::from_secs(300),
            ping_after: Duration::from_secs(300),
            heartbeats: Heartbeats::default(),
        }
    }
}

fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

/// A running gRPC server.
pub struct GrpcServer {
    /// `None` once it is shut down.
    server: Mutex<Option<Server>>,
    slots: Arc<Slots>,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    refusals: Mutex<Quiet>,
    environment: Arc<Environment>,
    shared: Arc<Shared>,
}

impl GrpcServer {
    /// Starts the server over `store`. It serves nobody until connections are adopted.
    ///
    /// # Errors
    /// The gRPC core cannot be set up.
    pub fn start(store: Arc<Store>, options: &GrpcOptions) -> Result<Self, ServeError> {
        grpcio::redirect_log();
        let environment = Arc::new(EnvBuilder::new().cq_count(1).name_prefix("grpc").build());
        let slots = Slots::new(options.max_watchers);
        let streams = Streams::new(&store, &slots, options.watch_send_timeout);
        let connections = Arc::new(Connections::new(options.max_connections, options.rates));
        let metrics = Arc::<Metrics>::default();
        let shared = Arc::new(Shared {
            store,
            streams,
            connections: Arc::clone(&connections),
            list: Arc::default(),
            masked: shared::MaskedLists::default(),
            masks: MaskCache::default(),
            pages: Mutex::default(),
            events: Arc::default(),
            metrics: Arc::clone(&metrics),
            started: SystemTime::now(),
        });
        let arguments = ChannelBuilder::new(Arc::clone(&environment))
            .max_concurrent_stream(MAX_STREAMS)
            .max_receive_message_len(MAX_REQUEST)
            .max_send_message_len(-1)
            .tcp_read_chunk_size(READ_CHUNK)
            .tcp_min_read_chunk_size(256)
            .tcp_max_read_chunk_size(READ_CHUNK)
            .http2_write_buffer_size(WRITE_BUFFER)
            .raw_cfg_int(CString::from(c"grpc.max_metadata_size"), MAX_METADATA)
            .raw_cfg_int(CString::from(c"grpc.max_connection_idle_ms"), millis(options.idle_timeout))
            .keepalive_time(options.ping_after)
            .keepalive_timeout(options.watch_send_timeout)
            .keepalive_permit_without_calls(true)
            .http2_min_recv_ping_interval_without_data(MIN_PING_INTERVAL)
            .build_args();
        let mut builder = ServerBuilder::new(Arc::clone(&environment))
            .channel_args(arguments)
            .requests_slot_per_cq(SLOTS)
            .register_service(service::pods(&shared, &reply::KUBELET, Contract::Kubelet))
            .register_service(service::pods(&shared, &reply::DOCUMENTED, Contract::Documented))
            .register_service(service::health(&shared))
            .register_service(reflection::service(&shared, &reply::REFLECTION[0]))
            .register_service(reflection::service(&shared, &reply::REFLECTION[1]));
        if Offer::of(&shared.store.current()) == Offer::WholeNode {
            builder = builder
                .register_service(node::service(&shared))
                .register_service(lookup::service(&shared))
                .register_service(pod_service::service(&shared));
        }
        let mut server = builder.build().map_err(|source| ServeError::Grpc { source })?;
        server.start();
        Ok(Self {
            server: Mutex::new(Some(server)),
            slots,
            connections,
            metrics,
            refusals: Mutex::default(),
            environment,
            shared,
        })
    }

    /// Serves a connection that was accepted. Closes it where there are too many or the server is shut down.
    pub fn adopt(&self, stream: UnixStream, peer: &Peer) {
        let mut server = self.server.lock();
        let Some(server) = server.as_mut() else { return };
        if self.connections.enter(&stream, peer) {
            handover::hand_over(server, stream);
        } else if let Some(before) = self.refusals.lock().speak(Instant::now()) {
            log::warn!(
                "{}: closed a new connection of {}: too many are open (--max-connections; {before} more since the last message)",
                peer.listener,
                peer.cred
            );
        }
    }

    /// Calls ourselves. `answered` runs on the thread of the completion queue when the call is over; where that thread
    /// is stuck it never runs. Dropped when the server is shut down or there is no socket to be had.
    pub fn call_self(&self, answered: impl FnOnce() + Send + 'static) {
        let mut server = self.server.lock();
        let Some(server) = server.as_mut() else { return };
        if let Err(e) = self_call::make(&self.environment, server, answered) {
            log::debug!("cannot call ourselves: {e}");
        }
    }

    /// Says that a list was built, which is kept until [`Self::forget_list`].
    #[must_use]
    pub fn list_built(&self) -> &Receiver<()> {
        self.shared.list.built()
    }

    /// Forgets the list that several clients got if nobody has asked for it lately. When to come back while somebody
    /// does.
    #[must_use]
    pub fn forget_list(&self, now: Instant) -> Option<Duration> {
        (!self.shared.list.forget(now)).then_some(shared::UNUSED)
    }

    /// Forgets what belongs to snapshots that were replaced: masked lists at once, what continue tokens point into when
    /// it is old. When to come back for more, apart from the next change; `None` where nothing is kept.
    #[must_use]
    pub fn forget_old(&self, now: Instant) -> Option<Instant> {
        let revision = self.shared.store.current().revision;
        self.shared.masked.forget_others(revision);
        self.shared.pages.lock().forget(revision, now)
    }

    /// Open connections and running streams.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.connections.count(), self.slots.count())
    }

    /// What this server counts.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Ends all streams with UNAVAILABLE, lets calls that run finish, and closes all connections: within `limit`,
    /// whatever the clients do. Later calls do nothing.
    pub fn shutdown(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let Some(mut server) = self.server.lock().take() else { return };
        self.slots.stop();
        // Half of the time for an orderly end; what then still runs is cancelled.
        self.slots.wait(Instant::now() + limit / 2);
        let closed = server.shutdown();
        if wait::until(closed, Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2).is_none() {
            log::warn!("some clients did not take their last answer; cancelling");
            server.cancel_all_calls();
        }
        if !self.slots.wait(deadline) {
            log::warn!("{} streams have not ended in time", self.slots.count());
        }
    }
}

impl Drop for GrpcServer {
    fn drop(&mut self) {
        self.shutdown(Duration::from_secs(5));
    }
}
