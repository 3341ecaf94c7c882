//! Calls of somebody else's gRPC service, made one after another. Messages stay bytes, and every wait has an end.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crossbeam_channel::{at, select, Receiver};
use futures_util::Stream;
use grpcio::{CallOption, Channel, ClientSStreamReceiver, MethodType};

use crate::bell;
use crate::heartbeat;
use crate::raw_message::{self, RawMethod};

/// The method of this name. Unary ones are called as server-streaming ones, too, which is the same on the wire:
/// grpcio's unary receiver panics on a reply that is OK and holds no message.
pub(super) const fn raw(name: &'static str) -> RawMethod {
    raw_message::method(MethodType::ServerStreaming, name)
}

/// Why a call brings no more messages.
#[derive(Debug)]
pub(super) enum Broken {
    /// The daemon is stopping.
    Stopped,
    /// What gRPC says.
    Failed(grpcio::Error),
}

/// What a wait brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A message.
    Message(Vec<u8>),
    /// There are no more.
    End,
    /// The time is up.
    Nothing,
}

/// Makes calls over one channel.
pub(super) struct Caller {
    channel: Channel,
    stop: Receiver<()>,
    /// For all calls: whoever waits looks at its own call first, so that it misses nothing if it is woken for another.
    waker: Waker,
    woken: Receiver<()>,
}

impl Caller {
    /// Waits break off when `stop` closes.
    pub(super) fn new(channel: Channel, stop: Receiver<()>) -> Self {
        let (waker, woken) = bell::new();
        Self { channel, stop, waker, woken }
    }

    /// Begins a call.
    ///
    /// # Errors
    /// The core takes no call.
    pub(super) fn call(
        &self,
        method: &RawMethod,
        request: &Vec<u8>,
        option: CallOption,
    ) -> grpcio::Result<Replies<'_>> {
        let stream = grpcio::Client::new(self.channel.clone()).server_streaming(method, request, option)?;
        Ok(Replies { caller: self, stream })
    }
}

/// The messages of one call. Dropping it cancels the call.
pub(super) struct Replies<'c> {
    caller: &'c Caller,
    stream: ClientSStreamReceiver<Vec<u8>>,
}

impl Replies<'_> {
    /// Waits for the next message, until then at most.
    ///
    /// # Errors
    /// [`Broken`].
    pub(super) fn next(&mut self, until: Instant) -> Result<Next, Broken> {
        loop {
            let mut context = Context::from_waker(&self.caller.waker);
            match Pin::new(&mut self.stream).poll_next(&mut context) {
                Poll::Ready(Some(Ok(message))) => return Ok(Next::Message(message)),
                Poll::Ready(Some(Err(e))) => return Err(Broken::Failed(e)),
                Poll::Ready(None) => return Ok(Next::End),
                Poll::Pending => {}
            }
            let _rest = heartbeat::rest(Some(until));
            select! {
                recv(self.caller.woken) -> _ => {}
                recv(self.caller.stop) -> _ => return Err(Broken::Stopped),
                recv(at(until)) -> _ => return Ok(Next::Nothing),
            }
        }
    }
}

impl Drop for Replies<'_> {
    fn drop(&mut self) {
        self.stream.cancel();
    }
}
