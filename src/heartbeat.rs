//! Signs of life: which of the daemon's threads are stuck.
//!
//! A thread that works has a limited time until it rests again. A thread that rests says until when: it is stuck when
//! it oversleeps by more than that limit. One that waits for an event without an end is alive. So a thread beats only
//! when it has something to do anyway, and being watched over costs no wake-up.
//!
//! What waits for a client (a watch, a long answer) is not watched over: clients may be slow.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Threads that are watched over at most. The daemon has some twenty; one more than this is served without a watch,
/// and the log says so.
const MOST: usize = 64;
/// In the place of a time: the thread has ended.
const ENDED: u64 = 0;
/// In the place of a time: it waits for an event.
const ENDLESS: u64 = u64::MAX;

/// The heartbeats of one daemon. Clones are the same registry.
#[derive(Clone, Debug)]
pub struct Heartbeats(Arc<Registry>);

#[derive(Debug)]
struct Registry {
    started: Instant,
    beats: Mutex<Vec<Heartbeat>>,
}

impl Default for Heartbeats {
    fn default() -> Self {
        Self(Arc::new(Registry { started: Instant::now(), beats: Mutex::default() }))
    }
}

impl Heartbeats {
    /// Watches over the calling thread from now on. A thread whose guard is dropped counts as dead: what is watched
    /// over has no other end than that of the daemon.
    #[must_use]
    pub fn enter(&self, name: &str) -> Watched {
        let beat = self.add(name);
        OWN.with(|own| own.replace(Some(beat.clone())));
        Watched { beat, _of_this_thread: PhantomData }
    }

    /// A heartbeat that belongs to no thread in particular. It rests until it is told to work.
    #[must_use]
    pub fn add(&self, name: &str) -> Heartbeat {
        let beat = Heartbeat { name: name.into(), started: self.0.started, due: Arc::new(AtomicU64::new(ENDLESS)) };
        let mut beats = self.0.beats.lock();
        if beats.len() < MOST {
            beats.push(beat.clone());
        } else {
            log::warn!("the watchdog does not see the thread {name}: it sees {MOST} at most");
        }
        beat
    }

    /// Those that have shown no sign of life for longer than `limit`.
    #[must_use]
    pub fn stuck(&self, now: Instant, limit: Duration) -> Vec<Stuck> {
        let now = since(self.0.started, now);
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let stuck = |beat: &Heartbeat| match beat.due.load(Ordering::Relaxed) {
            ENDED => Some(Stuck { name: Arc::clone(&beat.name), silent: None }),
            due if due.saturating_add(limit) < now => {
                Some(Stuck { name: Arc::clone(&beat.name), silent: Some(Duration::from_millis(now - due)) })
            }
            _ => None,
        };
        self.0.beats.lock().iter().filter_map(stuck).collect()
    }
}

/// One that does not live as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The thread.
    pub name: Arc<str>,
    /// How long nothing was heard of it; `None` when it has ended.
    pub silent: Option<Duration>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.silent {
            Some(silent) => write!(f, "{} has shown no sign of life for {} ms", self.name, silent.as_millis()),
            None => write!(f, "{} has ended", self.name),
        }
    }
}

/// One heartbeat.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    name: Arc<str>,
    started: Instant,
    /// Milliseconds after `started`: when the work began, or when the rest is to end.
    due: Arc<AtomicU64>,
}

impl Heartbeat {
    /// Work begins now.
    pub fn work(&self) {
        self.due.store(since(self.started, Instant::now()), Ordering::Relaxed);
    }

    /// Whether it waits for an event.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.due.load(Ordering::Relaxed) == ENDLESS
    }

    /// Rests until then; `None` waits for an event.
    pub fn rest(&self, until: Option<Instant>) {
        self.due.store(until.map_or(ENDLESS, |until| since(self.started, until)), Ordering::Relaxed);
    }
}

/// The calling thread is watched over while this lives.
#[derive(Debug)]
pub struct Watched {
    beat: Heartbeat,
    /// It stays on its thread.
    _of_this_thread: PhantomData<*const ()>,
}

impl Watched {
    /// Ends the watch without calling the thread dead: it has a reason to end.
    pub fn leave(self) {
        let beat = self.beat.clone();
        drop(self);
        beat.rest(None);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.beat.due.store(ENDED, Ordering::Relaxed);
        OWN.with(|own| own.replace(None));
    }
}

