//! One owner of all state: merges what the sources say, publishes snapshots, tells watchers. Pure but for the lock
//! around the current snapshot.

pub mod snapshot;
pub mod update;
