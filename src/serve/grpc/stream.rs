//! Server streams: one thread each, which ends with its client.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, select, Receiver, Sender};
use futures_util::Sink;
use grpcio::{RpcStatusCode, ServerStreamingSink, WriteFlags};
use parking_lot::{Condvar, Mutex};

use super::feed::Feed;
use super::headers;
use super::refusal::Refusal;
use super::reply::Reply;
use super::wait;
use crate::store::{Store, Subscription};

/// Cancelling and failing run C++ on the thread; the memory is virtual until it is used.
const STACK: usize = 128 * 1024;
/// How long a client gets to take the last status when the daemon stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// All streams of a server.
pub(crate) struct Streams {
    store: Arc<Store>,
    most: usize,
    send_timeout: Duration,
    number: AtomicU64,
    running: Mutex<usize>,
    one_ended: Condvar,
    /// Closed when the server stops.
    stop: Mutex<Option<Sender<()>>>,
    stopped: Receiver<()>,
}

impl Streams {
    pub(crate) fn new(store: Arc<Store>, most: usize, send_timeout: Duration) -> Arc<Self> {
        // Nothing is ever sent: closing it is the message, and it reaches everybody.
        let (stop, stopped) = bounded(0);
        Arc::new(Self {
            store,
            most,
            send_timeout,
            number: AtomicU64::new(1),
            running: Mutex::new(0),
            one_ended: Condvar::new(),
            stop: Mutex::new(Some(stop)),
            stopped,
        })
    }

    /// A thread for one stream, which starts when it is given the sink. `client` names the peer in the log.
    ///
    /// # Errors
    /// Too many run, or there is no thread to be had.
    pub(crate) fn open<F: Feed>(self: &Arc<Self>, client: String) -> Result<Opened<F>, Refusal> {
        let slot = Slot::take(self).ok_or(Refusal::TooManyWatchers(self.most))?;
        // One place, for one stream: never full.
        let (give, take) = bounded::<(ServerStreamingSink<Reply>, F)>(1);
        let body = move || {
            let slot: Slot = slot; // until the stream has ended
            if let Ok((sink, feed)) = take.recv() {
                let mut stream = Stream::new(&slot.streams, sink, feed);
                let end = stream.run();
                stream.finish(end, &client);
            }
        };
        let name = format!("watch-{}", self.number.fetch_add(1, Ordering::Relaxed));
        match thread::Builder::new().name(name).stack_size(STACK).spawn(body) {
            Ok(_) => Ok(Opened { give }),
            Err(e) => Err(Refusal::NoThread(e.to_string())),
        }
    }

    /// How many run now.
    pub(crate) fn count(&self) -> usize {
        *self.running.lock()
    }

    /// Tells all streams to end with UNAVAILABLE.
    pub(crate) fn stop(&self) {
        drop(self.stop.lock().take());
    }

    /// Waits until all streams have ended; false when some have not by the deadline.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let mut running = self.running.lock();
        !self.one_ended.wait_while_until(&mut running, |n| *n > 0, deadline).timed_out()
    }
}

/// A thread that waits for its stream.
pub(crate) struct Opened<F> {
    give: Sender<(ServerStreamingSink<Reply>, F)>,
}

impl<F: Feed> Opened<F> {
    /// Starts the stream.
    pub(crate) fn start(self, sink: ServerStreamingSink<Reply>, feed: F) {
        // It fails only if the thread is gone, and then the dropped sink cancels the call.
        let _ = self.give.send((sink, feed));
    }
}

/// One of the streams that may run at once.
struct Slot {
    streams: Arc<Streams>,
}