thread_local! {
    /// Where the thread beats; `None` where nobody watches over it.
    static OWN: RefCell<Option<Heartbeat>> = const { RefCell::new(None) };
}

/// The calling thread rests while the guard lives: until then, or for an event where there is no time. Does nothing
/// on a thread that is not watched over.
#[must_use]
pub fn rest(until: Option<Instant>) -> Rest {
    OWN.with(|own| {
        if let Some(beat) = &*own.borrow() {
            beat.rest(until);
        }
    });
    Rest { _of_this_thread: PhantomData }
}

/// A rest; work begins when it is dropped.
#[derive(Debug)]
pub struct Rest {
    _of_this_thread: PhantomData<*const ()>,
}

impl Drop for Rest {
    fn drop(&mut self) {
        OWN.with(|own| {
            if let Some(beat) = &*own.borrow() {
                beat.work();
            }
        });
    }
}

/// Milliseconds from the one to the other, as a time that is neither [`ENDED`] nor [`ENDLESS`].
fn since(started: Instant, at: Instant) -> u64 {
    let passed = at.saturating_duration_since(started).as_millis();
    u64::try_from(passed).unwrap_or(ENDLESS).clamp(ENDED + 1, ENDLESS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use std::thread;

    const LIMIT: Duration = Duration::from_secs(5);
    const MINUTE: Duration = Duration::from_secs(60);

    fn names(beats: &Heartbeats, now: Instant) -> Vec<String> {
        beats.stuck(now, LIMIT).iter().map(|s| s.name.to_string()).collect()
    }

    #[test]
    fn work_has_a_limit_and_a_rest_an_end() {
        let (beats, now) = (Heartbeats::default(), Instant::now());
        let [busy, sleeper, waiter] = ["busy", "sleeper", "waiter"].map(|name| beats.add(name));
        busy.work();
        sleeper.rest(Some(now + MINUTE));
        waiter.rest(None);
        assert_eq!(names(&beats, now), [""; 0]);
        assert_eq!(names(&beats, now + MINUTE), ["busy"]);
        assert_eq!(names(&beats, now + MINUTE * 2), ["busy", "sleeper"]);
        busy.rest(None);
        sleeper.rest(Some(now + MINUTE * 2));
        assert_eq!(names(&beats, now + MINUTE * 2), [""; 0]);
    }

    #[test]
    fn a_thread_that_ended_is_dead_and_one_that_left_is_not() {
        let beats = Heartbeats::default();
        for leaves in [false, true] {
            let beats = beats.clone();
            let work = move || {
                let watched = beats.enter(if leaves { "left" } else { "died" });
                leaves.then(|| watched.leave())
            };
            thread::spawn(work).join().unwrap();
        }
        let stuck = beats.stuck(Instant::now(), LIMIT);
        assert_eq!(stuck.iter().map(ToString::to_string).collect::<Vec<_>>(), ["died has ended"]);
    }

    #[test]
    fn rests_are_those_of_the_thread_that_rests() {
        let beats = Heartbeats::default();
        let (go, told) = bounded::<()>(0);
        let (ready, is_ready) = bounded::<()>(0);
        let inner = beats.clone();
        let other = thread::spawn(move || {
            let _watched = inner.enter("other");
            let _ = rest(None); // over at once: it works from now on
            ready.send(()).unwrap();
            told.recv().unwrap_err();
        });
        is_ready.recv().unwrap();
        let _mine = beats.enter("mine");
        let _rest = rest(None);
        let _inner = rest(Some(Instant::now() + MINUTE)); // of a function that was called
        assert_eq!(names(&beats, Instant::now() + MINUTE / 2), ["other"]);
        drop(go);
        other.join().unwrap();
    }

    #[test]
    fn there_is_an_end_to_it() {
        let beats = Heartbeats::default();
        let all: Vec<_> = (0..MOST + 1).map(|n| beats.add(&n.to_string())).collect();
        all.iter().for_each(Heartbeat::work);
        assert_eq!(beats.stuck(Instant::now() + MINUTE, LIMIT).len(), MOST);
        let _rest = rest(None); // on a thread that nobody watches over
    }
}
