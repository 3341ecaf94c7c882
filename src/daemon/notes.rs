//! What is written down of the owner's work: for the checkpoint, for the next start, for those who ask what happened.

use std::sync::Arc;

use super::owner::{self, Bystander};
use crate::checkpoint::Manifests;
use crate::store::events::Events;
use crate::store::snapshot::Snapshot;
use crate::store::update::Update;

/// Takes notes on the owner's thread.
pub struct Notes {
    /// The last good manifests.
    pub manifests: Manifests,
    /// What happened to the pods.
    pub events: Arc<Events>,
}

impl Bystander for Notes {
    fn heard(&mut self, update: &Update) {
        self.manifests.note(update);
    }

    fn publishing(&mut self, snapshot: &Arc<Snapshot>) {
        self.events.observe(snapshot, owner::wall_seconds());
    }
}
