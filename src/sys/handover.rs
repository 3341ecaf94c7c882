//! Handing an accepted connection to the gRPC core.

use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;

/// Gives a connected stream to the gRPC server, which serves it and closes it.
pub fn hand_over(server: &mut grpcio::Server, stream: UnixStream) {
    let fd = stream.into_raw_fd();
    // SAFETY: `fd` is a connected stream socket, and `into_raw_fd` gave up the only owner, so nobody else reads,
    // writes or closes it from here on.
    unsafe { server.add_channel_from_fd(fd) }
}
