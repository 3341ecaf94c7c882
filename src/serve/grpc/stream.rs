//! Server streams: one thread each, which ends with its client.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{at, bounded, never, select, Receiver, Sender, TryRecvError};
use futures_util::Sink;
use grpcio::{RpcStatus, RpcStatusCode, ServerStreamingSink, WriteFlags};

use super::feed::Feed;
use super::headers;
use super::refusal::Refusal;
use super::reply::Reply;
use super::wait;
use crate::bell;
use crate::serve::slots::Slots;
use crate::store::Store;

/// Cancelling and failing run C++ on the thread; the memory is virtual until it is used.
const STACK: usize = 128 * 1024;
/// Messages in a row before the thread looks whether it has to stop.
const IN_A_ROW: usize = 16;
/// What a stream leaves to each of the others before it hears of the next change: what came by then goes out in one go,
/// for one wake-up. A few watchers wait for nothing, many for a little while.
const FOR_EACH_OTHER: Duration = Duration::from_micros(400);
/// Rests that are too short to be worth a wake-up, and the longest one.
const LEAST_REST: Duration = Duration::from_millis(2);
const MOST_REST: Duration = Duration::from_millis(40);
/// How long a client gets to take the last status when the daemon stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// All streams of a server.
pub(crate) struct Streams {
    store: Arc<Store>,
    slots: Arc<Slots>,
    send_timeout: Duration,
    number: AtomicU64,
}

impl Streams {
    pub(crate) fn new(store: &Arc<Store>, slots: &Arc<Slots>, send_timeout: Duration) -> Self {
        let (store, slots) = (Arc::clone(store), Arc::clone(slots));
        Self { store, slots, send_timeout, number: AtomicU64::new(1) }
    }

    /// A thread for one stream, which starts when it is given the sink. `client` names the peer in the log.
    ///
    /// # Errors
    /// Too many run, or there is no thread to be had.
    pub(crate) fn open<F: Feed>(&self, client: String) -> Result<Opened<F>, Refusal> {
        let slot = self.slots.take().ok_or(Refusal::TooManyWatchers(self.slots.most()))?;
        // One place, for one stream: never full.
        let (give, take) = bounded::<(ServerStreamingSink<Reply>, F)>(1);
        let (store, slots, send_timeout) = (Arc::clone(&self.store), Arc::clone(&self.slots), self.send_timeout);
        let body = move || {
            let _slot = slot; // until the stream has ended
            let given = take.recv();
            drop(take); // a channel is not small, and the thread may live long
            if let Ok((sink, feed)) = given {
                let mut stream = Stream::new(sink, feed, client);
                match stream.run(&store, &slots, send_timeout) {
                    End::Stopping => stream.say_farewell(),
                    end => stream.end(end),
                }
            }
        };
        let name = format!("watch-{}", self.number.fetch_add(1, Ordering::Relaxed));
        match thread::Builder::new().name(name).stack_size(STACK).spawn(body) {
            Ok(_) => Ok(Opened { give }),
            Err(e) => Err(Refusal::NoThread(e.to_string())),
        }
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

/// Why a stream ended.
enum End {
    /// The client cancelled, closed, died, or its deadline passed.
    ClientGone,
    /// The client has not taken a message for the time that it may take.
    ClientStuck(Duration),
    /// The daemon stops.
    Stopping,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The client knows everything.
    Idle,
    /// There is more.
    More,
    /// The core takes nothing now. It wakes the stream when it does.
    Blocked,
    /// There is no client any more, or it has been told everything.
    Gone,
}

/// One stream.
struct Stream<F> {
    sink: ServerStreamingSink<Reply>,
    feed: F,
    client: String,
    headers_set: bool,
    /// The last status is on its way; nothing else may be done with the sink.
    closing: bool,
}

impl<F: Feed> Stream<F> {
    fn new(mut sink: ServerStreamingSink<Reply>, feed: F, client: String) -> Self {
        // A burst goes out in few writes: each message but the last is buffered in the core.
        sink.enhance_batch(true);
        Self { sink, feed, client, headers_set: false, closing: false }
    }

    /// The work of the thread, until the stream ends.
    fn run(&mut self, store: &Arc<Store>, slots: &Slots, send_timeout: Duration) -> End {
        let stopped = slots.stopped();
        let (waker, rung) = bell::new();
        let subscription = store.subscribe();
        // Since when the client takes nothing, as the time at which its time is up.
        let mut time_up: Option<Instant> = None;
        // Whether anything was sent since the last rest.
        let mut sent = false;
        loop {
            let (progress, turn) = self.turn(store, &waker);
            sent |= progress;
            if progress || turn != Turn::Blocked {
                time_up = None;
            }
            // A stream that is blocked or rests need not hear of changes: what it sends next is the newest by then.
            let quiet = never();
            let mut rested = None;
            let changed = match turn {
                Turn::Gone => return End::ClientGone,
                Turn::More if !is_closed(stopped) => continue,
                Turn::More => return End::Stopping,
                Turn::Idle => {
                    rested = std::mem::take(&mut sent).then(|| rest(slots.count())).flatten();
                    if rested.is_some() {
                        &quiet
                    } else {
                        subscription.changed()
                    }
                }
                Turn::Blocked => {
                    time_up = time_up.or_else(|| Some(Instant::now() + send_timeout));
                    &quiet
                }
            };
            select! {
                recv(changed) -> open => if open.is_err() { return End::Stopping },
                recv(rung) -> _ => {}
                recv(stopped) -> _ => return End::Stopping,
                recv(time_up.map_or_else(never, at)) -> _ => return End::ClientStuck(send_timeout),
                recv(rested.map_or_else(never, |rest| at(Instant::now() + rest))) -> _ => {}
            }
        }
    }

    /// Sends what there is, within reason; whether anything was sent, and how it stands. What is sent is the newest
    /// state at the moment in which it can be sent, and while the core is busy only the encoded message is held. The
    /// core wakes `waker` when it is ready for more and when the client is gone.
    fn turn(&mut self, store: &Store, waker: &Waker) -> (bool, Turn) {
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
    fn end(mut self, end: End) {
        if !self.closing {
            self.feed.ended(RpcStatusCode::CANCELLED);
        }
        // Dropping the sink cancels the call. A status would queue behind the data that the client does not read.
        if let End::ClientStuck(time) = end {
            let (client, seconds) = (&self.client, time.as_secs());
            log::warn!("cancelled a watch of {client}: it has not read for {seconds} s (--watch-send-timeout)");
        }
    }

    /// Tells the client that the daemon stops, and gives it a moment to hear it.
    fn say_farewell(mut self) {
        if !self.closing {
            self.feed.ended(RpcStatusCode::UNAVAILABLE);
            wait::until(self.sink.fail(Refusal::Stopping.status()), Instant::now() + FAREWELL);
        }
    }
}

/// How long a stream rests that has sent something, beside so many streams in all.
fn rest(streams: usize) -> Option<Duration> {
    let others = u32::try_from(streams.saturating_sub(1)).unwrap_or(u32::MAX);
    Some(FOR_EACH_OTHER.saturating_mul(others).min(MOST_REST)).filter(|rest| *rest >= LEAST_REST)
}

/// Whether the other end has been dropped.
fn is_closed(stopped: &Receiver<()>) -> bool {
    stopped.try_recv() == Err(TryRecvError::Disconnected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rest_never_and_many_for_a_while() {
        assert_eq!([0, 1, 5].map(rest), [None; 3]);
        assert_eq!(rest(51), Some(Duration::from_millis(20)));
        assert_eq!([201, 100_000].map(rest), [Some(MOST_REST); 2]);
    }
}
