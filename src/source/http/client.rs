//! GET.

use std::io::{self, BufReader, Read, Write};

use super::abort::Abort;
use super::body::{self, Body};
use super::error::HttpError;
use super::head::{self, Head};
use super::secret::Secret;
pub use super::socket::Patience;
use super::socket::Socket;
use super::trust::Trust;
use super::url::Url;
use super::{request, tls};

/// Whether `name` can be the name of a header.
#[must_use]
pub fn is_header_name(name: &str) -> bool {
    request::is_token(name)
}

/// What goes with every request of one user.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Names and values.
    pub headers: Vec<(String, Secret)>,
    /// For https.
    pub trust: Trust,
}

/// The head of an answer, with the body to be read.
pub struct Response {
    head: Head,
    body: Body<BufReader<Box<dyn Stream>>>,
}

/// What a connection does.
pub(super) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Client {
    /// Asks for `url`. The answer may have any status.
    ///
    /// # Errors
    /// No connection, no TLS, or no proper answer within `patience`; [`HttpError::Aborted`] after an abort.
    pub fn get(&self, url: &Url, accept: &str, patience: Patience, abort: &Abort) -> Result<Response, HttpError> {
        let bytes = request::get(url, accept, &self.headers)?;
        self.send(url, &bytes, patience, abort).map_err(|e| own(e, abort))
    }

    fn send(&self, url: &Url, bytes: &[u8], patience: Patience, abort: &Abort) -> Result<Response, HttpError> {
        let socket = Socket::connect(url, patience, abort)?;
        let stream: Box<dyn Stream> =
            if url.is_https() { Box::new(tls::wrap(socket, url.host(), &self.trust)?) } else { Box::new(socket) };
        Response::of(stream, bytes)
    }
}

/// After an abort the broken connection is our own doing.
fn own(e: HttpError, abort: &Abort) -> HttpError {
    if abort.is_aborted() {
        HttpError::Aborted
    } else {
        e
    }
}

impl Response {
    /// Sends a request over a connection of its own and reads the head of the answer.
    pub(super) fn of(mut stream: Box<dyn Stream>, request: &[u8]) -> Result<Self, HttpError> {
        stream.write_all(request).and_then(|()| stream.flush()).map_err(|e| HttpError::of(&e))?;
        let mut reader = BufReader::new(stream);
        let head = head::read(&mut reader)?;
        let framing = head.framing()?;
        Ok(Self { head, body: Body::new(reader, framing) })
    }

    /// From 101 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The whole body.
    ///
    /// # Errors
    /// It is larger than `limit` bytes, ends early, or takes too long.
    pub fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        body::whole(&mut self.body, limit)
    }

    /// Reads what is there of the body, or waits for the next bytes; 0 is its end.
    ///
    /// # Errors
    /// It ends early, or the server is silent for too long.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<usize, HttpError> {
        loop {
            match self.body.read(buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(|e| HttpError::of(&e)),
            }
        }
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.head.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::teststand::{serve_once, Then};
    use std::time::Duration;

    const PATIENCE: Patience =
        Patience { connect: Duration::from_secs(5), silence: Duration::from_secs(20), whole: None };

    fn get(url: &Url, patience: Patience) -> Result<Vec<u8>, HttpError> {
        Client::default().get(url, "*/*", patience, &Abort::default())?.bytes(1 << 20)
    }

    #[test]
    fn the_request_arrives_and_the_body_comes_back() {
        let (url, asked) = serve_once(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Then::Close);
        let client = Client { headers: vec![("X-Token".into(), Secret::new("s"))], ..Client::default() };
        let mut response = client.get(&url, "text/plain", PATIENCE, &Abort::default()).unwrap();
        assert_eq!((response.status(), response.bytes(10)), (200, Ok(b"hi".to_vec())));
        let asked = asked.recv().unwrap();
        assert!(asked.contains("Accept: text/plain\r\n") && asked.contains("X-Token: s\r\n"), "{asked}");
    }

    #[test]
    fn a_silent_server_runs_into_its_limit() {
        let (url, _asked) = serve_once(b"HTTP/1.1 200 OK\r\n\r\npart", Then::Stall);
        let short = Duration::from_millis(50);
        assert_eq!(get(&url, Patience { silence: short, ..PATIENCE }), Err(HttpError::Timeout(short)));
        let (url, _asked) = serve_once(b"", Then::Stall);
        assert_eq!(get(&url, Patience { whole: Some(short), ..PATIENCE }), Err(HttpError::Timeout(short)));
        let none = Duration::ZERO;
        assert_eq!(get(&url, Patience { whole: Some(none), ..PATIENCE }), Err(HttpError::Timeout(none)));
    }

    #[test]
    fn an_abort_ends_the_wait() {
        let (url, asked) = serve_once(b"HTTP/1.1 200 OK\r\n\r\n", Then::Stall);
        let abort = Abort::default();
        let other = abort.clone();
        let reader = std::thread::spawn(move || {
            let mut response = Client::default().get(&url, "*/*", PATIENCE, &other)?;
            response.bytes(10).map(|_| ())
        });
        asked.recv().unwrap();
        abort.abort();
        let _ = reader.join().unwrap(); // ends at once, by an end of the stream or by an error
        let (url, _asked) = serve_once(b"", Then::Close);
        assert_eq!(Client::default().get(&url, "*/*", PATIENCE, &abort).unwrap_err(), HttpError::Aborted);
    }

    #[test]
    fn nobody_there() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = get(&format!("http://{free}/").parse().unwrap(), PATIENCE).unwrap_err();
        assert_eq!(error.to_string(), format!("no connection to {free}: nothing listens there (connection refused)"));
        let error = get(&"http://no-such-host.invalid/".parse().unwrap(), PATIENCE).unwrap_err();
        assert!(matches!(error, HttpError::Resolve { .. }), "{error}");
    }
}
