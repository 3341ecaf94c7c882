//! Streams of events, one after the other, for as long as somebody reads.

use std::io::{self, Write};
use std::path::PathBuf;

use super::printer::Printer;
use super::view::View;
use crate::cli::client::PodsClient;
use crate::cli::clock::now;
use crate::cli::comeback::{ended, Comeback};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{end_with_the_reader, written};
use crate::cli::printable::shown;
use crate::cli::selection::Selection;
use crate::cli::socket;

/// Pods that are shown as they change.
#[derive(Debug)]
pub struct Follow {
    /// Which.
    pub selection: Selection,
    /// How.
    pub printer: Printer,
    /// The values of `--socket`.
    pub socket: Vec<PathBuf>,
    /// Not what is there in the beginning.
    pub news_only: bool,
}

impl Follow {
    /// Shows them until the reader of our output leaves or a signal comes. A daemon that goes away is waited for.
    ///
    /// # Errors
    /// No daemon in the beginning, or one that refuses us.
    pub fn run(self, verb: &str) -> Result<(), Failure> {
        end_with_the_reader();
        let mut view = View::new(self.selection, self.printer, self.news_only);
        let mut comeback = Comeback::new();
        loop {
            let gone = match follow(verb, &self.socket, &mut view)? {
                Ended::ReaderLeft => return Ok(()),
                Ended::DaemonGone(failure) => failure,
            };
            if !view.began {
                return Err(gone);
            }
            let complete = view.synced;
            view.begin_again();
            comeback.wait(complete);
        }
    }
}

/// Why a stream ended.
enum Ended {
    ReaderLeft,
    DaemonGone(Failure),
}

/// Shows the events of one stream.
fn follow(verb: &str, sockets: &[PathBuf], view: &mut View) -> Result<Ended, Failure> {
    let unavailable = |failure: Failure| match failure.exit {
        Exit::Unavailable => Ok(Ended::DaemonGone(failure)),
        _ => Err(failure),
    };
    let client = match socket::find(verb, sockets) {
        Ok(socket) => PodsClient::new(&socket),
        Err(failure) => return unavailable(failure),
    };
    let mut out = io::stdout().lock();
    for event in client.watch()? {
        let event = match event {
            Ok(event) => event,
            Err(failure) => return unavailable(failure),
        };
        let text = view.event(event, now())?;
        if let Err(e) = out.write_all(shown(&text).as_bytes()).and_then(|()| out.flush()) {
            return written(Err(e)).map(|()| Ended::ReaderLeft);
        }
    }
    Ok(Ended::DaemonGone(ended()))
}
