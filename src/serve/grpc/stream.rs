//! Server streams. A few threads send on all of them; each ends with its client.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{unbounded, Sender};
use futures_util::Sink;
use grpcio::{RpcStatus, RpcStatusCode, ServerStreamingSink, WriteFlags};

use super::crew::Crew;
use super::feed::Feed;
use super::headers;
use super::refusal::Refusal;
use super::reply::Reply;
use crate::heartbeat::Heartbeats;
use crate::serve::error::ServeError;
use crate::serve::slots::{Slot, Slots};
use crate::store::Store;

/// Sending runs C++ on the thread.
const STACK: usize = 256 * 1024;
/// Threads at most: more than some cores send no faster, since one completion queue serves them all.
const MOST_THREADS: usize = 4;
/// Messages of one stream in a row before others get their turn.
const IN_A_ROW: usize = 16;

/// All streams of a server.
pub(crate) struct Streams {
    slots: Arc<Slots>,
    threads: Vec<Thread>,
}

struct Thread {
    // Without a bound, because every stream in it holds a slot, and these are bounded.
    arrivals: Sender<Stream>,
    /// Streams that it has.
    load: Arc<AtomicUsize>,
}

impl Streams {
    /// Starts the threads.
    ///
    /// # Errors
    /// There are none to be had.
    pub(crate) fn start(
        store: &Arc<Store>,
        slots: &Arc<Slots>,
        send_timeout: Duration,
        beats: &Heartbeats,
    ) -> Result<Self, ServeError> {
        let start = |number| {
            let (arrivals, arriving) = unbounded();
            let load = Arc::<AtomicUsize>::default();
            let stopped = slots.stopped().clone();
            let crew = Crew::new(Arc::clone(store), send_timeout, arriving, stopped, Arc::clone(&load));
            let (name, beats) = (format!("watch-{number}"), beats.clone());
            thread::Builder::new().name(name.clone()).stack_size(STACK).spawn(move || {
                let _watched = beats.enter(&name);
                crew.run();
            })?;
            Ok(Thread { arrivals, load })
        };
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let threads = (1..=threads).map(start).collect::<Result<_, _>>();
        let failed = ServeError::io("start the threads of the watches", std::path::Path::new("gRPC"));
        Ok(Self { slots: Arc::clone(slots), threads: threads.map_err(failed)? })
    }

    /// A place for one more stream.
    ///
    /// # Errors
    /// Too many run.
    pub(crate) fn place(&self) -> Result<Slot, Refusal> {
        self.slots.take().ok_or(Refusal::TooManyWatchers(self.slots.most()))
    }

    /// Starts a stream. `client` names the peer in the log.
    pub(crate) fn start_stream(
        &self,
        slot: Slot,
        sink: ServerStreamingSink<Reply>,
        feed: Box<dyn Feed>,
        client: String,
    ) {
        let idlest = self.threads.iter().min_by_key(|thread| thread.load.load(Ordering::Relaxed));
        if let Some(thread) = idlest {
            thread.load.fetch_add(1, Ordering::Relaxed);
            // It fails only if the server is stopping, and then the dropped sink cancels the call.
            let _ = thread.arrivals.send(Stream::new(slot, sink, feed, client));
        }
    }
}

/// Why a stream ended.
pub(super) enum End {
    /// The client cancelled, closed, died, or its deadline passed.
    ClientGone,
    /// The client has not taken a message for the time that it may take.
    ClientStuck(Duration),
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The client knows everything.
    Idle,
    /// There is more, but others wait.
    More,
    /// The core takes nothing now. It wakes the stream when it does.
    Blocked,
    /// There is no client any more, or it has been told everything.
    Gone,
}

/// One stream.
pub(super) struct Stream {
    sink: ServerStreamingSink<Reply>,
    feed: Box<dyn Feed>,
    client: String,
    headers_set: bool,
    /// The last status is on its way; nothing else may be done with the sink.
    closing: bool,
    /// Until the stream has ended.
    _slot: Slot,
}

impl Stream {
    fn new(slot: Slot, mut sink: ServerStreamingSink<Reply>, feed: Box<dyn Feed>, client: String) -> Self {
        // A burst goes out in few writes: each message but the last is buffered in the core.
        sink.enhance_batch(true);
        Self { sink, feed, client, headers_set: false, closing: false, _slot: slot }
    }

    /// Sends what there is, within reason; whether anything was sent, and how it stands. What is sent is the newest
    /// state at the moment in which it can be sent, and while the core is busy only the encoded message is held. The
    /// core wakes `waker` when it is ready for more and when the client is gone.
    pub(super) fn turn(&mut self, store: &Store, waker: &Waker) -> (bool, Turn) {
        let mut context = Context::from_waker(waker);
        if self.closing {
            return (false, self.close(&mut context));
        }
        for sent in 0..IN_A_ROW {
            let progress = sent > 0;
            match Pin::new(&mut self.sink).poll_ready(&mut context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return (progress, Turn::Gone),
                Poll::Pending => return (progress, Turn::Blocked),
            }
            let current = store.current();
            let Some(message) = self.feed.next(&current) else {
                let turn = match Pin::new(&mut self.sink).poll_flush(&mut context) {
                    Poll::Ready(Ok(())) => match self.feed.end() {
                        None => Turn::Idle,
                        Some(end) => self.complete(end, &mut context),
                    },
                    Poll::Ready(Err(_)) => Turn::Gone,
                    Poll::Pending => Turn::Blocked,
                };
                return (progress, turn);
            };
            if !std::mem::replace(&mut self.headers_set, true) {
                if let Some(headers) = headers::of(&current) {
                    self.sink.set_headers(headers);
                }
            }
            drop(current);
            if Pin::new(&mut self.sink).start_send((message, WriteFlags::default())).is_err() {
                return (progress, Turn::Gone);
            }
        }
        (true, Turn::More)
    }

    /// Begins to send the last status.
    fn complete(&mut self, end: Result<(), Refusal>, context: &mut Context<'_>) -> Turn {
        let status = end.map_or_else(|refusal| refusal.status(), |()| RpcStatus::ok());
        self.feed.ended(status.code());
        self.sink.set_status(status);
        self.closing = true;
        self.close(context)
    }

    fn close(&mut self, context: &mut Context<'_>) -> Turn {
        match Pin::new(&mut self.sink).poll_close(context) {
            Poll::Ready(_) => Turn::Gone,
            Poll::Pending => Turn::Blocked,
        }
    }

    /// Ends it. After an error the sink must not be polled.
    pub(super) fn end(mut self, end: End) {
        if !self.closing {
            self.feed.ended(RpcStatusCode::CANCELLED);
        }
        // Dropping the sink cancels the call. A status would queue behind the data that the client does not read.
        if let End::ClientStuck(time) = end {
            let (client, seconds) = (&self.client, time.as_secs());
            log::warn!("cancelled a watch of {client}: it has not read for {seconds} s (--watch-send-timeout)");
        }
    }

    /// Tells the client that the daemon stops; done when it has been told.
    pub(super) fn say_farewell(mut self) -> impl std::future::Future<Output = grpcio::Result<()>> {
        let (slot, closing) = (self._slot, self.closing);
        let failed = (!closing).then(|| {
            self.feed.ended(RpcStatusCode::UNAVAILABLE);
            self.sink.fail(Refusal::Stopping.status())
        });
        async move {
            let _slot = slot;
            match failed {
                Some(failed) => failed.await,
                None => Ok(()),
            }
        }
    }
}
