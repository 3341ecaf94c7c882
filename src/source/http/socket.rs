//! A TCP connection that keeps time: each wait ends at the deadline of the whole or after the longest silence.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::abort::Abort;
use super::error::HttpError;
use super::url::Url;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until a connection stands, for each address of the host.
    pub connect: Duration,
    /// Longest silence of the server; also how long it may refuse to take what we send.
    pub silence: Duration,
    /// From the start to the last byte; `None` for a stream without end.
    pub whole: Option<Duration>,
}

/// The connection of one request.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    patience: Patience,
    deadline: Option<Instant>,
}

impl Socket {
    /// Connects to the first address of the host that answers.
    pub(super) fn connect(url: &Url, patience: Patience, abort: &Abort) -> Result<Self, HttpError> {
        let deadline = patience.whole.map(|whole| Instant::now() + whole);
        let to = url.authority();
        let addresses = (url.host(), url.port())
            .to_socket_addrs()
            .map_err(|e| HttpError::Resolve { host: url.host().into(), problem: e.to_string() })?;
        let mut last = None;
        for address in addresses {
            if abort.is_aborted() {
                return Err(HttpError::Aborted);
            }
            let wait = left(deadline).unwrap_or(patience.connect).min(patience.connect);
            if wait.is_zero() {
                // Nobody was asked in vain by now: then finding the addresses took all the time there was.
                return Err(last.unwrap_or(HttpError::Timeout(patience.whole.unwrap_or_default())));
            }
            match TcpStream::connect_timeout(&address, wait) {
                Ok(tcp) => {
                    abort.hold(&tcp)?;
                    // Requests are one small write; waiting to fill a packet only delays them.
                    let _ = tcp.set_nodelay(true);
                    return Ok(Self { tcp, patience, deadline });
                }
                Err(e) => last = Some(refused(&to, url.host(), address, &e)),
            }
        }
        Err(last.unwrap_or_else(|| HttpError::Resolve { host: url.host().into(), problem: "it has none".into() }))
    }

    /// How long the next wait may be, and the error that its end means.
    fn wait(&self) -> io::Result<(Duration, HttpError)> {
        let silence = (self.patience.silence, HttpError::Timeout(self.patience.silence));
        let Some(left) = left(self.deadline) else { return Ok(silence) };
        let over = HttpError::Timeout(self.patience.whole.unwrap_or_default());
        if left.is_zero() {
            return Err(over.into());
        }
        Ok(if left < silence.0 { (left, over) } else { silence })
    }
}

/// `None` where there is no deadline, zero where it has passed.
fn left(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|at| at.saturating_duration_since(Instant::now()))
}

fn refused(to: &str, host: &str, address: SocketAddr, e: &io::Error) -> HttpError {
    let to = if address.ip().to_string() == host { to.to_owned() } else { format!("{to} ({})", address.ip()) };
    let problem = match e.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".into(),
        io::ErrorKind::TimedOut => "it does not answer (timed out)".into(),
        _ => e.to_string(),
    };
    HttpError::Connect { to, problem }
}

/// What a system call says at the end of its wait.
pub(super) fn meaning(e: io::Error, over: HttpError) -> io::Error {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => over.into(),
        _ => e,
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (wait, over) = self.wait()?;
        self.tcp.set_read_timeout(Some(wait))?;
        self.tcp.read(buf).map_err(|e| meaning(e, over))
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let (wait, over) = self.wait()?;
        self.tcp.set_write_timeout(Some(wait))?;
        self.tcp.write(buf).map_err(|e| meaning(e, over))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}
