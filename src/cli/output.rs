//! Standard output: a reader that left early is no failure.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::{process, thread};

use super::exit::Failure;
use super::printable::{printable, shown};
use crate::sys::poll::{ready, Interest};

/// Writes to standard output. What would command a terminal does not reach one.
///
/// # Errors
/// It cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    let text = shown(text);
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// The same for what may be no text.
///
/// # Errors
/// It cannot be written.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        return print(&String::from_utf8_lossy(bytes));
    }
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Says on standard error what a command could not do as it was meant to.
pub fn warn(text: &str) {
    eprintln!("Warning: {}", printable(text));
}

/// From now on the process ends, quietly, as soon as nobody reads standard output any more. For commands that go on
/// until they are stopped: behind `| head -1` they would stay until there is something to write again.
pub fn end_with_the_reader() {
    let wait = || loop {
        match ready(&[(io::stdout().as_fd(), Interest::HangUp)], None) {
            Ok(gone) if gone.contains(&true) => process::exit(0),
            Ok(_) => {} // a signal
            Err(_) => return,
        }
    };
    // Without the thread the next write finds out.
    let _ = thread::Builder::new().name("reader".into()).spawn(wait);
}

/// What writing came to: a closed pipe is a good end.
///
/// # Errors
/// Anything else went wrong.
pub fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.or_else(|e| Failure::output(&e).map_or(Ok(()), Err))
}
