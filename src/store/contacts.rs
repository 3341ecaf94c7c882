//! What is known of the sources beside the snapshots: when each last answered, what went wrong last, and how it was
//! found. It moves with every poll, and nobody needs to be woken for it.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::update::SourceId;

/// One source's part. Written by the source, read by whoever is asked about it.
#[derive(Debug, Default)]
struct Contact {
    /// Milliseconds since the epoch, 0 for never.
    heard_ms: AtomicU64,
    said: Mutex<Said>,
}

#[derive(Clone, Debug, Default)]
struct Said {
    found: String,
    trouble: Option<Trouble>,
}

/// What went wrong last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// In a person's words.
    pub error: String,
    /// Milliseconds since the epoch.
    pub at_ms: u64,
}

/// The contacts of all sources. The times come in as values.
#[derive(Debug, Default)]
pub struct Contacts {
    sources: [Contact; 6],
    distribution: Mutex<(String, String)>,
}

impl Contacts {
    /// The source answered.
    pub fn heard(&self, source: SourceId, now_ms: u64) {
        self.of(source, |c| c.heard_ms.store(now_ms, Ordering::Relaxed));
    }

    /// Something went wrong with the source.
    pub fn failed(&self, source: SourceId, error: &str, now_ms: u64) {
        self.of(source, |c| c.said.lock().trouble = Some(Trouble { error: error.into(), at_ms: now_ms }));
    }

    /// How the source's target was found.
    pub fn found(&self, source: SourceId, how: &str) {
        self.of(source, |c| {
            let mut said = c.said.lock();
            if said.found != how {
                how.clone_into(&mut said.found);
            }
        });
    }

    /// Which distribution the node was taken for, and why.
    pub fn took_for(&self, distribution: &str, why: &str) {
        *self.distribution.lock() = (distribution.into(), why.into());
    }

    /// When the source last answered, in milliseconds since the epoch; 0 for never.
    #[must_use]
    pub fn heard_ms(&self, source: SourceId) -> u64 {
        self.of(source, |c| c.heard_ms.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// What went wrong last with the source.
    #[must_use]
    pub fn trouble(&self, source: SourceId) -> Option<Trouble> {
        self.of(source, |c| c.said.lock().trouble.clone()).flatten()
    }

    /// How the source was found, in a person's words; empty where nobody said.
    #[must_use]
    pub fn how(&self, source: SourceId) -> String {
        self.of(source, |c| c.said.lock().found.clone()).unwrap_or_default()
    }

    /// The distribution and why the node was taken for it.
    #[must_use]
    pub fn distribution(&self) -> (String, String) {
        self.distribution.lock().clone()
    }

    fn of<T>(&self, source: SourceId, what: impl FnOnce(&Contact) -> T) -> Option<T> {
        self.sources.get(source as usize).map(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_its_own() {
        let contacts = Contacts::default();
        contacts.heard(SourceId::Checkpoint, 7);
        contacts.failed(SourceId::File, "gone", 8);
        contacts.found(SourceId::File, "named by --pod-manifest-path");
        assert_eq!((contacts.heard_ms(SourceId::Checkpoint), contacts.heard_ms(SourceId::File)), (7, 0));
        assert_eq!(contacts.trouble(SourceId::File), Some(Trouble { error: "gone".into(), at_ms: 8 }));
        assert_eq!(contacts.trouble(SourceId::Runtime), None);
        assert_eq!(contacts.how(SourceId::File), "named by --pod-manifest-path");
    }
}
