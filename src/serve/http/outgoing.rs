//! A body on its way: chunks, time limits, and what ends it early.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossbeam_channel::{never, select, Receiver};

use super::stream::Stream;
use crate::sys::poll;

/// How much is collected before it is sent.
const PIECE: usize = 32 * 1024;
/// Room for the length of a chunk, in front of it.
const LENGTH: usize = 10;
/// Room for a piece and a pod or two beyond it. The buffer is larger while something larger is sent.
const ROOM: usize = PIECE + 16 * 1024;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something changed.
    Changed,
    /// The time is up.
    Time,
    /// The client is gone.
    Gone,
    /// The daemon stops.
    Stopping,
}

/// The sending end of a produced body. What is written is collected; [`Outgoing::flush`] sends it.
pub(crate) struct Outgoing<'a> {
    stream: &'a Stream,
    chunks: bool,
    /// Room for a length, then the data.
    piece: Vec<u8>,
    /// A client that takes nothing for so long is dropped.
    send_timeout: Duration,
    /// Disconnected when the client is gone.
    gone: &'a Receiver<()>,
    /// Disconnected when the daemon stops.
    stopped: &'a Receiver<()>,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(
        stream: &'a Stream,
        chunks: bool,
        send_timeout: Duration,
        gone: &'a Receiver<()>,
        stopped: &'a Receiver<()>,
    ) -> Self {
        let mut piece = Vec::with_capacity(ROOM);
        piece.resize(LENGTH, 0);
        Self { stream, chunks, piece, send_timeout, gone, stopped }
    }

    /// Adds to the body, and sends when enough has come together.
    ///
    /// # Errors
    /// See [`Outgoing::flush`].
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.piece.extend_from_slice(data);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what has come together.
    ///
    /// # Errors
    /// The client is gone (`BrokenPipe`) or has taken nothing for the send timeout (`TimedOut`).
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let length = self.piece.len() - LENGTH;
        if length == 0 {
            return Ok(()); // an empty chunk would be the end
        }
        let mut start = LENGTH;
        if self.chunks {
            let line = format!("{length:x}\r\n");
            start = LENGTH.saturating_sub(line.len());
            if let Some(place) = self.piece.get_mut(start..LENGTH) {
                place.copy_from_slice(line.as_bytes());
            }
            self.piece.extend_from_slice(b"\r\n");
        }
        let sent = send(self.stream, self.piece.get(start..).unwrap_or_default(), self.send_timeout);
        self.piece.truncate(LENGTH);
        self.piece.shrink_to(ROOM);
        sent
    }

    /// Sends the rest and the end of the body.
    ///
    /// # Errors
    /// See [`Outgoing::flush`].
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        match self.chunks {
            true => send(self.stream, b"0\r\n\r\n", self.send_timeout),
            false => Ok(()),
        }
    }

    /// Waits for `changed` (its disconnection means that the daemon stops), for `until`, for the end of the client or
    /// of the daemon.
    pub(crate) fn wait(&self, changed: Option<&Receiver<()>>, until: Instant) -> Woken {
        let nothing = never();
        select! {
            recv(self.stopped) -> _ => Woken::Stopping,
            recv(self.gone) -> _ => Woken::Gone,
            recv(changed.unwrap_or(&nothing)) -> open => if open.is_ok() { Woken::Changed } else { Woken::Stopping },
            default(until.saturating_duration_since(Instant::now())) => Woken::Time,
        }
    }
}

/// Sends all of `data`. Each step forward starts the time limit anew.
///
/// # Errors
/// The client is gone, or has taken nothing for `timeout` (`TimedOut`).
pub(crate) fn send(mut stream: &Stream, mut data: &[u8], timeout: Duration) -> io::Result<()> {
    while !data.is_empty() {
        match stream.write(data) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => data = data.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                let deadline = Instant::now() + timeout;
                while !poll::writable(stream.as_fd(), deadline.saturating_duration_since(Instant::now()))? {
                    if Instant::now() >= deadline {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, Stream) {
        let (client, server) = UnixStream::pair().unwrap();
        server.set_nonblocking(true).unwrap();
        (client, server.into())
    }

    #[test]
    fn pieces_become_chunks() {
        let (mut client, server) = pair();
        let (gone, stopped) = (never(), never());
        let mut out = Outgoing::new(&server, true, Duration::from_secs(9), &gone, &stopped);
        out.write(b"hello ").unwrap();
        out.write(b"world").unwrap();
        out.flush().unwrap();
        out.flush().unwrap();
        out.write(&[b'x'; 16]).unwrap();
        out.finish().unwrap();
        drop(server);
        let mut got = String::new();
        client.read_to_string(&mut got).unwrap();
        assert_eq!(got, "b\r\nhello world\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }

    #[test]
    fn a_client_that_does_not_read_or_is_gone_is_an_error() {
        let (client, server) = pair();
        let all = vec![0; 8 << 20];
        assert_eq!(send(&server, &all, Duration::ZERO).unwrap_err().kind(), ErrorKind::TimedOut);
        drop(client);
        assert_eq!(send(&server, &all, Duration::ZERO).unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_ends_a_wait() {
        let (_client, server) = pair();
        let (going, gone) = bounded(1);
        let (_stop, stopped) = bounded(1);
        let out = Outgoing::new(&server, true, Duration::ZERO, &gone, &stopped);
        let now = Instant::now();
        assert_eq!(out.wait(None, now), Woken::Time);
        let (change, changed) = bounded(1);
        change.send(()).unwrap();
        assert_eq!(out.wait(Some(&changed), now), Woken::Changed);
        drop(change);
        assert_eq!(out.wait(Some(&changed), now), Woken::Stopping);
        drop(going);
        assert_eq!(out.wait(None, now), Woken::Gone);
    }
}
