//! A call from the daemon to itself: the only proof that the thread of the completion queue does its work, since that
//! thread is the gRPC core's and cannot be asked.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use grpcio::{CallOption, ChannelBuilder, Client, Environment, Server};

use super::reply::{Request, HEALTH_CHECK};
use crate::sys::handover;

/// Asks for the server's health on a connection that lives as long as the call. Client and server are served by the
/// same queue; `answered` runs on its thread once the call is over, however it went.
///
/// # Errors
/// There is no socket to be had, or the core takes no call.
pub(super) fn make(
    environment: &Arc<Environment>,
    server: &mut Server,
    answered: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    handover::hand_over(server, theirs);
    let builder = ChannelBuilder::new(Arc::clone(environment)).use_local_subchannel_pool(true);
    let client = Client::new(handover::channel(builder, ours));
    let call = client.unary_call_async(&HEALTH_CHECK, &Request::default(), CallOption::default());
    let call = call.map_err(io::Error::other)?;
    client.spawn(async move {
        if let Err(e) = call.await {
            log::debug!("a call to ourselves: {e}");
        }
        answered();
    });
    Ok(())
}
