//! A pod as its bytes: the protobuf encoding of `k8s.io.api.core.v1.Pod` with the places of its three sections.

use std::ops::Range;
use std::sync::Arc;

use super::wire::{self, Value, WireError};

const METADATA: u32 = 1;
const SPEC: u32 = 2;
const STATUS: u32 = 3;

/// One pod, encoded once and shared: metadata, spec, status, then unknown top-level fields as they came.
#[derive(Clone, PartialEq, Eq)]
pub struct PodBytes {
    bytes: Arc<[u8]>,
    metadata: Range<usize>,
    spec: Range<usize>,
    status: Range<usize>,
    unknown: usize,
}

impl PodBytes {
    /// Puts a pod together from its encoded sections. `unknown` holds whole top-level fields that the schema
    /// does not know, tags included.
    #[must_use]
    pub fn from_sections(metadata: &[u8], spec: &[u8], status: &[u8], unknown: &[u8]) -> Self {
        let mut out = Vec::with_capacity(
            wire::bytes_len(METADATA, metadata.len())
                + wire::bytes_len(SPEC, spec.len())
                + wire::bytes_len(STATUS, status.len())
                + unknown.len(),
        );
        let mut put = |number, section: &[u8]| {
            wire::put_bytes(&mut out, number, section);
            out.len() - section.len()..out.len()
        };
        let (metadata, spec, status) = (put(METADATA, metadata), put(SPEC, spec), put(STATUS, status));
        let known = out.len();
        out.extend_from_slice(unknown);
        Self { bytes: out.into(), metadata, spec, status, unknown: known }
    }

    /// Splits an encoded pod into its sections. Split sections are joined, as protobuf demands; their content is
    /// taken as it is. Use [`crate::codec`]'s canonical form for bytes that came from another program.
    ///
    /// # Errors
    /// The bytes are not a protobuf message.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, WireError> {
        let (mut sections, mut unknown) = ([Vec::new(), Vec::new(), Vec::new()], Vec::new());
        for field in wire::fields(bytes) {
            let field = field?;
            let [metadata, spec, status] = &mut sections;
            match (field.number, field.value) {
                (METADATA, Value::Bytes(b)) => metadata.extend_from_slice(b),
                (SPEC, Value::Bytes(b)) => spec.extend_from_slice(b),
                (STATUS, Value::Bytes(b)) => status.extend_from_slice(b),
                _ => unknown.extend_from_slice(field.raw),
            }
        }
        let [metadata, spec, status] = &sections;
        Ok(Self::from_sections(metadata, spec, status, &unknown))
    }

    /// The same pod with another status section.
    #[must_use]
    pub fn with_status(&self, status: &[u8]) -> Self {
        Self::from_sections(self.metadata(), self.spec(), status, self.unknown())
    }

    /// The same pod with another metadata section.
    #[must_use]
    pub fn with_metadata(&self, metadata: &[u8]) -> Self {
        Self::from_sections(metadata, self.spec(), self.status(), self.unknown())
    }

    /// The whole pod, as it is sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The encoded `meta.v1.ObjectMeta`.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        self.bytes.get(self.metadata.clone()).unwrap_or_default()
    }

    /// The encoded `PodSpec`.
    #[must_use]
    pub fn spec(&self) -> &[u8] {
        self.bytes.get(self.spec.clone()).unwrap_or_default()
    }

    /// The encoded `PodStatus`.
    #[must_use]
    pub fn status(&self) -> &[u8] {
        self.bytes.get(self.status.clone()).unwrap_or_default()
    }

    /// Top-level fields that the schema does not know, tags included.
    #[must_use]
    pub fn unknown(&self) -> &[u8] {
        self.bytes.get(self.unknown..).unwrap_or_default()
    }
}

impl std::fmt::Debug for PodBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PodBytes")
            .field("metadata", &self.metadata.len())
            .field("spec", &self.spec.len())
            .field("status", &self.status.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_sections_are_joined_and_unknown_fields_kept() {
        let mut raw = Vec::new();
        wire::put_bytes(&mut raw, SPEC, b"\x1a\x01a");
        wire::put_bytes(&mut raw, 9, b"new");
        wire::put_bytes(&mut raw, METADATA, b"\x0a\x01n");
        wire::put_bytes(&mut raw, SPEC, b"\x32\x01b");
        let pod = PodBytes::from_wire(&raw).unwrap();
        assert_eq!(pod.metadata(), b"\x0a\x01n");
        assert_eq!(pod.spec(), b"\x1a\x01a\x32\x01b");
        assert_eq!(pod.status(), b"");
        assert_eq!(PodBytes::from_wire(pod.as_bytes()).unwrap(), pod);
        assert_eq!(pod.with_status(b"\x0a\x01R").unknown(), pod.unknown());
    }
}
