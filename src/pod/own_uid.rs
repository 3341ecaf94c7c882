//! UIDs of our own for static pods, and the hash of a manifest that they are made of.

use super::manifest::Manifest;

/// A UID of our own for a static pod whose real one is not known yet. The kubelet's UIDs are hashes over Go structs
/// and cannot be recomputed; ours are 32 hex digits too and begin with eight `f`, which marks them and sorts them last.
/// The same manifest from the same place on the same node always gets the same one. `content` is its [`content_hash`].
#[must_use]
pub fn own_uid(content: u128, node_name: &str, origin: &str) -> String {
    let mut hash = Fnv::new();
    hash.part(&content.to_be_bytes());
    hash.part(node_name.as_bytes());
    hash.part(origin.as_bytes());
    let folded = (hash.0 ^ (hash.0 >> 96)) & ((1 << 96) - 1);
    format!("ffffffff{folded:024x}")
}

/// Tells whether two manifests are the same: an edit that changes the pod changes the hash, one of comments or of the
/// order of keys does not. The same over restarts. Costs some 15 µs for a manifest of 4 KiB, so it is kept with it.
#[must_use]
pub fn content_hash(manifest: &Manifest) -> u128 {
    let mut hash = Fnv::new();
    hash.part(manifest.name.as_bytes());
    hash.part(manifest.namespace.as_bytes());
    hash.part(manifest.uid.as_deref().unwrap_or_default().as_bytes());
    hash.part(&manifest.metadata);
    hash.part(&manifest.spec);
    hash.0
}

/// FNV-1a with 128 bits. Parts are told apart by their length.
struct Fnv(u128);

impl Fnv {
    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn part(&mut self, bytes: &[u8]) {
        for &byte in (bytes.len() as u64).to_be_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(spec: &[u8]) -> Manifest {
        let (metadata, spec) = (b"metadata".to_vec(), spec.to_vec());
        Manifest { name: "web".into(), namespace: "default".into(), uid: None, metadata, spec }
    }

    #[test]
    fn our_own_uid() {
        let one = manifest(b"a");
        let uid = own_uid(content_hash(&one), "n", "/etc/a.yaml");
        assert_eq!(uid.len(), 32);
        assert!(uid.starts_with("ffffffff"));
        assert_eq!(uid, own_uid(content_hash(&one), "n", "/etc/a.yaml"));
        let edited = manifest(b"b");
        let others = [
            own_uid(content_hash(&edited), "n", "/etc/a.yaml"),
            own_uid(content_hash(&one), "m", "/etc/a.yaml"),
            own_uid(content_hash(&one), "n", "/etc/b.yaml"),
            // Parts are told apart, not only their concatenation.
            own_uid(content_hash(&one), "n/", "etc/a.yaml"),
        ];
        assert!(others.iter().all(|other| *other != uid), "{others:?}");
        // Fixed for good: a UID that changed with a new version of this program would make every pod a new one.
        assert_eq!(uid, "ffffffff4a2f347874c934e49f1bc336");
    }
}
