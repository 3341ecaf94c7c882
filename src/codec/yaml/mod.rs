//! YAML and JSON documents as Kubernetes reads them, with the places of all values.
//!
//! Kubernetes turns YAML into JSON first (`kubernetes-sigs/yaml`), with the scalars of YAML 1.1, and takes a text
//! that begins with `{` for JSON (`k8s.io/apimachinery pkg/util/yaml`).
//!
//! Known differences, all of them errors here: flow collections and quoted text that go on in a line indented less
//! than YAML 1.2 asks for. One is laxer: a root mapping may be indented with tabs.

mod advice;
mod builder;
pub mod encoding;
mod json_text;
mod marks;
mod outdent;
mod scalar;

use std::fmt;

use serde_json::Value;

pub use marks::{Mark, Marks};

/// Values that a document may hold, the copies that aliases make included.
pub const MAX_NODES: usize = 500_000;
/// Bytes of text that anchors and aliases may copy.
pub const MAX_COPIED: usize = 16 << 20;
/// Objects and lists within each other.
pub const MAX_DEPTH: usize = 100;
/// Keys that occur twice which are reported.
const MAX_DUPLICATES: usize = 100;

/// One document.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The content as JSON.
    pub value: Value,
    /// Where its values stand.
    pub marks: Marks,
    /// Keys that stand twice in one mapping; the last one counts. At most 100 are listed.
    pub duplicates: Vec<Duplicate>,
}

/// A key that stands twice in one mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Path of the key, such as `spec.hostNetwork`.
    pub path: String,
    /// Where it stands again.
    pub mark: Mark,
}

impl Duplicate {
    /// Of a path that is very long (a key may be as long as the text), the beginning is told.
    fn at(path: &str, mark: Mark) -> Self {
        const MOST: usize = 1 << 10;
        let end = (0..=MOST.min(path.len())).rev().find(|at| path.is_char_boundary(*at)).unwrap_or_default();
        Self { path: path.get(..end).unwrap_or_default().to_owned(), mark }
    }
}

/// A text that is not YAML, or that holds more than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong there, and what to do.
    pub problem: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for YamlError {}

/// Reads the first document of a text. A text without any content is null.
///
/// # Errors
/// The text is not UTF-8, not YAML (or not JSON, if it begins with `{`), or exceeds [`MAX_NODES`],
/// [`MAX_COPIED`] or [`MAX_DEPTH`].
pub fn parse(text: &[u8]) -> Result<Document, YamlError> {
    let json = begins_with_brace(text);
    let text = utf8(text)?;
    if json {
        return json_text::parse(text);
    }
    parse_yaml(text)
}

/// Reads the first document of a configuration file. In these a `{` at the start is no promise of JSON: what reads
/// kubeconfigs and the kubelet's own files takes any YAML (`k8s.io/apimachinery pkg/runtime/serializer/json`).
///
/// # Errors
/// As [`parse`], but for a text that begins with `{` and is YAML.
pub fn parse_config(text: &[u8]) -> Result<Document, YamlError> {
    let json = begins_with_brace(text);
    let text = utf8(text)?;
    if json {
        return json_text::parse(text).or_else(|_| parse_yaml(text));
    }
    parse_yaml(text)
}

fn utf8(text: &[u8]) -> Result<&str, YamlError> {
    std::str::from_utf8(text).map_err(|e| {
        let sound = text.get(..e.valid_up_to()).unwrap_or_default();
        at_end(&String::from_utf8_lossy(sound), "this is not UTF-8; save the file as UTF-8")
    })
}

/// Whether a text that is UTF-8 is read as JSON.
#[must_use]
pub fn begins_with_brace(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.trim_start().starts_with('{'))
}

fn parse_yaml(text: &str) -> Result<Document, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| c.is_control() && !"\t\n\r\u{85}".contains(*c)) {
        let before = text.get(..at).unwrap_or_default();
        return Err(at_end(before, &format!("the control character U+{:04X} is not allowed; remove it", u32::from(c))));
    }
    builder::parse(text)
}

/// Whether a text without quotes is read as this very text, also by readers that know base-60 numbers and
/// timestamps, which Kubernetes reads as text but quotes all the same.
pub(super) fn is_plain_text(text: &str) -> bool {
    scalar::plain(text) == scalar::Scalar::Text && !scalar::is_base60(text) && !scalar::is_timestamp(text)
}

/// A number as Go prints it in YAML.
pub(super) fn number(n: &serde_json::Number) -> String {
    match n.as_f64() {
        Some(f) if n.is_f64() => scalar::shortest(&format!("{f:e}")),
        _ => n.to_string(),
    }
}

/// An error at the end of the text that was read so far.
fn at_end(before: &str, problem: &str) -> YamlError {
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    YamlError { line: line as u32, column: column as u32, problem: problem.into() }
}

#[cfg(test)]
mod tests;
