//! Why a field mask is refused.

use std::fmt;

use crate::codec::wire::WireError;

/// Why a field mask is refused. Every variant names the path it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskError {
    /// A segment names no field.
    UnknownField {
        /// The whole path.
        path: String,
        /// The segment that names nothing.
        segment: String,
        /// Where the segment was looked for, such as `PodStatus`.
        message: &'static str,
        /// The real path that looks most like it.
        nearest: Option<String>,
    },
    /// The path goes on below a scalar, a Quantity, a Time or an IntOrString.
    BelowLeaf {
        /// The whole path.
        path: String,
        /// The part that has nothing below it.
        leaf: String,
    },
    /// A list element was named by its position.
    ListIndex {
        /// The whole path.
        path: String,
        /// The path without the position.
        instead: String,
    },
    /// A map key with dots was written without quotes.
    DottedKey {
        /// The whole path.
        path: String,
        /// The path with the key in brackets.
        instead: String,
    },
    /// Brackets or quotes that do not close, or an empty segment.
    Syntax {
        /// The whole path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More text than a mask may have.
    TooLong {
        /// Length in bytes.
        len: usize,
    },
    /// Bytes that are not a `google.protobuf.FieldMask`.
    NotAFieldMask(WireError),
    /// A path that is not UTF-8.
    NotText,
}

impl fmt::Display for MaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid field mask: ")?;
        match self {
            Self::UnknownField { path, segment, message, nearest } => {
                write!(f, "path {path:?}: {message} has no field {segment:?}")?;
                nearest.as_ref().map_or(Ok(()), |n| write!(f, "; did you mean {n:?}?"))
            }
            Self::BelowLeaf { path, leaf } => write!(f, "path {path:?}: {leaf:?} has no fields below it"),
            Self::ListIndex { path, instead } => {
                write!(f, "path {path:?}: a path goes to every element of a list; write {instead:?}")
            }
            Self::DottedKey { path, instead } => write!(f, "path {path:?}: a key with dots is written {instead:?}"),
            Self::Syntax { path, problem } => write!(f, "path {path:?}: {problem}"),
            Self::TooLong { len } => write!(f, "{len} bytes are more than the {} allowed", super::MAX_LEN),
            Self::NotAFieldMask(e) => write!(f, "not a google.protobuf.FieldMask: {e}"),
            Self::NotText => f.write_str("a path is not UTF-8"),
        }
    }
}

impl std::error::Error for MaskError {}
