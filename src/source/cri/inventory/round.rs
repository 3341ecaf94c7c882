//! One look at all objects of one kind: what is kept from the last one, and what has to be asked about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::source::cri::client::CallError;
use crate::source::cri::digest::Item;

/// An answer that lacked something is asked for again after this long, and then twice as long each time.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(10);

/// What is known of one object.
#[derive(Debug)]
pub(super) struct Known<T> {
    /// Of the list entry.
    digest: u64,
    /// As it was seen last.
    pub(super) value: Arc<T>,
    /// Its status has to be asked for again then, and the wait before that.
    retry: Option<(Instant, Duration)>,
    /// The time was up before it was its turn: the next round begins with it.
    pub(super) unreached: bool,
    /// What in the last answer about it made no sense.
    pub(super) complaint: Option<String>,
}

impl<T> Known<T> {
    /// Whether it has to be asked about whatever the lists say.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.unreached || self.retry.is_some_and(|(at, _)| at <= now)
    }
}

/// What asking about one object brought.
pub(super) struct Asked<T> {
    /// `None`: nothing is known about it, or it is gone.
    pub(super) value: Option<T>,
    /// That is all there is to know.
    pub(super) complete: bool,
    /// What made no sense.
    pub(super) complaint: Option<String>,
}

impl<T> Asked<T> {
    /// The runtime listed it and does not have it any more.
    pub(super) const GONE: Self = Self { value: None, complete: true, complaint: None };

    /// An answer that is no use; `value` is the best that is known.
    pub(super) fn broken(value: Option<T>, complaint: String) -> Self {
        Self { value, complete: false, complaint: Some(complaint) }
    }
}

/// A look at all objects of one kind.
pub(super) struct Round<'a, T> {
    before: &'a HashMap<String, Known<T>>,
    due: Vec<Item<'a>>,
    /// What is known after it.
    pub(super) now: HashMap<String, Known<T>>,
    /// About objects of which nothing is known.
    pub(super) complaints: Vec<String>,
}

impl<'a, T: PartialEq> Round<'a, T> {
    /// Keeps what is unchanged in the list (or is `over` and never changes again); the rest is due.
    pub(super) fn new(
        items: Vec<Item<'a>>,
        before: &'a HashMap<String, Known<T>>,
        now: Instant,
        over: impl Fn(&T) -> bool,
    ) -> Self {
        let mut round =
            Self { before, due: Vec::new(), now: HashMap::with_capacity(items.len()), complaints: Vec::new() };
        for item in items {
            let kept = before.get(item.id).filter(|k| {
                let same = k.digest == item.digest && !k.is_due(now);
                same || (k.retry.is_none() && !k.unreached && over(&k.value))
            });
            match kept {
                Some(k) => {
                    let (value, complaint) = (Arc::clone(&k.value), k.complaint.clone());
                    let kept = Known { digest: item.digest, value, retry: k.retry, unreached: false, complaint };
                    round.now.insert(item.id.to_string(), kept);
                }
                None => round.due.push(item),
            }
        }
        round
    }

    /// Asks about those that are due: with `first` those that the last round did not reach, then the others.
    ///
    /// # Errors
    /// What `ask` says.
    pub(super) fn ask(
        &mut self,
        first: bool,
        in_time: impl Fn() -> bool,
        ask: impl Fn(&Item<'a>, Option<&T>) -> Result<Asked<T>, CallError>,
        listed: impl Fn(&Item<'a>) -> Result<T, String>,
    ) -> Result<(), CallError> {
        let turn = |item: &Item<'_>| self.before.get(item.id).is_some_and(|k| k.unreached) == first;
        let (mine, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.due).into_iter().partition(turn);
        self.due = later;
        for item in mine {
            if in_time() {
                let asked = ask(&item, self.before.get(item.id).map(|k| &*k.value))?;
                self.take(&item, asked);
            } else {
                self.leave(&item, &listed);
            }
        }
        Ok(())
    }

    fn take(&mut self, item: &Item<'_>, asked: Asked<T>) {
        let Asked { value, complete, complaint } = asked;
        let Some(value) = value else {
            self.complaints.extend(complaint);
            return;
        };
        let known = self.before.get(item.id);
        let wait = match known.and_then(|k| k.retry) {
            Some((_, wait)) => (wait * 2).min(RETRY_LAST),
            None => RETRY_FIRST,
        };
        let value = match known {
            Some(k) if *k.value == value => Arc::clone(&k.value),
            _ => Arc::new(value),
        };
        let retry = (!complete).then(|| (Instant::now() + wait, wait));
        let now = Known { digest: item.digest, value, retry, unreached: false, complaint };
        self.now.insert(item.id.to_string(), now);
    }

    /// What is known stays as it was; of what is new, the list has something to say.
    fn leave(&mut self, item: &Item<'a>, listed: impl Fn(&Item<'a>) -> Result<T, String>) {
        let known = self.before.get(item.id);
        let value = match known {
            Some(k) => Ok(Arc::clone(&k.value)),
            None => listed(item).map(Arc::new),
        };
        match value {
            Ok(value) => {
                let (retry, complaint) = (known.and_then(|k| k.retry), known.and_then(|k| k.complaint.clone()));
                let now = Known { digest: item.digest, value, retry, unreached: true, complaint };
                self.now.insert(item.id.to_string(), now);
            }
            Err(complaint) => self.complaints.push(complaint),
        }
    }
}
