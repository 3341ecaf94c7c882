//! Every order in which a publisher and a watcher can take their steps. Each step holds one lock at most once, so
//! orders of whole steps are all there is.

use super::*;

/// What the publisher does in one step.
#[derive(Clone, Copy, Debug)]
enum Publish {
    Replace(u64),
    Wake,
    Close,
}

/// What a watcher does at its start; then it waits for a wake-up, reads, and waits again.
#[derive(Clone, Copy, Debug)]
enum Start {
    Subscribe,
    Read,
}

struct Reader {
    start: &'static [Start],
    subscription: Option<Subscription>,
    /// Revision that it read last.
    read: u64,
    woken: bool,
    ended: bool,
}

impl Reader {
    /// Takes one step; false where it waits for a wake-up and there is none.
    fn step(&mut self, store: &Arc<Store>) -> bool {
        if let Some((first, rest)) = self.start.split_first() {
            self.start = rest;
            match first {
                Start::Subscribe => self.subscription = Some(store.subscribe()),
                Start::Read => self.read = store.current().revision,
            }
            return true;
        }
        if std::mem::take(&mut self.woken) {
            self.read = store.current().revision;
            return true;
        }
        let Some(subscription) = self.subscription.as_ref().filter(|_| !self.ended) else { return false };
        match subscription.changed().try_recv() {
            Ok(()) => self.woken = true,
            Err(crossbeam_channel::TryRecvError::Disconnected) => self.ended = true,
            Err(crossbeam_channel::TryRecvError::Empty) => return false,
        }
        true
    }
}

/// Plays all orders. Returns how many there are, and how many of them leave the reader behind for good.
fn play(publisher: &[Publish], start: &'static [Start]) -> (usize, usize) {
    let (mut all, mut lost) = (0, 0);
    // An order is told by who takes each step; every order is a path in a tree that is walked depth first.
    let mut open: Vec<Vec<bool>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let store = Store::new(Snapshot::empty(1));
        let mut reader = Reader { start, subscription: None, read: 0, woken: false, ended: false };
        let mut todo = publisher.iter();
        let mut possible = true;
        for publishes in &path {
            possible = match publishes {
                true => match todo.next() {
                    Some(Publish::Replace(revision)) => {
                        store.replace(Arc::new(Snapshot::empty(*revision)));
                        true
                    }
                    Some(Publish::Wake) => {
                        store.wake();
                        true
                    }
                    Some(Publish::Close) => {
                        store.close();
                        true
                    }
                    None => false,
                },
                false => reader.step(&store),
            };
        }
        if !possible {
            continue;
        }
        let over = todo.len() == 0 && reader.start.is_empty() && !reader.woken;
        let waits = reader.ended || reader.subscription.as_ref().is_some_and(|s| s.changed().is_empty());
        let closed = store.closed() && !reader.ended;
        if over && waits && !closed {
            all += 1;
            lost += usize::from(reader.read != store.current().revision);
            continue;
        }
        for next in [true, false] {
            open.push(path.iter().copied().chain([next]).collect());
        }
    }
    (all, lost)
}

const RIGHT: &[Start] = &[Start::Subscribe, Start::Read];

#[test]
fn no_wake_up_is_lost_in_any_order() {
    use Publish::{Close, Replace, Wake};
    let (all, lost) = play(&[Replace(2), Wake, Replace(3), Wake], RIGHT);
    assert!(all > 20, "only {all} orders were played");
    assert_eq!(lost, 0);
    let (all, lost) = play(&[Replace(2), Wake, Close], RIGHT);
    assert!(all > 10, "only {all} orders were played");
    assert_eq!(lost, 0, "what was published before the end is read before it");
}

#[test]
fn the_test_finds_orders_that_lose_wake_ups() {
    use Publish::{Replace, Wake};
    let (_, lost) = play(&[Wake, Replace(2)], RIGHT);
    assert!(lost > 0, "waking before the news is there loses it");
    let (_, lost) = play(&[Replace(2), Wake], &[Start::Read, Start::Subscribe]);
    assert!(lost > 0, "subscribing after reading loses what came between");
}
