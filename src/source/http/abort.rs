//! Breaking off a request from another thread.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;

use super::error::HttpError;

#[derive(Debug)]
enum State {
    /// Not told to stop; the socket in use, if there is one yet.
    Running(Option<TcpStream>),
    Aborted,
}

/// A handle on requests that another thread makes. Clones are the same handle.
#[derive(Clone, Debug)]
pub struct Abort(Arc<Mutex<State>>);

impl Default for Abort {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State::Running(None))))
    }
}

impl Abort {
    /// Ends the request in flight, within its connect timeout at worst, and fails every later one.
    pub fn abort(&self) {
        let before = std::mem::replace(&mut *self.0.lock(), State::Aborted);
        if let State::Running(Some(socket)) = before {
            // Fails only where the connection is gone already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether [`Abort::abort`] was called.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        matches!(*self.0.lock(), State::Aborted)
    }

    /// Makes `socket` the one that an abort shuts down, in place of the one before.
    pub(super) fn hold(&self, socket: &TcpStream) -> Result<(), HttpError> {
        let held = socket.try_clone().map_err(|e| HttpError::Broken(e.to_string()))?;
        match &mut *self.0.lock() {
            State::Aborted => Err(HttpError::Aborted),
            State::Running(slot) => {
                *slot = Some(held);
                Ok(())
            }
        }
    }
}
