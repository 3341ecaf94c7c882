//! Why there is no answer, in words that need no address beside them to be understood.

use std::fmt;
use std::io;
use std::time::Duration;

/// A request that brought no (whole) answer. Holds no header, token or query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The host's name leads to no address.
    Resolve {
        /// The name.
        host: String,
        /// The resolver's word.
        problem: String,
    },
    /// No connection to the host, at any of its addresses.
    Connect {
        /// `host:port`, with the address where it is known.
        to: String,
        /// The system's word for the last address tried.
        problem: String,
    },
    /// Certificates or keys of ours, or the server's certificate, are no good.
    Tls(String),
    /// Nothing came for this long, or the whole took longer.
    Timeout(Duration),
    /// The connection broke off.
    Broken(String),
    /// The answer is not HTTP as we know it.
    Malformed(&'static str),
    /// The answer is larger than this many bytes.
    TooLarge(usize),
    /// A header value holds a line break or another control character.
    Header(String),
    /// We broke it off ourselves.
    Aborted,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { host, problem } => write!(f, "the name {host} leads to no address: {problem}"),
            Self::Connect { to, problem } => write!(f, "no connection to {to}: {problem}"),
            Self::Tls(problem) => write!(f, "TLS: {problem}"),
            Self::Timeout(after) => write!(f, "no answer within {:.0?}", after),
            Self::Broken(problem) => write!(f, "the connection broke off: {problem}"),
            Self::Malformed(problem) => write!(f, "the answer is not proper HTTP: {problem}"),
            Self::TooLarge(limit) => write!(f, "the answer is larger than {limit} bytes"),
            Self::Header(name) => write!(f, "the value of header {name} holds a control character"),
            Self::Aborted => f.write_str("broken off, because it is no longer needed"),
        }
    }
}

impl std::error::Error for HttpError {}

impl HttpError {
    /// The error behind an I/O error of [`super::socket`] or of the body, which carry their own meaning as text.
    pub(super) fn of(e: &io::Error) -> Self {
        if let Some(own) = e.get_ref().and_then(|inner| inner.downcast_ref::<HttpError>()) {
            return own.clone();
        }
        match e.kind() {
            io::ErrorKind::UnexpectedEof => Self::Broken("it ended early".into()),
            io::ErrorKind::InvalidData => Self::Tls(e.to_string()),
            _ => Self::Broken(e.to_string()),
        }
    }
}

impl From<HttpError> for io::Error {
    fn from(error: HttpError) -> Self {
        let kind = match error {
            HttpError::Timeout(_) => io::ErrorKind::TimedOut,
            HttpError::Malformed(_) | HttpError::TooLarge(_) => io::ErrorKind::InvalidData,
            HttpError::Broken(_) => io::ErrorKind::ConnectionReset,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
