//! Signals as orders. One thread reads them; the others have them blocked.

use std::thread;

use crossbeam_channel::{bounded, Receiver, TrySendError};

use super::error::DaemonError;
use crate::sys::process;
use crate::sys::signal::{self, Signal};

/// Exit code after a second ^C: 128 and the number of SIGINT, as a shell would say.
const INTERRUPTED: i32 = 130;

/// What the daemon is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// End orderly.
    Stop(Signal),
    /// Look at the manifests again now.
    Reload,
}

/// Starts the thread that reads signals. A second SIGINT ends the process at once, whatever hangs.
///
/// # Errors
/// The thread cannot be started.
pub fn start() -> Result<Receiver<Order>, DaemonError> {
    // Four places: when they are full, the daemon has orders enough, and another of the same kind would change
    // nothing, so it is dropped.
    let (tx, rx) = bounded(4);
    let name = "signals";
    thread::Builder::new()
        .name(name.into())
        .stack_size(64 * 1024)
        .spawn(move || {
            let mut stopping = false;
            loop {
                let order = match signal::wait() {
                    Ok(Signal::Interrupt) if stopping => process::exit_now(INTERRUPTED),
                    Ok(Signal::Hangup) => Order::Reload,
                    Ok(signal) => {
                        stopping = true;
                        Order::Stop(signal)
                    }
                    Err(e) => {
                        log::error!("cannot read signals: {e}; only SIGKILL will end this process");
                        return;
                    }
                };
                if let Err(TrySendError::Disconnected(_)) = tx.try_send(order) {
                    // The daemon is past the point of taking orders; wait for the impatient ^C.
                    stopping = true;
                }
            }
        })
        .map_err(|source| DaemonError::Thread { name, source })?;
    Ok(rx)
}
