//! One thread a socket: accepts connections, checks who connects, keeps the socket at its path.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::error::ServeError;
use super::owned_socket::OwnedSocket;
use super::peer::Peer;
use super::preface::{judge, Verdict, WaitingRoom};
use super::quiet::Quiet;
use crate::heartbeat::{self, Heartbeats};
use crate::sys::peer::{self, PeerCred};
use crate::sys::{poll, process};

mod keeper;
use keeper::Keeper;

/// How long nothing is accepted after the process ran out of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(200);
/// Connections accepted in one turn, so that a flood of them cannot keep the thread from its other work.
const A_TURN: usize = 64;
/// The gRPC core sets a connection up on this thread.
const STACK: usize = 256 * 1024;

/// Who may connect, and how long a connection may stay silent.
#[derive(Clone, Debug)]
pub struct AcceptOptions {
    /// User ids that are served; others are hung up on.
    pub allow_uids: Vec<u32>,
    /// Group ids whose members are served as well.
    pub allow_gids: Vec<u32>,
    /// Time until the HTTP/2 preface has to be there.
    pub preface_timeout: Duration,
    /// What is spoken on the connections.
    pub protocol: Protocol,
    /// Where the thread shows that it lives.
    pub heartbeats: Heartbeats,
}

impl Default for AcceptOptions {
    /// Root and the user of this process, no group; 5 seconds; HTTP/2.
    fn default() -> Self {
        Self {
            allow_uids: vec![0, process::effective_uid()],
            allow_gids: Vec::new(),
            preface_timeout: Duration::from_secs(5),
            protocol: Protocol::Http2,
            heartbeats: Heartbeats::default(),
        }
    }
}

impl AcceptOptions {
    fn allows(&self, stream: &UnixStream, cred: &PeerCred) -> bool {
        let member = |gid: &u32| self.allow_gids.contains(gid);
        self.allow_uids.contains(&cred.uid)
            || member(&cred.gid)
            || (!self.allow_gids.is_empty() && peer::groups(stream).is_ok_and(|groups| groups.iter().any(member)))
    }
}

/// What is spoken on accepted connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/2: a connection is handed over once its preface has arrived.
    Http2,
    /// HTTP/1.1: it is handed over at once; its server has time limits of its own.
    Http1,
}

/// A running accept thread.
#[derive(Debug)]
pub struct Acceptor {
    /// Closing it stops the thread.
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Serves a socket of ours: `hand_over` gets each connection of an allowed user, nonblocking, once it has begun to
    /// speak HTTP/2 (if that is what is spoken here).
    /// The socket is made again where it vanishes and removed when the acceptor stops.
    ///
    /// # Errors
    /// The thread or its means cannot be made.
    pub fn start(
        socket: OwnedSocket,
        options: AcceptOptions,
        hand_over: impl FnMut(UnixStream, Peer) + Send + 'static,
    ) -> Result<Self, ServeError> {
        let path = socket.path().to_path_buf();
        Self::spawn(&path, Place::Owned(Keeper::new(socket)), options, hand_over)
    }

    /// Serves a socket that systemd passed on; it is neither made again nor removed. `name` stands for its path in
    /// messages.
    ///
    /// # Errors
    /// The thread or its means cannot be made.
    pub fn start_inherited(
        listener: UnixListener,
        name: &str,
        options: AcceptOptions,
        hand_over: impl FnMut(UnixStream, Peer) + Send + 'static,
    ) -> Result<Self, ServeError> {
        Self::spawn(Path::new(name), Place::Inherited(listener), options, hand_over)
    }

    fn spawn(
        path: &Path,
        place: Place,
        options: AcceptOptions,
        hand_over: impl FnMut(UnixStream, Peer) + Send + 'static,
    ) -> Result<Self, ServeError> {
        let (stop, stopped) = UnixStream::pair().map_err(ServeError::io("make a stop signal for", path))?;
        let name = format!("accept-{}", path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy());
        let (beats, watched) = (options.heartbeats.clone(), name.clone());
        let mut accepting = Accepting {
            place,
            options,
            listener: path.to_string_lossy().into(),
            room: WaitingRoom::default(),
            paused_until: None,
            complaints: Quiet::default(),
            refusals: Quiet::default(),
            hand_over,
        };
        let thread = thread::Builder::new()
            .name(name)
            .stack_size(STACK)
            .spawn(move || {
                let _watched = beats.enter(&watched);
                accepting.run(&stopped);
            })
            .map_err(ServeError::io("start the accept thread of", path))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Stops accepting, waits for the thread and removes the socket if it is ours. Connections that were handed over
    /// live on.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|t| t.join().is_err()) {
            log::error!("an accept thread ended in a panic");
        }
    }
}

