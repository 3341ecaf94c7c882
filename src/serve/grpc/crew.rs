//! A thread that sends on many streams. It never waits for one of them: who cannot be written to is left alone until
//! the core says that it can, or until its time is up.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use crossbeam_channel::{at, bounded, never, select, Receiver, Sender, TryRecvError};
use parking_lot::Mutex;

use super::stream::{End, Stream, Turn};
use super::wait;
use crate::heartbeat;
use crate::store::Store;

/// How long clients get to take the last status when the daemon stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// Who is to be looked at: streams that the core has woken.
struct Woken {
    seats: Mutex<Vec<usize>>,
    nudge: Sender<()>,
}

/// Wakes one stream.
struct Bell {
    seat: usize,
    rung: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.woken.seats.lock().push(self.seat);
            let _ = self.woken.nudge.try_send(()); // full: a nudge is already waiting, and one is as good as many
        }
    }
}

/// A stream with its place on the thread.
struct Seat {
    stream: Stream,
    bell: Arc<Bell>,
    waker: Waker,
    /// It waits for its turn.
    queued: bool,
    /// It cannot be written to, and this is when its time is up.
    blocked: Option<Instant>,
}

/// The state of one thread.
pub(super) struct Crew {
    store: Arc<Store>,
    send_timeout: Duration,
    arrivals: Receiver<Stream>,
    stopped: Receiver<()>,
    /// How many streams it has been given and has not ended, for whoever gives it more.
    load: Arc<AtomicUsize>,
    woken: Arc<Woken>,
    nudged: Receiver<()>,
    /// A stream stays on its seat; free ones are taken again.
    seats: Vec<Option<Seat>>,
    /// Whose turn it is, in order.
    turns: VecDeque<usize>,
}

impl Crew {
    pub(super) fn new(
        store: Arc<Store>,
        send_timeout: Duration,
        arrivals: Receiver<Stream>,
        stopped: Receiver<()>,
        load: Arc<AtomicUsize>,
    ) -> Self {
        let (nudge, nudged) = bounded(1);
        let woken = Arc::new(Woken { seats: Mutex::default(), nudge });
        let (seats, turns) = (Vec::new(), VecDeque::new());
        Self { store, send_timeout, arrivals, stopped, load, woken, nudged, seats, turns }
    }

    /// Works until the server stops, or the store is closed.
    pub(super) fn run(mut self) {
        let subscription = self.store.subscribe();
        loop {
            if self.turns.is_empty() {
                match self.wait(subscription.changed()) {
                    News::Stop => break,
                    News::Change => self.queue_all(),
                    News::Arrival(stream) => self.seat(*stream),
                    News::Other => {}
                }
            }
            if subscription.changed().try_recv().is_ok() {
                self.queue_all();
            }
            while let Ok(stream) = self.arrivals.try_recv() {
                self.seat(stream);
            }
            let woken = std::mem::take(&mut *self.woken.seats.lock());
            woken.into_iter().for_each(|seat| self.queue(seat));
            self.round();
            if self.stopped.try_recv() == Err(TryRecvError::Disconnected) {
                break;
            }
        }
        self.say_farewell();
    }

    /// Waits until there is something to do.
    fn wait(&self, changed: &Receiver<()>) -> News {
        let time_up = self.seats.iter().flatten().filter_map(|seat| seat.blocked).min();
        let _rest = heartbeat::rest(time_up);
        select! {
            recv(changed) -> open => open.map_or(News::Stop, |()| News::Change),
            recv(self.nudged) -> _ => News::Other,
            recv(self.arrivals) -> stream => stream.map_or(News::Stop, |stream| News::Arrival(Box::new(stream))),
            recv(self.stopped) -> _ => News::Stop,
            recv(time_up.map_or_else(never, at)) -> _ => News::Other,
        }
    }

    /// Gives a stream a place and its first turn.
    fn seat(&mut self, stream: Stream) {
        let free = self.seats.iter().position(Option::is_none);
        let at = free.unwrap_or(self.seats.len());
        let bell = Arc::new(Bell { seat: at, rung: AtomicBool::new(false), woken: Arc::clone(&self.woken) });
        let waker = Waker::from(Arc::clone(&bell));
        let seat = Some(Seat { stream, bell, waker, queued: false, blocked: None });
        match self.seats.get_mut(at) {
            Some(place) => *place = seat,
            None => self.seats.push(seat),
        }
        self.queue(at);
    }

    fn queue_all(&mut self) {
        (0..self.seats.len()).for_each(|seat| self.queue(seat));
    }

    fn queue(&mut self, at: usize) {
        if let Some(Some(seat)) = self.seats.get_mut(at) {
            if !std::mem::replace(&mut seat.queued, true) {
                self.turns.push_back(at);
            }
        }
    }

    /// One turn for everybody who waits for one; then the end of those whose time is up.
    fn round(&mut self) {
        for _ in 0..self.turns.len() {
            let Some(at) = self.turns.pop_front() else { break };
            let Some(Some(seat)) = self.seats.get_mut(at) else { continue };
            seat.queued = false;
            seat.bell.rung.store(false, Ordering::Release); // before the turn: what wakes from here on counts
            let (progress, turn) = seat.stream.turn(&self.store, &seat.waker);
            if progress || turn != Turn::Blocked {
                seat.blocked = None;
            }
            match turn {
                Turn::Idle => {}
                Turn::More => self.queue(at),
                Turn::Blocked => seat.blocked = seat.blocked.or_else(|| Some(Instant::now() + self.send_timeout)),
                Turn::Gone => self.leave(at, End::ClientGone),
            }
        }
        let now = Instant::now();
        for at in 0..self.seats.len() {
            if matches!(self.seats.get(at), Some(Some(seat)) if seat.blocked.is_some_and(|until| until <= now)) {
                self.leave(at, End::ClientStuck(self.send_timeout));
            }
        }
    }

    fn leave(&mut self, at: usize, end: End) {
        if let Some(seat) = self.seats.get_mut(at).and_then(Option::take) {
            seat.stream.end(end);
            self.load.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells all clients that the daemon stops, and gives them a moment to hear it.
    fn say_farewell(self) {
        let late = self.arrivals.try_iter();
        let seated = self.seats.into_iter().flatten().map(|seat| seat.stream);
        let farewells: Vec<_> = seated.chain(late).map(Stream::say_farewell).collect();
        let deadline = Instant::now() + FAREWELL;
        for farewell in farewells {
            let _ = wait::until(farewell, deadline);
        }
    }
}

/// What a thread was waiting for.
enum News {
    /// A newer snapshot.
    Change,
    Arrival(Box<Stream>),
    /// Somebody was woken, or somebody's time is up.
    Other,
    Stop,
}
