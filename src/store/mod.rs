//! One owner of all state: merges what the sources say, publishes snapshots, tells watchers. Pure but for the lock
//! around the current snapshot.

pub mod handle;
pub mod masked;
pub mod paging;
pub mod snapshot;
pub mod update;
pub mod watch;

pub use handle::{Store, Subscription};
