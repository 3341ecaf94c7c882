//! How a source says what it knows: bounded sends that a stop can break off, and health that is told on change only.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam_channel::{select, Receiver, Sender};

use crate::heartbeat;
use crate::plain::plain;
use crate::store::contacts::Contacts;
use crate::store::update::{Health, HealthState, SourceId, Update};

/// The daemon is stopping: the source's thread ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// The sending end of one source.
#[derive(Debug)]
pub struct Reporter {
    source: SourceId,
    tx: Sender<Update>,
    stop: Receiver<()>,
    health: Option<Health>,
    contacts: Arc<Contacts>,
}

impl Reporter {
    /// A reporter for `source`. Whoever holds the other end of `stop` drops it to end the source.
    #[must_use]
    pub fn new(source: SourceId, tx: Sender<Update>, stop: Receiver<()>) -> Self {
        Self { source, tx, stop, health: None, contacts: Arc::default() }
    }

    /// Notes in `contacts` whenever the source answers or fails.
    #[must_use]
    pub fn noting(self, contacts: &Arc<Contacts>) -> Self {
        Self { contacts: Arc::clone(contacts), ..self }
    }

    /// The source answered. [`Reporter::health`] says so too.
    pub fn heard(&self) {
        self.contacts.heard(self.source, now_ms());
    }

    /// The channel on which the source hears that it has to end.
    #[must_use]
    pub fn stop(&self) -> &Receiver<()> {
        &self.stop
    }

    /// Sends one update. Waits while the channel is full: an update is a whole state, so the source has nothing
    /// better to do than to deliver it.
    ///
    /// # Errors
    /// [`Stopped`] when the daemon ends or nobody receives any more.
    pub fn send(&self, update: Update) -> Result<(), Stopped> {
        let _rest = heartbeat::rest(None);
        select! {
            send(self.tx, update) -> sent => sent.map_err(|_| Stopped),
            recv(self.stop) -> _ => Err(Stopped),
        }
    }

    /// The state that was told last.
    #[must_use]
    pub fn state(&self) -> Option<HealthState> {
        self.health.as_ref().map(|h| h.state)
    }

    /// Tells how the source is, if that differs from what was told last. True when a log line is due: the state
    /// changed, or an error came or went.
    ///
    /// # Errors
    /// [`Stopped`] when the daemon ends.
    pub fn health(&mut self, state: HealthState, error: &str, target: &str) -> Result<bool, Stopped> {
        if state == HealthState::Up {
            self.heard();
        }
        let error = &*plain(error.to_owned());
        let last = self.health.as_ref();
        if last.is_some_and(|h| h.state == state && h.error == error && h.target == target) {
            return Ok(false);
        }
        if !error.is_empty() {
            self.contacts.failed(self.source, error, now_ms());
        }
        let same_state = last.filter(|h| h.state == state).map(|h| h.since);
        let due = last.is_none_or(|h| h.state != state || h.error.is_empty() != error.is_empty());
        let since = same_state.unwrap_or_else(SystemTime::now);
        let health = Health { state, since, error: error.into(), target: target.into() };
        self.health = Some(health.clone());
        self.send(Update::Health(self.source, health))?;
        Ok(due)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_told_once_a_change() {
        let (tx, rx) = crossbeam_channel::bounded(8);
        let (_stop, stopped) = crossbeam_channel::bounded(0);
        let mut reporter = Reporter::new(SourceId::Runtime, tx, stopped);
        assert_eq!(reporter.health(HealthState::Down, "no answer", "/s"), Ok(true));
        assert_eq!(reporter.health(HealthState::Down, "no answer", "/s"), Ok(false));
        assert_eq!(reporter.health(HealthState::Down, "refused", "/s"), Ok(false));
        assert_eq!(reporter.health(HealthState::Up, "", "/s"), Ok(true));
        let told: Vec<_> = rx
            .try_iter()
            .filter_map(|u| match u {
                Update::Health(SourceId::Runtime, h) => Some((h.since, h.state, h.error)),
                _ => None,
            })
            .collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0].0, told[1].0, "the state did not change, so neither does its beginning");
        assert_eq!(told[1].2, "refused");
    }

    #[test]
    fn a_full_channel_does_not_outlive_the_stop() {
        let (tx, _rx) = crossbeam_channel::bounded(0);
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let reporter = Reporter::new(SourceId::File, tx, stopped);
        drop(stop);
        assert_eq!(reporter.send(Update::Manifests { source: SourceId::File, files: Vec::new() }), Err(Stopped));
    }
}
