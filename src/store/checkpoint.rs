//! What outlives a restart, as bytes: pods, last good manifests, the revision.
//!
//! A file is a head of 28 bytes (`nodepods`, then little-endian: version u32, length of the body u64, FNV-1a of the
//! body u64) and a body, a protobuf message: 1 revision, 2 `as_of_ms`, 3 pod (repeated), 4 manifest (repeated),
//! 5 ended instances of a pod (repeated).
//! Fields that a reader does not know are skipped; what it could not skip makes a new version.

mod ended;

use std::fmt;
use std::sync::Arc;

use super::update::SourceId;
use super::Ended;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::{self, Value, WireError};
use crate::pod::manifest::Manifest;

/// Largest checkpoint in bytes, head included: some 3,000 pods. What does not fit is left out.
pub const MAX_BYTES: usize = 16 << 20;

const MAGIC: &[u8; 8] = b"nodepods";
const VERSION: u32 = 1;
const HEAD: usize = 28;

const REVISION: u32 = 1;
const AS_OF: u32 = 2;
const POD: u32 = 3;
const MANIFEST: u32 = 4;
const ENDED: u32 = 5;

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The revision that was current: later ones may have been served.
    pub revision: u64,
    /// When the pods of sources that can vanish were last known to be true, in milliseconds since the epoch.
    pub as_of_ms: u64,
    /// The pods as they were served.
    pub pods: Vec<PodBytes>,
    /// Last good manifests.
    pub manifests: Vec<Kept>,
    /// Instances of containers that have ended, by the UID of their pod.
    pub ended: Arc<Ended>,
}

/// The last good version of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `File` or `Http`.
    pub source: SourceId,
    /// The path or URL it came from.
    pub origin: String,
    /// What it asks for.
    pub manifest: Arc<Manifest>,
}

/// A checkpoint as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// Pods, manifests and instances that were left out because the file would be larger than [`MAX_BYTES`].
    pub left_out: usize,
}

/// Why bytes are no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// They do not begin like one.
    Foreign,
    /// A later version of this program wrote them.
    Newer(u32),
    /// They end early, or go on too long.
    Length {
        /// Bytes that the head promises.
        want: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// They are not what was written.
    Checksum,
    /// The checksum is right and the content makes no sense.
    Content(WireError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is no checkpoint of nodepods"),
            Self::Newer(version) => {
                write!(f, "it has format {version} and this program reads format {VERSION}: a newer nodepods wrote it")
            }
            Self::Length { want, have } => write!(f, "it should have {want} bytes and has {have}"),
            Self::Checksum => f.write_str("its checksum is wrong: it was damaged after it was written"),
            Self::Content(e) => write!(f, "its content makes no sense: {e}"),
        }
    }
}

impl std::error::Error for CheckpointError {}

impl Checkpoint {
    /// The bytes to write, at most [`MAX_BYTES`].
    #[must_use]
    pub fn encode(&self) -> Encoded {
        self.encode_within(MAX_BYTES)
    }

    fn encode_within(&self, limit: usize) -> Encoded {
        let mut bytes = vec![0; HEAD];
        wire::put_number(&mut bytes, REVISION, self.revision);
        wire::put_number(&mut bytes, AS_OF, self.as_of_ms);
        let mut left_out = 0;
        let mut put = |number, field: &[u8]| {
            if bytes.len() + wire::bytes_len(number, field.len()) <= limit {
                wire::put_bytes(&mut bytes, number, field);
            } else {
                left_out += 1;
            }
        };
        for kept in &self.manifests {
            put(MANIFEST, &kept.encode());
        }
        for pod in &self.pods {
            put(POD, pod.as_bytes());
        }
        for (uid, instances) in self.ended.iter() {
            put(ENDED, &ended::encode(uid, instances));
        }
        let head = head(bytes.get(HEAD..).unwrap_or_default());
        for (to, from) in bytes.iter_mut().zip(head) {
            *to = from;
        }
        Encoded { bytes, left_out }
    }

