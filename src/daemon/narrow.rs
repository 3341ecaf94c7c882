//! Narrow sockets: each with a store of its own, which holds no more than the socket shows, and a server over it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{after, at, never, select};

use super::error::DaemonError;
use crate::config::narrow::NarrowSocket;
use crate::heartbeat::{self, Heartbeats};
use crate::serve::accept::{AcceptOptions, Acceptor};
use crate::serve::grpc::{GrpcOptions, GrpcServer};
use crate::serve::{OwnedSocket, SocketOptions};
use crate::store::narrow::{Lens, Narrowing};
use crate::store::snapshot::Snapshot;
use crate::store::Store;
use crate::sys::group;

/// A bound narrow socket that serves nobody yet.
pub struct Bound {
    socket: OwnedSocket,
    group: Option<u32>,
    lens: Lens,
}

impl Bound {
    /// Finds the group and binds.
    ///
    /// # Errors
    /// There is no such group, or the socket cannot be had.
    pub fn bind(wanted: &NarrowSocket) -> Result<Self, DaemonError> {
        let no_group = |name: &String| {
            let name = name.clone();
            move |source| DaemonError::Group { name, source }
        };
        let group = wanted.group.as_ref().map(|name| group::id_of(name).map_err(no_group(name))).transpose()?;
        let socket = OwnedSocket::bind(SocketOptions { path: wanted.path.clone(), mode: wanted.mode, group })?;
        Ok(Self { socket, group, lens: wanted.lens.clone() })
    }

    /// Its path, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.socket.path().display().to_string()
    }
}

/// A narrow socket in service.
pub struct Narrow {
    acceptor: Acceptor,
    server: Arc<GrpcServer>,
    thread: JoinHandle<()>,
}

impl Narrow {
    /// Follows `full` through the lens and serves what is seen.
    ///
    /// # Errors
    /// The server or a thread cannot be started.
    pub fn start(
        bound: Bound,
        full: &Arc<Store>,
        grpc: &GrpcOptions,
        accept: &AcceptOptions,
        beats: &Heartbeats,
    ) -> Result<Self, DaemonError> {
        let Bound { socket, group, lens } = bound;
        let mut narrowing = Narrowing::new(lens);
        let store = Store::new(narrowing.next(&full.current()));
        let server = Arc::new(GrpcServer::start(Arc::clone(&store), grpc)?);
        let name = "narrow";
        let (full, beats, lists) = (Arc::clone(full), beats.clone(), Arc::clone(&server));
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || follow(&full, &store, &mut narrowing, &lists, &beats))
            .map_err(|source| DaemonError::Thread { name, source })?;
        let accept = AcceptOptions { allow_gids: group.into_iter().collect(), ..accept.clone() };
        let to = Arc::clone(&server);
        let acceptor = Acceptor::start(socket, accept, move |stream, peer| to.adopt(stream, &peer))?;
        Ok(Self { acceptor, server, thread })
    }

    /// Ends it, once the full store is closed.
    pub fn stop(self, limit: Duration) {
        drop(self.acceptor);
        self.server.shutdown(limit);
        if self.thread.join().is_err() {
            log::error!("the thread of a narrow socket ended in a panic");
        }
    }
}

/// Until the full store is closed. Meanwhile lists that nobody asks for are forgotten.
fn follow(full: &Arc<Store>, store: &Arc<Store>, narrowing: &mut Narrowing, server: &GrpcServer, beats: &Heartbeats) {
    let life = beats.enter("narrow");
    let news = full.subscribe();
    let mut forget = never();
    loop {
        let (next, current) = (narrowing.next(&full.current()), store.current());
        if !same(&next, &current) {
            store.publish(Arc::new(Snapshot { number: current.number + 1, ..next }));
        }
        drop(current);
        // A change makes what was served before it old.
        let old = server.forget_old(Instant::now()).map_or_else(never, at);
        let _rest = heartbeat::rest(None);
        select! {
            recv(news.changed()) -> open => if open.is_err() { break },
            recv(server.list_built()) -> _ => forget = after(Duration::ZERO), // which says when to come back
            recv(old) -> _ => {}
            recv(forget) -> _ => forget = server.forget_list(Instant::now()).map_or_else(never, after),
        }
    }
    life.leave();
    store.close();
}

/// Nothing that is shown has changed: readers need not be woken.
fn same(a: &Snapshot, b: &Snapshot) -> bool {
    a.initialized == b.initialized
        && a.incomplete == b.incomplete
        && a.pods.len() == b.pods.len()
        && a.pods.iter().zip(&b.pods).all(|(a, b)| Arc::ptr_eq(a, b))
}
