//! A request on a thread of its own, so that a stop need not wait for a slow server.

use std::thread;

use crossbeam_channel::{bounded, select, Receiver};

use super::abort::Abort;
use crate::heartbeat;
use crate::source::reporter::Stopped;

/// Of the thread that asks. A TLS handshake needs most of it.
const STACK: usize = 512 << 10;

/// Does `work` on a thread called `name` and waits for what it brings; the error is for a person. When `stop` closes,
/// the request is broken off.
///
/// # Errors
/// [`Stopped`] when the daemon ends.
pub fn run<T: Send + 'static>(
    name: &str,
    stop: &Receiver<()>,
    work: impl FnOnce(&Abort) -> Result<T, String> + Send + 'static,
) -> Result<Result<T, String>, Stopped> {
    let abort = Abort::default();
    let theirs = abort.clone();
    // One message is all that ever comes; where nobody waits for it any more, it is dropped with the channel.
    let (tx, answer) = bounded(1);
    let started = thread::Builder::new().name(name.into()).stack_size(STACK).spawn(move || {
        let _ = tx.send(work(&theirs));
    });
    if let Err(e) = started {
        return Ok(Err(format!("no thread for the request: {e}")));
    }
    let _rest = heartbeat::rest(None); // a request has time limits of its own
    select! {
        recv(answer) -> got => Ok(got.unwrap_or_else(|_| Err("the request ended without a word".into()))),
        recv(stop) -> _ => {
            abort.abort();
            Err(Stopped)
        }
    }
}
