//! The pods that a query selects, one after the other.

use std::sync::Arc;

use super::parse::Query;
use super::pod::Pod;
use super::view::PodView;
use crate::store::snapshot::Snapshot;

/// All pods of one snapshot that a query selects, made one at a time: whoever streams them holds one.
#[derive(Debug)]
pub struct Export {
    snapshot: Arc<Snapshot>,
    query: Query,
    at: usize,
}

impl Export {
    /// The pods of this snapshot that `query` selects, in the order of their UIDs.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>, query: Query) -> Self {
        Self { snapshot, query, at: 0 }
    }
}

impl Iterator for Export {
    type Item = Pod;

    fn next(&mut self) -> Option<Pod> {
        while let Some(entry) = self.snapshot.pods.get(self.at) {
            self.at += 1;
            let view = PodView::of(entry);
            if self.query.selects(&view) {
                return Some(Pod::of_view(&view, entry, self.snapshot.ended(&entry.id.uid)));
            }
        }
        None
    }
}
