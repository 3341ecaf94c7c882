//! What masks show of pods, computed once for each version of a pod and shared by everybody who asks with the same
//! mask.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use parking_lot::Mutex;

use super::snapshot::{PodEntry, PodId};
use super::watch::{News, View};
use crate::codec::mask::{Mask, MaskError};
use crate::pod::selector::Selector;

/// Masks that stay compiled. Clients choose them, so there is an end to it; the one unused for longest goes.
const MASKS: usize = 16;
/// Bytes of results kept for one mask. When there would be more, all of them go and are made again when asked.
const BYTES: usize = 512 * 1024;

/// How a client wrote its mask: the key of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskText {
    /// Comma-separated paths.
    Text(String),
    /// A serialised `google.protobuf.FieldMask`.
    Binary(Vec<u8>),
}

impl MaskText {
    fn compile(&self) -> Result<Mask, MaskError> {
        match self {
            Self::Text(text) => Mask::parse(text),
            Self::Binary(bytes) => Mask::parse_binary(bytes),
        }
    }
}

/// Compiled masks by the text they came from, least recently used first.
#[derive(Debug, Default)]
pub struct MaskCache {
    masks: Mutex<VecDeque<(MaskText, Arc<MaskedPods>)>>,
}

impl MaskCache {
    /// The mask for this text, compiled at most once while it stays in use.
    ///
    /// # Errors
    /// The text is no mask of a pod.
    pub fn get(&self, text: &MaskText) -> Result<Arc<MaskedPods>, MaskError> {
        let mut masks = self.masks.lock();
        let known = masks.iter().position(|(t, _)| t == text);
        let entry = match known.and_then(|at| masks.remove(at)) {
            Some(entry) => entry,
            None => (text.clone(), Arc::new(MaskedPods::new(text.compile()?))),
        };
        let pods = Arc::clone(&entry.1);
        if masks.len() == MASKS {
            masks.pop_front();
        }
        masks.push_back(entry);
        Ok(pods)
    }
}

/// One mask and what it shows of the pods it was asked about.
#[derive(Debug)]
pub struct MaskedPods {
    mask: Mask,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    pods: HashMap<Arc<PodId>, Masked>,
    bytes: usize,
}

/// What a mask shows of one version of a pod.
#[derive(Clone, Debug)]
pub struct Masked {
    /// Revision of the version.
    pub revision: u64,
    /// A hash of the bytes: two versions with the same hash are no news to a watcher.
    pub hash: u64,
    /// The encoded pod as the mask shows it.
    pub bytes: Arc<[u8]>,
}

impl MaskedPods {
    /// Nothing computed yet.
    #[must_use]
    pub fn new(mask: Mask) -> Self {
        Self { mask, kept: Mutex::default() }
    }

    /// True where the mask shows everything, so that the pod's own bytes do.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.mask.is_everything()
    }

    /// What the mask shows of this version of the pod.
    #[must_use]
    pub fn of(&self, pod: &PodEntry) -> Masked {
        let mut kept = self.kept.lock();
        if let Some(known) = kept.pods.get(&pod.id).filter(|m| m.revision == pod.revision) {
            return known.clone();
        }
        let bytes: Arc<[u8]> = self.mask.apply(pod.bytes.as_bytes()).into();
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let masked = Masked { revision: pod.revision, hash: hasher.finish(), bytes };
        let size = |m: &Masked| m.bytes.len() + 256;
        if kept.bytes + size(&masked) > BYTES {
            *kept = Kept::default();
        }
        kept.bytes += size(&masked);
        if let Some(before) = kept.pods.insert(Arc::clone(&pod.id), masked.clone()) {
            kept.bytes -= size(&before);
        }
        masked
    }
}

/// What one client asked to see: a selection of pods, and what of them.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which pods.
    pub selector: Selector,
    /// What of them; `None` is everything.
    pub mask: Option<Arc<MaskedPods>>,
}

impl View for Request {
    fn selects(&self, pod: &PodEntry) -> bool {
        self.selector.is_everything() || self.selector.selects(&pod.id.namespace, &pod.bytes)
    }

