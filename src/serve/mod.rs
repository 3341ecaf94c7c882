//! Snapshots turned into protocols.
