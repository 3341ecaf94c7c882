//! The threads that answer requests. They never wait for a client: what does not fit into its socket at once goes on
//! on a thread of its own.

use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::connection::{Arrived, Connection};
use super::parking::Parking;
use super::refusal::Refusal;
use super::reply::{Body, Reply};
use super::request::{Method, MAX_BODY};
use super::route;
use super::shared::Shared;
use super::stream::Stream;
use super::streams::{Rest, Streams};
use crate::heartbeat::{self, Heartbeats};

/// Printing a pod goes as deep as the schema does.
const STACK: usize = 256 * 1024;
/// How long printed pods are kept for the next who asks.
const KEEP_FOR: Duration = Duration::from_secs(5);
/// Requests of one connection that are answered in a row before others get their turn.
const IN_A_ROW: usize = 16;

/// What a worker needs.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) parking: Parking,
    pub(crate) ready: Receiver<Connection>,
}

impl Worker {
    /// Starts worker `number` as the thread `NAME-number`. It ends when nobody can send it connections any more.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn start(self, name: &str, number: usize, beats: &Heartbeats) -> io::Result<JoinHandle<()>> {
        let (name, beats) = (format!("{name}-{number}"), beats.clone());
        thread::Builder::new().name(name.clone()).stack_size(STACK).spawn(move || {
            let _watched = beats.enter(&name);
            while let Some(connection) = self.next() {
                self.serve(connection);
            }
        })
    }

    /// Waits for a connection with a request. What was kept for others goes in time: printed pods when nobody asks for a
    /// while, snapshots when they are old.
    fn next(&self) -> Option<Connection> {
        let mut clear = Some(Instant::now() + KEEP_FOR);
        loop {
            let current = self.shared.store.current().revision;
            let forget = self.shared.past.lock().forget(current, Instant::now());
            let until = [clear, forget].into_iter().flatten().min();
            let _rest = heartbeat::rest(until);
            let next = match until {
                Some(until) => self.ready.recv_deadline(until),
                None => self.ready.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(connection) => return Some(connection),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if clear.take_if(|at| *at <= Instant::now()).is_some() {
                self.shared.rendered.clear();
            }
        }
    }

    fn serve(&self, mut connection: Connection) {
        for _ in 0..IN_A_ROW {
            match self.answer(connection) {
                Some(next) => connection = next,
                None => return,
            }
            if connection.judge() != Arrived::Head {
                break;
            }
        }
        self.parking.park(connection);
    }

    /// Answers one request; gives the connection back where another may follow at once.
    fn answer(&self, mut connection: Connection) -> Option<Connection> {
        let (request, framing) = match connection.take() {
            Ok(taken) => taken,
            Err(refusal) => {
                self.count(route::NO_PATH, refusal.code());
                connection.refuse(&refusal);
                return Some(connection);
            }
        };
        let path = route::name(self.shared.scope, &request.path);
        let reply = match request.method {
            Method::Get | Method::Head if framing.body > MAX_BODY => Reply::refusal(&Refusal::BodyTooLarge),
            _ => route::answer(&self.shared, &request),
        };
        let code = reply.code();
        let (mut head, mut body) = reply.split(framing.keep_alive, framing.chunks);
        if request.method == Method::Head {
            body = Body::Bytes(Vec::new());
        }
        let begun = match &mut body {
            Body::Produced(_) => false,
            Body::Bytes(bytes) => {
                self.count(path, code);
                match send_now(connection.stream(), [&mut head, bytes]) {
                    Ok(()) if head.is_empty() && bytes.is_empty() => {
                        if !framing.keep_alive {
                            connection.hang_up();
                        }
                        return Some(connection);
                    }
                    Ok(()) => true,
                    Err(_) => return None, // the client is gone
                }
            }
        };
        let rest = Rest { connection, head, body, chunks: framing.chunks, keep_alive: framing.keep_alive };
        match self.streams.start(rest) {
            _ if begun => None, // it cannot be taken back where nobody goes on with it
            Ok(()) => {
                self.count(path, code);
                None
            }
            Err(rest) => {
                let (mut connection, refusal) =
                    (rest.connection, Refusal::TooMany("watches and large answers at once"));
                self.count(path, refusal.code());
                connection.refuse(&refusal);
                Some(connection)
            }
        }
    }

    fn count(&self, path: &'static str, code: u16) {
        self.shared.page.metrics().http_answered(path, code);
    }
}

/// Sends as much as the socket takes and leaves the rest.
fn send_now(mut stream: &Stream, [head, body]: [&mut Vec<u8>; 2]) -> io::Result<()> {
    while !(head.is_empty() && body.is_empty()) {
        match stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) {
            Ok(n) => {
                let of_head = n.min(head.len());
                head.drain(..of_head);
                body.drain(..n - of_head);
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
