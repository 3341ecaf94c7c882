//! Standard output: a reader that left early is no failure.

use std::io::{self, Write};

use super::exit::Failure;

/// Writes to standard output.
///
/// # Errors
/// It cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// The same for what may be no text.
///
/// # Errors
/// It cannot be written.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// What writing came to: a closed pipe is a good end.
///
/// # Errors
/// Anything else went wrong.
pub fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.or_else(|e| Failure::output(&e).map_or(Ok(()), Err))
}