enum Place {
    Owned(Keeper),
    Inherited(UnixListener),
}

impl Place {
    fn listener(&self) -> &UnixListener {
        match self {
            Self::Owned(keeper) => keeper.listener(),
            Self::Inherited(listener) => listener,
        }
    }
}

/// The state of one accept thread.
struct Accepting<F> {
    place: Place,
    options: AcceptOptions,
    listener: Arc<str>,
    room: WaitingRoom,
    /// Set while the process is short of descriptors or memory.
    paused_until: Option<Instant>,
    complaints: Quiet,
    refusals: Quiet,
    hand_over: F,
}

impl<F: FnMut(UnixStream, Peer)> Accepting<F> {
    fn run(&mut self, stopped: &UnixStream) {
        loop {
            let ready = match self.wait(stopped) {
                Ok(ready) => ready,
                Err(e) => {
                    if let Some(before) = self.complaints.speak(Instant::now()) {
                        let listener = &self.listener;
                        log::error!(
                            "{listener}: cannot wait for connections: {e} ({before} more since the last message)"
                        );
                    }
                    thread::sleep(BACK_OFF);
                    continue;
                }
            };
            if ready.stop {
                return;
            }
            let now = Instant::now();
            self.paused_until = self.paused_until.filter(|until| *until > now);
            if ready.connections {
                self.accept(now);
            }
            self.room.look(now, &mut self.hand_over);
            if let Place::Owned(keeper) = &mut self.place {
                keeper.look_after(ready.directory, now);
            }
        }
    }

    fn wait(&self, stopped: &UnixStream) -> io::Result<Ready> {
        let now = Instant::now();
        let (watch, keeper_patience) = match &self.place {
            Place::Owned(keeper) => (keeper.watch_fd(), keeper.patience(now)),
            Place::Inherited(_) => (None, None),
        };
        let pause = self.paused_until.map(|until| until.saturating_duration_since(now));
        let patience = [pause, keeper_patience, self.room.patience(now)].into_iter().flatten().min();
        let listener = pause.is_none().then(|| self.place.listener().as_fd());
        let fds: Vec<BorrowedFd<'_>> =
            [Some(stopped.as_fd()), listener, watch].into_iter().flatten().chain(self.room.silent()).collect();
        let rest = heartbeat::rest(patience.map(|patience| now + patience));
        let mut ready = poll::readable(&fds, patience)?.into_iter();
        drop(rest);
        let mut next = |present: bool| present && ready.next().unwrap_or(false);
        Ok(Ready { stop: next(true), connections: next(listener.is_some()), directory: next(watch.is_some()) })
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..A_TURN {
            match self.place.listener().accept() {
                Ok((stream, _)) => self.receive(stream, now),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) if matches!(e.raw_os_error(), Some(libc::EINTR | libc::ECONNABORTED)) => {}
                Err(e) => {
                    // EMFILE, ENFILE, ENOMEM, ENOBUFS: the connection stays in the backlog, and poll(2) would report
                    // it at once again.
                    self.paused_until = Some(now + BACK_OFF);
                    if let Some(before) = self.complaints.speak(now) {
                        log::warn!("{}: cannot accept: {e} ({before} more since the last message)", self.listener);
                    }
                    return;
                }
            }
        }
    }

    fn receive(&mut self, stream: UnixStream, now: Instant) {
        let cred = match PeerCred::of(&stream).and_then(|cred| stream.set_nonblocking(true).map(|()| cred)) {
            Ok(cred) => cred,
            Err(e) => return log::debug!("{}: dropped a connection: {e}", self.listener),
        };
        if !self.options.allows(&stream, &cred) {
            if let Some(before) = self.refusals.speak(now) {
                log::warn!("{}: refused {cred} ({before} more since the last message)", self.listener);
            }
            return;
        }
        let peer = Peer { cred, listener: Arc::clone(&self.listener) };
        if self.options.protocol == Protocol::Http1 {
            return (self.hand_over)(stream, peer);
        }
        match judge(&stream) {
            Verdict::Http2 => (self.hand_over)(stream, peer),
            Verdict::Incomplete { partial } => {
                self.room.enter(stream, peer, now, now + self.options.preface_timeout, partial);
            }
            Verdict::Refused(why) => log::debug!("{}: {cred} {why}", self.listener),
        }
    }
}

/// What poll(2) found.
struct Ready {
    stop: bool,
    connections: bool,
    directory: bool,
}

#[cfg(test)]
mod tests;
