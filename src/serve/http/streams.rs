//! Answers that take a while: one thread each, as long as there are slots.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{bounded, Receiver};

use super::connection::Connection;
use super::outgoing::{self, Outgoing};
use super::parking::Parking;
use super::reply::Body;
use super::stream::Stream;
use crate::serve::slots::Slots;

/// Printing a pod goes as deep as the schema does.
const STACK: usize = 256 * 1024;

/// All answers that are being produced.
pub(crate) struct Streams {
    /// Threads are called `NAME-send-1` and so on.
    name: &'static str,
    parking: Parking,
    send_timeout: Duration,
    number: AtomicU64,
    slots: Arc<Slots>,
}

/// What is still to be sent on a connection.
pub(crate) struct Rest {
    pub(crate) connection: Connection,
    /// Goes out before the body, as it is.
    pub(crate) head: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) chunks: bool,
    pub(crate) keep_alive: bool,
}

impl Streams {
    pub(crate) fn new(name: &'static str, parking: Parking, most: usize, send_timeout: Duration) -> Arc<Self> {
        Arc::new(Self { name, parking, send_timeout, number: AtomicU64::new(1), slots: Slots::new(most) })
    }

    /// Sends the rest on a thread of its own; gives it back where there are too many.
    ///
    /// # Errors
    /// No slot or no thread is free.
    pub(crate) fn start(self: &Arc<Self>, rest: Rest) -> Result<(), Box<Rest>> {
        let Some(slot) = self.slots.take() else { return Err(Box::new(rest)) };
        // One place, for one rest: never full.
        let (give, take) = bounded::<Rest>(1);
        let name = format!("{}-send-{}", self.name, self.number.fetch_add(1, Ordering::Relaxed));
        let streams = Arc::clone(self);
        let body = move || {
            let _slot = slot; // until everything is sent
            if let Ok(rest) = take.recv() {
                streams.run(rest);
            }
        };
        match thread::Builder::new().name(name).stack_size(STACK).spawn(body) {
            Ok(_) => give.send(rest).map_err(|e| Box::new(e.0)),
            Err(e) => {
                log::warn!("cannot start a thread for an answer: {e}");
                Err(Box::new(rest))
            }
        }
    }

    /// How many run, and their end.
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    fn run(&self, rest: Rest) {
        let Rest { mut connection, head, body, chunks, keep_alive } = rest;
        // Dropped by the poll thread when the client is gone.
        let (going, gone) = bounded(1);
        let guard = self.parking.guard(connection.stream(), going);
        let sent = self.send(connection.stream(), &head, body, chunks, &gone);
        drop(guard);
        match sent {
            Ok(()) if keep_alive => self.parking.park(connection),
            Ok(()) => {
                connection.hang_up();
                self.parking.park(connection);
            }
            Err(e) => {
                if e.kind() == io::ErrorKind::TimedOut {
                    let seconds = self.send_timeout.as_secs();
                    log::warn!("dropped {}: it has not read for {seconds} s", connection.client());
                }
                let _ = connection.stream().shutdown(std::net::Shutdown::Both); // it may be gone already
            }
        }
    }

    fn send(&self, to: &Stream, head: &[u8], body: Body, chunks: bool, gone: &Receiver<()>) -> io::Result<()> {
        outgoing::send(to, head, self.send_timeout)?;
        match body {
            Body::Bytes(bytes) => outgoing::send(to, &bytes, self.send_timeout),
            Body::Produced(mut body) => {
                let mut out = Outgoing::new(to, chunks, self.send_timeout, gone, self.slots.stopped());
                body.produce(&mut out)?;
                out.finish()
            }
        }
    }
}