    /// Reads what [`Checkpoint::encode`] made.
    ///
    /// # Errors
    /// The bytes are damaged, from a newer version, or something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, CheckpointError> {
        if !bytes.starts_with(MAGIC) {
            return Err(CheckpointError::Foreign);
        }
        let short = CheckpointError::Length { want: HEAD as u64, have: bytes.len() as u64 };
        let (version, rest) = bytes.get(8..).and_then(|b| b.split_first_chunk::<4>()).ok_or(short.clone())?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or(short.clone())?;
        let (sum, body) = rest.split_first_chunk::<8>().ok_or(short)?;
        match u32::from_le_bytes(*version) {
            VERSION => {}
            newer @ VERSION.. => return Err(CheckpointError::Newer(newer)),
            _ => return Err(CheckpointError::Foreign),
        }
        let want = u64::from_le_bytes(*length);
        if want != body.len() as u64 {
            let head = HEAD as u64;
            return Err(CheckpointError::Length { want: want.saturating_add(head), have: bytes.len() as u64 });
        }
        if u64::from_le_bytes(*sum) != fnv1a(body) {
            return Err(CheckpointError::Checksum);
        }
        Self::content(body).map_err(CheckpointError::Content)
    }

    fn content(body: &[u8]) -> Result<Self, WireError> {
        let (mut read, mut ended) = (Self::default(), Ended::new());
        for field in wire::fields(body) {
            let field = field?;
            match (field.number, field.value) {
                (REVISION, Value::Varint(n)) => read.revision = n,
                (AS_OF, Value::Varint(n)) => read.as_of_ms = n,
                (POD, Value::Bytes(b)) => read.pods.push(PodBytes::from_wire(b)?),
                (MANIFEST, Value::Bytes(b)) => read.manifests.extend(Kept::decode(b)?),
                (ENDED, Value::Bytes(b)) => ended.extend([ended::decode(b)?]),
                _ => {}
            }
        }
        read.ended = Arc::new(ended);
        Ok(read)
    }
}

impl Kept {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_number(&mut out, 1, u64::from(self.source == SourceId::Http));
        let manifest = &self.manifest;
        let uid = manifest.uid.as_ref().map(|uid| (5, uid.as_bytes()));
        let fields = [
            (2, self.origin.as_bytes()),
            (3, manifest.name.as_bytes()),
            (4, manifest.namespace.as_bytes()),
            (6, &manifest.metadata),
            (7, &manifest.spec),
        ];
        for (number, value) in fields.into_iter().chain(uid) {
            wire::put_bytes(&mut out, number, value);
        }
        out
    }

    /// `None` for a manifest without origin or name, which nobody wrote.
    fn decode(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (mut source, mut origin) = (SourceId::File, String::new());
        let mut manifest =
            Manifest { name: String::new(), namespace: String::new(), uid: None, metadata: vec![], spec: vec![] };
        for field in wire::fields(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Varint(1)) => source = SourceId::Http,
                (2, Value::Bytes(b)) => origin = text(b),
                (3, Value::Bytes(b)) => manifest.name = text(b),
                (4, Value::Bytes(b)) => manifest.namespace = text(b),
                (5, Value::Bytes(b)) => manifest.uid = Some(text(b)),
                (6, Value::Bytes(b)) => manifest.metadata = b.to_vec(),
                (7, Value::Bytes(b)) => manifest.spec = b.to_vec(),
                _ => {}
            }
        }
        let whole = !origin.is_empty() && !manifest.name.is_empty();
        Ok(whole.then_some(Self { source, origin, manifest: manifest.into() }))
    }
}

fn head(body: &[u8]) -> impl Iterator<Item = u8> {
    let length = (body.len() as u64).to_le_bytes();
    MAGIC.iter().copied().chain(VERSION.to_le_bytes()).chain(length).chain(fnv1a(body).to_le_bytes())
}

/// FNV-1a with 64 bits: finds what power cuts and bad flash do. It is no protection against malice; the file's
/// mode is.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
