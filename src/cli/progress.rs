//! A line on the terminal for what takes longer than a moment.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::printable::printable;

/// What takes less than this needs no word.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the seconds are counted on.
const TICK: Duration = Duration::from_secs(1);

/// Says on standard error what is waited for, once a second has gone by; nothing where that is no terminal. The line is
/// wiped away when this is dropped.
#[derive(Debug)]
pub struct Progress {
    words: Option<SyncSender<String>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Progress {
    /// Begins.
    #[must_use]
    pub fn start(what: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self { words: None, thread: None };
        }
        // Holds one message; more are left out while the thread has not taken it.
        let (words, inbox) = mpsc::sync_channel::<String>(1);
        let mut what = what.to_string();
        let show = move || {
            let start = Instant::now();
            let mut shown = false;
            loop {
                match inbox.recv_timeout(if shown { TICK } else { PATIENCE.saturating_sub(start.elapsed()) }) {
                    Ok(words) => what = words,
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if start.elapsed() >= PATIENCE {
                    shown = true;
                    // Nobody is told when the terminal is gone.
                    let _ = write!(io::stderr(), "\r\u{1b}[K{what} ({} s)", start.elapsed().as_secs());
                }
            }
            if shown {
                let _ = write!(io::stderr(), "\r\u{1b}[K");
            }
        };
        let thread = thread::Builder::new().name("progress".into()).spawn(show).ok();
        Self { words: Some(words), thread }
    }

    /// Says something else from now on.
    pub fn say(&self, what: &str) {
        if let Some(words) = &self.words {
            // Full: what is waited for now will be said with the next change.
            let _ = words.try_send(printable(what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.words.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