    fn news(&self, pod: &PodEntry) -> News {
        News::of(self.mask.as_ref().map_or(pod.revision, |m| m.of(pod).hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::pod_bytes::PodBytes;
    use crate::codec::wire::put_bytes;
    use crate::store::snapshot::Snapshot;
    use crate::store::watch::{Event, Watcher};

    fn pod(uid: &str, revision: u64, phase: &str, ip: &str) -> Arc<PodEntry> {
        let mut status = Vec::new();
        put_bytes(&mut status, 1, phase.as_bytes());
        put_bytes(&mut status, 6, ip.as_bytes());
        Arc::new(PodEntry {
            id: Arc::new(PodId { uid: uid.into(), namespace: "default".into(), name: uid.into() }),
            phase: phase.into(),
            container_ids: Vec::new(),
            ips: Vec::new(),
            revision,
            bytes: PodBytes::from_sections(&[], &[], &status, &[]),
        })
    }

    fn text(s: &str) -> MaskText {
        MaskText::Text(s.into())
    }

    #[test]
    fn results_are_made_once_for_a_version() {
        let cache = MaskCache::default();
        let pods = cache.get(&text("status.phase")).unwrap();
        assert!(Arc::ptr_eq(&pods, &cache.get(&text("status.phase")).unwrap()));
        let (first, again) = (pods.of(&pod("a", 1, "Running", "1")), pods.of(&pod("a", 1, "Running", "1")));
        assert!(Arc::ptr_eq(&first.bytes, &again.bytes));
        let moved = pods.of(&pod("a", 2, "Running", "2"));
        assert_eq!((moved.revision, moved.hash), (2, first.hash));
        assert_ne!(pods.of(&pod("a", 3, "Failed", "2")).hash, first.hash);
        assert!(cache.get(&text("status.fase")).is_err());
    }

    #[test]
    fn both_caches_are_bounded() {
        let cache = MaskCache::default();
        let first = cache.get(&text("metadata")).unwrap();
        for n in 0..MASKS {
            cache.get(&text(&format!("metadata.labels['{n}']"))).unwrap();
        }
        assert_eq!(cache.masks.lock().len(), MASKS);
        assert!(!Arc::ptr_eq(&first, &cache.get(&text("metadata")).unwrap()));
        let long = "x".repeat(BYTES / 4);
        let pods = cache.get(&text("status")).unwrap();
        for n in 0..20 {
            let got = pods.of(&pod(&n.to_string(), 1, &long, ""));
            assert!(got.bytes.len() > long.len());
            assert!(pods.kept.lock().bytes <= BYTES);
        }
    }

    #[test]
    fn a_watch_tells_only_what_its_mask_shows() {
        let mask = Some(MaskCache::default().get(&text("status.phase")).unwrap());
        let mut watcher = Watcher::with_view(Request { mask, ..Request::default() });
        let mut next = |revision, phase: &str, ip: &str| {
            let now = Snapshot { pods: vec![pod("a", revision, phase, ip)], ..Snapshot::empty(revision) };
            std::iter::from_fn(|| watcher.next(&now)).count()
        };
        assert_eq!(next(1, "Pending", ""), 2, "ADDED and the marker");
        assert_eq!(next(2, "Pending", "10.0.0.1"), 0);
        assert_eq!(next(3, "Running", "10.0.0.1"), 1);
    }

    #[test]
    fn entering_a_selection_is_added_and_leaving_it_deleted() {
        let fields = crate::pod::selector::FieldSelector::parse("status.phase=Running").unwrap();
        let selector = Selector { fields, ..Selector::default() };
        let mut watcher = Watcher::with_view(Request { selector, mask: None });
        let mut next = |revision, phase: &str| {
            let now = Snapshot { pods: vec![pod("a", revision, phase, "")], ..Snapshot::empty(revision) };
            std::iter::from_fn(|| watcher.next(&now)).collect::<Vec<_>>()
        };
        assert_eq!(next(1, "Pending"), [Event::InitialSyncComplete]);
        assert!(matches!(next(2, "Running").as_slice(), [Event::Added(_)]));
        assert!(matches!(next(3, "Succeeded").as_slice(), [Event::Deleted(_)]));
        assert_eq!(next(4, "Failed"), []);
    }
}
