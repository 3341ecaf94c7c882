//! What is wrong (or questionable) in a manifest, as data that logs, `why` and `lint` print.

use std::fmt;

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
