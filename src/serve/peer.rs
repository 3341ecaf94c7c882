//! Who is at the other end of a connection.

use std::sync::Arc;

use crate::sys::peer::PeerCred;

/// Who is at the other end of a connection, and where it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The process that connected.
    pub cred: PeerCred,
    /// Path of the socket it connected to (or the name of an inherited one).
    pub listener: Arc<str>,
}
