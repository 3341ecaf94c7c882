//! Why there is no list, or why a watch ended.

use std::fmt;
use std::time::Duration;

use crate::source::http::error::HttpError;
use crate::source::kubeconfig::KubeconfigError;

/// An API `Status` that says no, or an answer of another server that does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// As in HTTP.
    pub(super) code: u16,
    /// In one word: `Expired`, `Forbidden`; empty where the answer is no `Status`.
    pub(super) reason: String,
    /// For people; one line.
    pub(super) message: String,
    /// How long we are asked to wait.
    pub(super) retry_after: Option<Duration>,
}

/// Bytes that are not what the API server's content type promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer cannot be read: {}", self.0)
    }
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The credentials cannot be read.
    Access(KubeconfigError),
    /// No answer.
    Http(HttpError),
    /// The server said no.
    Refused(Refusal),
    /// The answer is rubbish.
    Unreadable(Unreadable),
    /// The pods of this node are more than this many bytes together.
    TooMuch(usize),
    /// The pods of this node are more than this many.
    TooMany(usize),
}

impl Failure {
    /// Whether the resource version that was asked for is no use: too old for a watch, too new for a list.
    pub(super) fn is_version(&self) -> bool {
        match self {
            Self::Refused(r) => {
                matches!(r.code, 410) || matches!(r.reason.as_str(), "Expired" | "Gone") || r.is_too_new()
            }
            _ => false,
        }
    }

    /// Whether the server has more to tell than is read.
    pub(super) fn is_much(&self) -> bool {
        matches!(self, Self::TooMuch(_) | Self::TooMany(_))
    }

    /// How long the server asks us to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

impl Refusal {
    /// A resource version that the server has not reached: it was restored from a backup, or lags behind.
    fn is_too_new(&self) -> bool {
        self.code == 504 && self.message.contains("Too large resource version")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access(e) => e.fmt(f),
            Self::Http(e) => e.fmt(f),
            Self::Unreadable(e) => e.fmt(f),
            Self::TooMuch(limit) => write!(
                f,
                "the API server has more than {} MiB of pods for this node, which is the most that is read; \
                 look there for needless pods of this node and for large annotations",
                limit >> 20
            ),
            Self::TooMany(limit) => write!(
                f,
                "the API server has more than {limit} pods for this node, which is the most that is read; \
                 look there for needless pods of this node"
            ),
            Self::Refused(refusal) => {
                let advice = match refusal.code {
                    401 => "; the credentials are not known there (expired or revoked?)",
                    403 => "; this user needs the verbs list and watch on pods",
                    _ => "",
                };
                write!(f, "the API server says no ({}", refusal.code)?;
                if !refusal.reason.is_empty() {
                    write!(f, " {}", refusal.reason)?;
                }
                f.write_str(")")?;
                if !refusal.message.is_empty() {
                    write!(f, ": {}", refusal.message)?;
                }
                f.write_str(advice)
            }
        }
    }
}

impl From<Unreadable> for Failure {
    fn from(e: Unreadable) -> Self {
        Self::Unreadable(e)
    }
}

impl From<HttpError> for Failure {
    fn from(e: HttpError) -> Self {
        Self::Http(e)
    }
}
