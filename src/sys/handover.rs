//! Handing connected sockets to the gRPC core, at either end.

use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;

/// Gives a connected stream to the gRPC server, which serves it and closes it.
pub fn hand_over(server: &mut grpcio::Server, stream: UnixStream) {
    let fd = stream.into_raw_fd();
    // SAFETY: `fd` is a connected stream socket, and `into_raw_fd` gave up the only owner, so nobody else reads,
    // writes or closes it from here on.
    unsafe { server.add_channel_from_fd(fd) }
}

/// A client's channel over a connected stream, which it owns and closes. It does not connect again.
pub fn channel(builder: grpcio::ChannelBuilder, stream: UnixStream) -> grpcio::Channel {
    let fd = stream.into_raw_fd();
    // SAFETY: as above.
    unsafe { builder.connect_from_fd("nodepods", fd) }
}
