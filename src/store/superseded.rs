//! What a silent source said last, and another has known better since.
//!
//! A kubelet and the API server know the same pods. Each falls silent at times (the API server rests for as long as a
//! kubelet answers, which may be weeks), and what it said last stays. A pod that ended meanwhile must not come back
//! when the one that told of its end falls silent in turn.

use std::collections::{BTreeMap, BTreeSet};

use super::remote::RemotePods;
use super::update::SourceId;

/// UIDs of pods that count no more, by the silent source that named them.
#[derive(Debug, Default)]
pub struct Superseded {
    pods: BTreeMap<SourceId, BTreeSet<String>>,
}

impl Superseded {
    /// `known` is what another source knows now, and `last` what `source` said before it fell silent.
    pub fn note(&mut self, source: SourceId, last: &RemotePods, known: &RemotePods) {
        let gone = last.of_api().map(|(uid, _)| uid).filter(|uid| !known.pods.contains_key(*uid));
        self.pods.insert(source, gone.cloned().collect());
    }

    /// The source has spoken again: all that it says counts.
    pub fn forget(&mut self, source: SourceId) {
        self.pods.remove(&source);
    }

    /// Whether the last word of `source` about this pod counts no more.
    #[must_use]
    pub fn contains(&self, source: SourceId, uid: &str) -> bool {
        self.pods.get(&source).is_some_and(|pods| pods.contains(uid))
    }
}
