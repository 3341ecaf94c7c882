//! What is wrong (or questionable) in a manifest, as data that logs, `why` and `lint` print.

use std::fmt;

use crate::plain::plain;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The kubelet accepts it; a person should know.
    Warning,
    /// The kubelet refuses the manifest.
    Error,
}

/// One remark about one place in one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or URL, as the user named it.
    pub file: String,
    /// The pod that the manifest asks for: namespace and name as written, without the node's suffix. `None` where
    /// they cannot be read.
    pub pod: Option<(String, String)>,
    /// Line, from 1; 0 where no line can be named.
    pub line: u32,
    /// Column, from 1; 0 where no column can be named.
    pub column: u32,
    /// Path of the field in JSON terms, such as `spec.containers[0].image`; empty for the file as a whole.
    pub field: String,
    /// Error or warning.
    pub severity: Severity,
    /// Short stable word for programs, in CamelCase as Kubernetes writes reasons: `InvalidName`, `SecretReference`.
    pub reason: &'static str,
    /// One sentence for a person: what is wrong and what to do about it.
    pub message: String,
}

/// Files larger than this are refused unread (`kubernetes/kubernetes pkg/kubelet/config/file.go`, maxConfigLength).
pub const MAX_FILE_BYTES: u64 = 10 << 20;

/// Bytes of a field's path, or of a message, that are told: a value that is quoted may be as long as the file.
const MOST_TEXT: usize = 1 << 10;

/// The text, or its beginning where it is longer than a person reads.
#[must_use]
pub fn short(text: String) -> String {
    if text.len() <= MOST_TEXT {
        return text;
    }
    let end = (0..=MOST_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}...", text.get(..end).unwrap_or_default())
}

impl Finding {
    /// An error about a file as a whole.
    #[must_use]
    pub fn file_error(file: &str, reason: &'static str, message: String) -> Self {
        let (file, field) = (file.to_owned(), String::new());
        Self { file, pod: None, line: 0, column: 0, field, severity: Severity::Error, reason, message }
    }

    /// A file larger than [`MAX_FILE_BYTES`].
    #[must_use]
    pub fn too_large(file: &str) -> Self {
        let message = "file is larger than 10 MiB; the kubelet does not read it: move what is no manifest elsewhere";
        Self::file_error(file, "FileTooLarge", message.to_owned())
    }

    /// A file that could not be read. `error` is the operating system's word.
    #[must_use]
    pub fn unreadable(file: &str, error: &dyn fmt::Display) -> Self {
        let problem = plain(error.to_string());
        let hint = match problem.contains("; ") {
            true => "",
            false => "; check its permissions and what it links to",
        };
        let message = format!("file cannot be read: {problem}{hint}");
        Self::file_error(file, "FileUnreadable", message)
    }

    /// A URL that answered with nothing. The kubelet takes this for a node without static pods.
    #[must_use]
    pub fn empty_body(url: &str) -> Self {
        let message = "the answer is empty, so every pod from this URL goes; serve a Pod or a PodList";
        Self::file_error(url, "EmptyAnswer", message.to_owned())
    }

    /// Two files that ask for the same pod: a warning for `winner`, whose pod is served, and an error for the other.
    #[must_use]
    pub fn duplicate_pod(file: &str, namespace: &str, name: &str, winner: &str) -> Self {
        let (severity, message) = if file == winner {
            let message = format!("another file asks for the pod {namespace}/{name} too; this one wins");
            (Severity::Warning, message + ": the last good one by name does")
        } else {
            let message = format!("the pod {namespace}/{name} is taken from {winner}");
            (Severity::Error, message + ", the last good file by name; remove or rename one of the two")
        };
        let (field, pod) = ("metadata.name".to_owned(), Some((namespace.to_owned(), name.to_owned())));
        Self { pod, field, severity, ..Self::file_error(file, "DuplicatePod", message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        f.write_str(": ")?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}
