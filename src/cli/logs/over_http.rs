//! Logs that the daemon reads for us, for users who may ask it and may not read the runtime's files.

use std::io::{self, BufWriter, Write};
use std::thread;

use crossbeam_channel::{bounded, Sender};

use super::prefix::Prefixed;
use super::target::Target;
use super::wish::Wish;
use crate::cli::api_client::ApiClient;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::written;
use crate::source::http::client::Response;
use crate::source::http::error::HttpError;

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;
/// Pieces of followed logs that wait to be printed.
const WAITING: usize = 16;
/// Stack of a thread that follows a log.
const STACK: usize = 256 << 10;

/// Prints the logs of `targets`, one behind the other; several that go on are printed as they come, line by line.
///
/// # Errors
/// There is no such log, or the daemon does not give it.
pub fn print(api: &ApiClient, targets: &[Target], wish: &Wish) -> Result<(), Failure> {
    let (mut found, mut missing) = (false, None);
    let open = targets.iter().filter_map(|target| match open(api, target, wish) {
        // Of several containers, some have not started or have written nothing.
        Err(failure) if failure.exit == Exit::NotFound => {
            missing.get_or_insert(failure);
            None
        }
        other => {
            found = true;
            Some(other)
        }
    });
    let mut out = BufWriter::new(io::stdout().lock());
    if targets.len() > 1 && wish.follow {
        side_by_side(api, open.collect::<Result<_, _>>()?, &mut out)?;
    } else {
        // Each is asked for when the one before is printed: the daemon drops who takes nothing for long.
        for log in open {
            let (log, mut lines) = log?;
            if let Some(e) = copy(log, &mut lines, wish.follow, &mut out).map_err(|e| api.broken(&e))? {
                return written(Err(e));
            }
        }
    }
    match missing {
        Some(missing) if !found => Err(missing),
        _ => Ok(()),
    }
}

fn open(api: &ApiClient, target: &Target, wish: &Wish) -> Result<(Response, Prefixed), Failure> {
    let log = api.log(&target.namespace, &target.pod, &wish.options(&target.container))?;
    Ok((log, Prefixed::new(wish.prefix(&target.pod, &target.container))))
}

/// Prints a log to its end; `at_once` shows each line as it comes. Returns why it cannot be written.
fn copy(
    mut log: Response,
    lines: &mut Prefixed,
    at_once: bool,
    out: &mut impl Write,
) -> Result<Option<io::Error>, HttpError> {
    let mut piece = vec![0; PIECE];
    loop {
        let n = log.read(&mut piece)?;
        let put = lines.write(piece.get(..n).unwrap_or_default(), out);
        match put.and_then(|()| if at_once || n == 0 { out.flush() } else { Ok(()) }) {
            Ok(()) if n == 0 => return Ok(None),
            Ok(()) => {}
            Err(e) => return Ok(Some(e)),
        }
    }
}

/// Prints several logs that go on.
fn side_by_side(api: &ApiClient, open: Vec<(Response, Prefixed)>, out: &mut impl Write) -> Result<(), Failure> {
    // While it is full, threads wait to be printed, and the daemon waits with them.
    let (tx, pieces) = bounded(WAITING);
    let (logs, mut lines): (Vec<_>, Vec<_>) = open.into_iter().unzip();
    for (number, log) in logs.into_iter().enumerate() {
        let tx = tx.clone();
        let body = move || {
            if let Err(e) = whole_lines(log, |piece| tx.send((number, Ok(piece))).is_ok()) {
                let _ = tx.send((number, Err(e))); // nobody reads: the command has ended
            }
        };
        let thread = thread::Builder::new().name("log".into()).stack_size(STACK).spawn(body);
        thread.map_err(|e| Failure::new(Exit::Failure, format!("error: cannot start a thread for a log: {e}")))?;
    }
    drop::<Sender<_>>(tx);
    for (number, piece) in pieces {
        let piece = piece.map_err(|e: HttpError| api.broken(&e))?;
        let Some(lines) = lines.get_mut(number) else { continue };
        if let Err(e) = lines.write(&piece, out).and_then(|()| out.flush()) {
            return written(Err(e));
        }
    }
    Ok(())
}

/// Reads a log to its end; `take` gets whole lines, so that those of several logs do not mix, and says whether it wants
/// more. A line beyond any measure comes in parts.
fn whole_lines(mut log: Response, mut take: impl FnMut(Vec<u8>) -> bool) -> Result<(), HttpError> {
    let (mut pending, mut piece) = (Vec::new(), vec![0; PIECE]);
    loop {
        let n = log.read(&mut piece)?;
        pending.extend_from_slice(piece.get(..n).unwrap_or_default());
        let end = match pending.iter().rposition(|b| *b == b'\n') {
            Some(at) if n > 0 && pending.len() < 4 * PIECE => at + 1,
            None if n > 0 && pending.len() < 4 * PIECE => 0,
            _ => pending.len(),
        };
        let rest = pending.split_off(end);
        let lines = std::mem::replace(&mut pending, rest);
        if (!lines.is_empty() && !take(lines)) || n == 0 {
            return Ok(());
        }
    }
}
