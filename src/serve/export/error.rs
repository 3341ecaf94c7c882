//! Why an export or a query has no answer, with gRPC's code and the HTTP status that a gateway makes of it.

use std::fmt;
use std::time::{Duration, Instant};

use crate::query::{PageError, QueryError};

/// A request for pods that is refused, or that ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExportError {
    /// The query is not understood.
    Query(QueryError),
    /// Pods cannot be sorted or cut so.
    Page(PageError),
    /// A parameter (its name) that is not what it should be, and what that is.
    Parameter(&'static str, String, String),
    /// The message cannot be read.
    Message(String),
    /// The time that the client gave, in seconds, is over.
    Timeout(i32),
    /// Only GET is served.
    Method,
    /// Nothing is under this path.
    Path,
    /// The node is not known yet.
    NotReady,
    /// The daemon stops.
    Stopping,
}

impl ExportError {
    /// gRPC's code (`google.rpc.Code`).
    pub(crate) const fn code(&self) -> i32 {
        match self {
            Self::Query(_) | Self::Page(_) | Self::Parameter(..) | Self::Message(_) => 3,
            Self::Timeout(_) => 4,
            Self::Path => 5,
            Self::Method => 12,
            Self::NotReady | Self::Stopping => 14,
        }
    }

    /// The HTTP status of that code, as a number and as text (`grpc-ecosystem/grpc-gateway runtime/errors.go`).
    pub(crate) const fn http(&self) -> (u16, &'static str) {
        match self.code() {
            3 => (400, "Bad Request"),
            4 => (504, "Gateway Timeout"),
            5 => (404, "Not Found"),
            12 => (501, "Not Implemented"),
            14 => (503, "Service Unavailable"),
            _ => (500, "Internal Server Error"),
        }
    }
}

impl From<QueryError> for ExportError {
    fn from(e: QueryError) -> Self {
        Self::Query(e)
    }
}

impl From<PageError> for ExportError {
    fn from(e: PageError) -> Self {
        Self::Page(e)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(e) => e.fmt(f),
            Self::Page(e) => e.fmt(f),
            Self::Parameter(name, value, wanted) => {
                let value: String = value.chars().take(64).collect();
                write!(f, "{name}: {value:?} is not {wanted}")
            }
            Self::Message(problem) => write!(f, "the request cannot be read: {problem}"),
            Self::Timeout(seconds) => write!(f, "the export took longer than the {seconds} s that were given"),
            Self::Method => f.write_str("only GET is served here"),
            Self::Path => f.write_str("nothing here; known are /v1/pods and /v1/export/pods"),
            Self::NotReady => f.write_str("the pods of this node are not known yet: a source has not answered"),
            Self::Stopping => f.write_str("nodepods is stopping"),
        }
    }
}

/// When an export that may take so many seconds (0 for ever) has to end.
///
/// # Errors
/// The number is negative.
pub(crate) fn deadline(seconds: i32, now: Instant) -> Result<Option<Instant>, ExportError> {
    let wanted = "a number of seconds, 0 or more";
    match u64::try_from(seconds) {
        Ok(0) => Ok(None),
        Ok(seconds) => Ok(now.checked_add(Duration::from_secs(seconds))),
        Err(_) => Err(ExportError::Parameter("timeout", seconds.to_string(), wanted.into())),
    }
}
