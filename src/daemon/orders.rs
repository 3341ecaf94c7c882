//! Signals as orders. One thread reads them; the others have them blocked.

use std::thread;

use crossbeam_channel::{bounded, Receiver, Sender, TrySendError};

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
    let (tx, rx) = desk();
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
                        log::error!("cannot read signals: {e}; stopping, since no signal could any more");
                        return;
                    }
                };
                if !give(&tx, order) {
                    // The daemon is past the point of taking orders; wait for the impatient ^C.
                    stopping = true;
                }
            }
        })
        .map_err(|source| DaemonError::Thread { name, source })?;
    Ok(rx)
}

/// Two places, the last of which is for a stop. When both are taken a stop is waiting already, and another one would
/// change nothing.
fn desk() -> (Sender<Order>, Receiver<Order>) {
    bounded(2)
}

/// False where nobody takes orders any more.
fn give(tx: &Sender<Order>, order: Order) -> bool {
    if order == Order::Reload && !tx.is_empty() {
        return true; // one reload is as good as many, and behind a stop there is none
    }
    !matches!(tx.try_send(order), Err(TrySendError::Disconnected(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_reloads_leave_room_for_a_stop() {
        let (tx, rx) = desk();
        let stop = Order::Stop(Signal::Terminate);
        assert!((0..10).all(|_| give(&tx, Order::Reload)));
        assert!(give(&tx, stop) && give(&tx, stop) && give(&tx, Order::Reload));
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), [Order::Reload, stop]);
        drop(rx);
        assert!(!give(&tx, stop));
    }
}
