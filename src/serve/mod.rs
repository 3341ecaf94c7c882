//! Snapshots turned into protocols.

pub mod accept;
pub mod bucket;
pub mod connections;
pub mod error;
mod export;
pub mod grpc;
pub mod http;
pub mod metrics;
pub mod owned_socket;
pub mod peer;
mod preface;
mod quiet;
mod slots;
pub mod tcp;

pub use accept::{AcceptOptions, Acceptor, Protocol};
pub use error::ServeError;
pub use owned_socket::{OwnedSocket, SocketOptions};
pub use peer::Peer;