impl Slot {
    fn take(streams: &Arc<Streams>) -> Option<Self> {
        let mut running = streams.running.lock();
        if *running >= streams.most {
            return None;
        }
        *running += 1;
        Some(Self { streams: Arc::clone(streams) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self.streams.running.lock() -= 1;
        self.streams.one_ended.notify_all();
    }
}

/// Why a stream ended.
enum End {
    /// The client cancelled, closed, died, or its deadline passed.
    ClientGone,
    /// The client has not taken a message for the time that it may take.
    ClientStuck,
    /// The daemon stops.
    Stopping,
}

type Step = fn(Pin<&mut ServerStreamingSink<Reply>>, &mut Context<'_>) -> Poll<grpcio::Result<()>>;

/// One stream.
struct Stream<'a, F> {
    streams: &'a Streams,
    subscription: Subscription,
    sink: ServerStreamingSink<Reply>,
    feed: F,
    waker: Waker,
    woken: Receiver<()>,
    headers_set: bool,
}

impl<'a, F: Feed> Stream<'a, F> {
    fn new(streams: &'a Streams, mut sink: ServerStreamingSink<Reply>, feed: F) -> Self {
        // A burst goes out in few writes: each message but the last is buffered in the core.
        sink.enhance_batch(true);
        let (waker, woken) = wait::channel();
        let subscription = streams.store.subscribe();
        Self { streams, subscription, sink, feed, waker, woken, headers_set: false }
    }

    /// Sends what there is, waits for more, until something ends it. After an error the sink must not be polled.
    fn run(&mut self) -> End {
        loop {
            let end = match self.send_next() {
                Ok(true) => continue,
                Ok(false) => self.drive(Sink::poll_flush).and_then(|()| self.idle()),
                Err(end) => Err(end),
            };
            if let Err(end) = end {
                return end;
            }
        }
    }

    /// Sends one message once the last one is gone; false where there is no news. What is sent is the newest state at
    /// the moment in which it can be sent, and while it waits only the encoded message is held.
    fn send_next(&mut self) -> Result<bool, End> {
        self.drive(Sink::poll_ready)?;
        let current = self.streams.store.current();
        let Some(message) = self.feed.next(&current) else { return Ok(false) };
        if !std::mem::replace(&mut self.headers_set, true) {
            if let Some(headers) = headers::of(&current) {
                self.sink.set_headers(headers);
            }
        }
        drop(current);
        let sent = Pin::new(&mut self.sink).start_send((message, WriteFlags::default()));
        sent.map(|()| true).map_err(|_| End::ClientGone)
    }

    /// Polls one step of the sink until it is through, the client is gone, or the time is up.
    fn drive(&mut self, step: Step) -> Result<(), End> {
        let mut deadline = None;
        loop {
            let mut context = Context::from_waker(&self.waker);
            match step(Pin::new(&mut self.sink), &mut context) {
                Poll::Ready(Ok(())) => return Ok(()),
                Poll::Ready(Err(_)) => return Err(End::ClientGone),
                Poll::Pending => {}
            }
            let now = Instant::now();
            let deadline = *deadline.get_or_insert(now + self.streams.send_timeout);
            if deadline <= now {
                return Err(End::ClientStuck);
            }
            select! {
                recv(self.woken) -> _ => {}
                recv(self.streams.stopped) -> _ => return Err(End::Stopping),
                default(deadline - now) => {}
            }
        }
    }

    /// Waits for a change, or for the end of the client: polling the sink has left our waker with both.
    fn idle(&mut self) -> Result<(), End> {
        let changed = self.subscription.changed();
        let mut context = Context::from_waker(&self.waker);
        if let Poll::Ready(Err(_)) = Pin::new(&mut self.sink).poll_ready(&mut context) {
            return Err(End::ClientGone);
        }
        select! {
            recv(changed) -> open => open.map_err(|_| End::Stopping),
            recv(self.woken) -> _ => Ok(()),
            recv(self.streams.stopped) -> _ => Err(End::Stopping),
        }
    }

    fn finish(mut self, end: End, client: &str) {
        self.feed.ended(match end {
            End::ClientGone | End::ClientStuck => RpcStatusCode::CANCELLED,
            End::Stopping => RpcStatusCode::UNAVAILABLE,
        });
        match end {
            End::ClientGone => {}
            // Dropping the sink cancels the call. A status would queue behind the data that the client does not read.
            End::ClientStuck => log::warn!(
                "cancelled a watch of {client}: it has not read for {} s (--watch-send-timeout)",
                self.streams.send_timeout.as_secs()
            ),
            End::Stopping => {
                let _ = wait::until(self.sink.fail(Refusal::Stopping.status()), Instant::now() + FAREWELL);
            }
        }
    }
}
