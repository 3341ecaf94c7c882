//! Whether the service manager's watchdog may be fed: only while every thread is alive.

use std::time::{Duration, Instant};

use crate::heartbeat::{Heartbeat, Heartbeats, Stuck};

/// The heartbeat of the gRPC core's completion queue.
const QUEUE: &str = "grpc";

/// Judges the heartbeats. `call` makes a call to ourselves that ends the work of the heartbeat it gets.
pub struct Watchdog<F> {
    beats: Heartbeats,
    limit: Duration,
    queue: Heartbeat,
    call: F,
    said: Vec<Stuck>,
}

impl<F: FnMut(Heartbeat)> Watchdog<F> {
    /// A thread is stuck after half of the watchdog's period.
    pub fn new(beats: &Heartbeats, period: Duration, call: F) -> Self {
        Self { beats: beats.clone(), limit: period / 2, queue: beats.add(QUEUE), call, said: Vec::new() }
    }

    /// True where all threads are alive. Otherwise the log says, once, which are not.
    pub fn all_alive(&mut self, now: Instant) -> bool {
        let stuck = self.beats.stuck(now, self.limit);
        let same = stuck.iter().map(|s| &s.name).eq(self.said.iter().map(|s| &s.name));
        if !same && stuck.is_empty() {
            log::warn!("all threads show signs of life again");
        } else if !same {
            let all: Vec<_> = stuck.iter().map(ToString::to_string).collect();
            log::error!("stuck: {}; the watchdog is not fed until this ends", all.join(", "));
        }
        self.said = stuck;
        if self.queue.is_waiting() {
            self.queue.work();
            (self.call)(self.queue.clone());
        }
        self.said.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(60);

    #[test]
    fn one_stuck_thread_is_enough() {
        let beats = Heartbeats::default();
        let mut dog = Watchdog::new(&beats, PERIOD, |queue| queue.rest(None));
        let thread = beats.add("reconciler");
        let now = Instant::now();
        thread.work();
        assert!(dog.all_alive(now));
        assert!(!dog.all_alive(now + PERIOD));
        thread.rest(Some(now + PERIOD));
        assert!(dog.all_alive(now + PERIOD));
        assert!(!dog.all_alive(now + PERIOD * 2));
    }

    #[test]
    fn a_queue_that_does_not_answer_is_stuck_and_not_asked_again() {
        let (beats, now) = (Heartbeats::default(), Instant::now());
        let mut calls = Vec::new();
        let mut dog = Watchdog::new(&beats, PERIOD, |queue| calls.push(queue));
        assert!(dog.all_alive(now));
        assert!(!dog.all_alive(now + PERIOD));
        assert_eq!(dog.said.first().map(|s| &*s.name), Some(QUEUE));
        dog.queue.rest(None); // the answer
        assert!(dog.all_alive(now + PERIOD));
        drop(dog);
        assert_eq!(calls.len(), 2);
    }
}
