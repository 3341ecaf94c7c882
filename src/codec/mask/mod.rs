//! Field masks: which parts of a pod a client wants, compiled once and applied to encoded bytes without decoding.
//!
//! Paths use JSON names (`status.podIPs`), go through lists (each element is filtered and keeps its place) and
//! through inlined messages by their JSON form (`spec.volumes.hostPath`). A map entry is named by its key
//! (`metadata.labels['app']`). Nothing is added that was not asked for.

mod apply;
mod error;
mod path;

pub use error::MaskError;

use super::schema::id;
use super::wire::{self, Value};

/// At most this many bytes of text (or of an encoded `FieldMask`) are compiled.
pub const MAX_LEN: usize = 16 * 1024;

/// A compiled mask over `core/v1 Pod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    root: Node,
}

/// What is wanted of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// All of it.
    All,
    /// These fields of a message, by number, sorted.
    Fields(Vec<(u32, Node)>),
    /// These entries of a map, by key, sorted.
    Keys(Vec<String>),
}

impl Mask {
    /// Compiles the text form: comma-separated paths, as in `metadata.name,status.phase`. Blanks around paths are
    /// trimmed; an empty text and `*` mean everything.
    ///
    /// # Errors
    /// A path that names no field of a pod, or text that is not a list of paths.
    pub fn parse(text: &str) -> Result<Self, MaskError> {
        if text.len() > MAX_LEN {
            return Err(MaskError::TooLong { len: text.len() });
        }
        Self::compile(path::split(text)?)
    }

    /// Compiles a serialised `google.protobuf.FieldMask` (`repeated string paths = 1`).
    ///
    /// # Errors
    /// The bytes are not a `FieldMask`, or one of its paths names no field of a pod.
    pub fn parse_binary(bytes: &[u8]) -> Result<Self, MaskError> {
        if bytes.len() > MAX_LEN {
            return Err(MaskError::TooLong { len: bytes.len() });
        }
        let mut paths = Vec::new();
        for field in wire::fields(bytes) {
            let field = field.map_err(MaskError::NotAFieldMask)?;
            if let (1, Value::Bytes(b)) = (field.number, field.value) {
                paths.push(std::str::from_utf8(b).map_err(|_| MaskError::NotText)?.trim());
            }
        }
        Self::compile(paths)
    }

    fn compile<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, MaskError> {
        let mut root = None;
        for p in paths {
            let node = root.get_or_insert_with(|| Node::Fields(Vec::new()));
            path::insert(node, id::POD, p, p)?;
        }
        Ok(Self { root: root.unwrap_or(Node::All) })
    }

    /// True where the mask selects the whole pod.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.root == Node::All
    }

    /// The selected parts of an encoded pod, encoded. Bytes that are not a message are dropped where they stand.
    #[must_use]
    pub fn apply(&self, pod: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.apply_into(pod, &mut out);
        out
    }

    /// Like [`Mask::apply`], appended to `out`.
    pub fn apply_into(&self, pod: &[u8], out: &mut Vec<u8>) {
        apply::node(&self.root, id::POD, pod, out);
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
