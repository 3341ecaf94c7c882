//! The body of an answer, freed from its framing.

use std::io::{self, BufRead, Read};

use super::error::HttpError;
use super::head::Framing;

/// Longest line of a chunk's size with its extensions, and of a trailer.
const MAX_LINE: u64 = 4 << 10;
const MAX_TRAILERS: usize = 100;

#[derive(Clone, Copy, Debug)]
enum State {
    /// This many bytes of a body of known length are to come.
    Length(u64),
    /// This many bytes of a chunk are to come.
    Chunk(u64),
    /// A chunk's size is to come.
    Size,
    /// The body ends with the connection.
    Close,
    Done,
}

/// Reads the content alone. A connection that ends too early is an error, never a short body.
#[derive(Debug)]
pub struct Body<R> {
    from: R,
    state: State,
}

impl<R: BufRead> Body<R> {
    pub(super) fn new(from: R, framing: Framing) -> Self {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(n) => State::Length(n),
            Framing::Chunked => State::Size,
            Framing::Close => State::Close,
        };
        Self { from, state }
    }

    /// One line without its end.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.from).take(MAX_LINE);
        limited.read_until(b'\n', &mut line)?;
        match line.pop() {
            Some(b'\n') => {}
            Some(_) if limited.limit() == 0 => {
                return Err(HttpError::Malformed("a line between chunks is too long").into());
            }
            _ => return Err(cut()),
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// Reads the size of the next chunk, and behind the last one the trailers.
    fn next_chunk(&mut self) -> io::Result<State> {
        let line = self.line()?;
        let digits = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'));
        let size = size.and_then(|d| u64::from_str_radix(d, 16).ok());
        match size {
            None => Err(HttpError::Malformed("the size of a chunk is no number").into()),
            Some(0) => {
                for _ in 0..MAX_TRAILERS {
                    if self.line()?.is_empty() {
                        return Ok(State::Done);
                    }
                }
                Err(HttpError::Malformed("it has more than 100 trailers").into())
            }
            Some(n) => Ok(State::Chunk(n)),
        }
    }

    /// Reads at most `left` bytes; what is then left.
    fn part(&mut self, buf: &mut [u8], left: u64) -> io::Result<(usize, u64)> {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let n = self.from.read(buf.get_mut(..most).unwrap_or_default())?;
        if n == 0 {
            return Err(cut());
        }
        Ok((n, left - n as u64))
    }
}

fn cut() -> io::Error {
    HttpError::Broken("it ended before the answer did".into()).into()
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if matches!(self.state, State::Size) {
            self.state = self.next_chunk()?;
        }
        match self.state {
            State::Done | State::Size => Ok(0),
            State::Close => self.from.read(buf),
            State::Length(left) => {
                let (n, left) = self.part(buf, left)?;
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                Ok(n)
            }
            State::Chunk(left) => {
                let (n, left) = self.part(buf, left)?;
                self.state = State::Chunk(left);
                if left == 0 {
                    if !self.line()?.is_empty() {
                        return Err(HttpError::Malformed("a chunk is longer than it says").into());
                    }
                    self.state = State::Size;
                }
                Ok(n)
            }
        }
    }
}

/// Reads a body to its end, if that comes within `limit` bytes.
///
/// # Errors
/// The body is larger, or what reading it says.
pub fn whole(body: &mut impl Read, limit: usize) -> Result<Vec<u8>, HttpError> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    body.take(most).read_to_end(&mut out).map_err(|e| HttpError::of(&e))?;
    if out.len() > limit {
        return Err(HttpError::TooLarge(limit));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], framing: Framing) -> Result<Vec<u8>, HttpError> {
        whole(&mut Body::new(bytes, framing), 100)
    }

    #[test]
    fn each_framing_gives_the_content_alone() {
        assert_eq!(read(b"hello, more", Framing::Length(5)), Ok(b"hello".to_vec()));
        assert_eq!(read(b"", Framing::Length(0)), Ok(Vec::new()));
        assert_eq!(read(b"hello", Framing::Close), Ok(b"hello".to_vec()));
        let chunks = b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\nmore";
        assert_eq!(read(chunks, Framing::Chunked), Ok(b"hello".to_vec()));
        assert_eq!(read(b"0\r\n\r\n", Framing::Chunked), Ok(Vec::new()));
    }

    #[test]
    fn a_broken_body_is_never_a_short_one() {
        let long = format!("{}\r\n", "0".repeat(5_000));
        let table: [(&[u8], Framing); 8] = [
            (b"hell", Framing::Length(5)),
            (b"5\r\nhell", Framing::Chunked),
            (b"5\r\nhello", Framing::Chunked),
            (b"5\r\nhello\r\n", Framing::Chunked),
            (b"5\r\nhello\r\n0\r\n", Framing::Chunked),
            (b"5\r\nhello!\r\n0\r\n\r\n", Framing::Chunked),
            (b"x\r\nhello\r\n0\r\n\r\n", Framing::Chunked),
            (long.as_bytes(), Framing::Chunked),
        ];
        for (bytes, framing) in table {
            assert!(read(bytes, framing).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(read(&[b'x'; 101], Framing::Close), Err(HttpError::TooLarge(100)));
        assert_eq!(read(&[b'x'; 100], Framing::Close).map(|b| b.len()), Ok(100));
    }

    proptest! {
        #[test]
        fn chunks_join_to_what_was_sent(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..9), 0..9)) {
            let mut wire = Vec::new();
            for part in &parts {
                wire.extend(format!("{:x}\r\n", part.len()).bytes());
                wire.extend(part);
                wire.extend(b"\r\n");
            }
            wire.extend(b"0\r\n\r\n");
            prop_assert_eq!(read(&wire, Framing::Chunked), Ok(parts.concat()));
            wire.truncate(wire.len() - 1);
            prop_assert!(read(&wire, Framing::Chunked).is_err());
        }

        #[test]
        fn rubbish_ends(bytes: Vec<u8>) {
            let _ = read(&bytes, Framing::Chunked);
        }
    }
}
