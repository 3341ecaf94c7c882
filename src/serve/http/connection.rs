//! One client's connection: what has arrived of its next request.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::refusal::Refusal;
use super::reply::Reply;
use super::request::{self, Framing, Request, MAX_BODY, MAX_HEAD};
use super::stream::Stream;

/// A connection between two answers. The stream does not block.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Arc<Stream>,
    /// Who is at the other end, for the log.
    client: Box<str>,
    /// What has arrived and was not dealt with: a part of a head, or a whole one and what came behind it.
    arrived: Vec<u8>,
    /// How much of it holds no end of a head.
    searched: usize,
    /// Bytes of the last request's body that are still to be read over.
    skip: u64,
    /// Nothing more is answered: what still comes is read over, so that the last answer is not lost in a reset.
    ending: bool,
}

/// What a look at the connection found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// A whole head.
    Head,
    /// More has to come.
    Part,
    /// Nothing more will come, or nothing more is wanted.
    End,
    /// A head that has no end within the limit.
    TooLong,
}

impl Connection {
    pub(crate) fn new(stream: impl Into<Stream>, client: String) -> Self {
        let (stream, client) = (Arc::new(stream.into()), client.into_boxed_str());
        Self { stream, client, arrived: Vec::new(), searched: 0, skip: 0, ending: false }
    }

    pub(crate) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Who is at the other end, for the log.
    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    /// Whether a request has begun to arrive.
    pub(crate) fn has_begun(&self) -> bool {
        !self.arrived.is_empty()
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending
    }

    /// Reads what has arrived, without waiting and never more than a head may have.
    pub(crate) fn fill(&mut self) -> Arrived {
        let mut piece = [0; 4096];
        loop {
            match self.judge() {
                Arrived::Part => {}
                judged => return judged,
            }
            match (&*self.stream).read(&mut piece) {
                Ok(0) => return Arrived::End,
                Ok(n) => self.arrived.extend_from_slice(piece.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Arrived::Part,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Arrived::End,
            }
        }
    }

    /// What the bytes that have arrived are.
    pub(crate) fn judge(&mut self) -> Arrived {
        if self.skip > 0 {
            let over = usize::try_from(self.skip).unwrap_or(usize::MAX).min(self.arrived.len());
            self.drop_first(over);
            self.skip -= over as u64;
            if self.skip > 0 {
                return Arrived::Part;
            }
        }
        if self.ending {
            return Arrived::End;
        }
        // A client may send empty lines between requests (RFC 9112, section 2.2).
        let blank = self.arrived.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        self.drop_first(blank);
        match request::head_end(&self.arrived, self.searched) {
            Some(end) if end > MAX_HEAD => Arrived::TooLong,
            Some(_) => Arrived::Head,
            None if self.arrived.len() > MAX_HEAD => Arrived::TooLong,
            None => {
                self.searched = self.arrived.len();
                Arrived::Part
            }
        }
    }

    /// Takes the head that has arrived. After a refusal the connection ends with it, because nobody knows where the
    /// next request would begin.
    ///
    /// # Errors
    /// It is no request that can be served.
    pub(crate) fn take(&mut self) -> Result<(Request, Framing), Refusal> {
        let end = request::head_end(&self.arrived, 0).unwrap_or(self.arrived.len());
        let head = request::parse(self.arrived.get(..end).unwrap_or_default())?;
        self.drop_first(end);
        self.skip = head.1.body;
        Ok(head)
    }

    fn drop_first(&mut self, n: usize) {
        if n > 0 {
            self.arrived.drain(..n.min(self.arrived.len()));
            self.searched = 0;
        }
        if self.arrived.is_empty() {
            self.arrived = Vec::new(); // an idle connection holds no buffer
        }
    }

    /// Refuses and hangs up, without waiting: an answer that does not fit into the socket's buffer is cut off.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        log::debug!("{}: refused: {refusal:?}", self.client());
        let answer = Reply::refusal(refusal).whole(false, false);
        let _ = (&*self.stream).write(&answer); // the client may be gone
        self.hang_up();
    }

    /// Says that nothing more comes from us, and takes for a while what the client still sends: closing a socket in
    /// which unread data lies resets it, and the client would lose the answer.
    pub(crate) fn hang_up(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write); // the client may be gone
        self.ending = true;
        self.arrived = Vec::new();
        self.skip = MAX_BODY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, Connection) {
        let (a, b) = UnixStream::pair().unwrap();
        b.set_nonblocking(true).unwrap();
        (a, Connection::new(b, "test".into()))
    }

    #[test]
    fn a_head_arrives_in_pieces_and_the_next_one_behind_its_body() {
        let (mut client, mut connection) = pair();
        assert_eq!(connection.fill(), Arrived::Part);
        client.write_all(b"\r\nGET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r").unwrap();
        assert_eq!((connection.fill(), connection.has_begun()), (Arrived::Part, true));
        client.write_all(b"\n\r\nab").unwrap();
        assert_eq!(connection.fill(), Arrived::Head);
        assert_eq!(connection.take().unwrap().0.path, ["a"]);
        assert_eq!(connection.fill(), Arrived::Part);
        client.write_all(b"cGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(connection.fill(), Arrived::Head);
        assert_eq!(connection.take().unwrap().0.path, ["b"]);
        assert_eq!(connection.judge(), Arrived::Head);
        assert_eq!(connection.take().unwrap().0.path, ["c"]);
        drop(client);
        assert_eq!(connection.fill(), Arrived::End);
    }

    #[test]
    fn a_head_without_end_is_not_read_for_ever() {
        let (mut client, mut connection) = pair();
        client.write_all(&[b'a'; 3 * MAX_HEAD]).unwrap();
        assert_eq!(connection.fill(), Arrived::TooLong);
        assert!(connection.arrived.len() <= MAX_HEAD + 4096);
        connection.refuse(&Refusal::HeadTooLarge);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[test]
    fn after_hanging_up_only_so_much_is_read_over() {
        let (mut client, mut connection) = pair();
        connection.hang_up();
        client.write_all(&[0; 1000]).unwrap();
        assert_eq!(connection.fill(), Arrived::Part);
        client.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while sent < MAX_BODY as usize {
            sent += client.write(&[0; 4096]).unwrap_or(0);
            let _ = connection.fill();
        }
        assert_eq!(connection.fill(), Arrived::End);
    }
}
