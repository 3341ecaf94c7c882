//! One owner of all state: merges what the sources say, publishes snapshots, tells watchers. Pure but for the lock
//! around the current snapshot.

pub mod checkpoint;
pub mod contacts;
mod container_hash;
mod declared;
mod ended;
pub mod events;
pub mod handle;
mod identity;
mod listing;
pub mod locate;
mod look;
pub mod masked;
pub mod narrow;
pub mod now;
mod object_meta;
pub mod paging;
pub mod past;
mod readiness;
pub mod reconcile;
mod record;
mod remote;
pub mod revision;
mod runtime_view;
pub mod snapshot;
mod sources;
mod superseded;
#[cfg(test)]
pub(crate) mod testing;
mod unnamed;
pub mod update;
pub mod watch;

pub use handle::{Store, Subscription};
pub use snapshot::Ended;
