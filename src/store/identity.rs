//! Which UID has a static pod? The kubelet's UIDs are hashes that cannot be recomputed here; they are learned from
//! the sandboxes that the kubelet made, and remembered with the content they stood for.

use std::collections::BTreeMap;

use super::declared::Declared;
use super::runtime_view::RuntimePod;
use crate::pod::own_uid::own_uid;

/// Bindings that are remembered beside one for each manifest; the one unused for longest goes. Each edit of a manifest
/// makes one.
const BINDINGS: usize = 512;
/// How long an edit that the runtime showed before the manifest did may take to be seen in the manifest: one full
/// re-read (20 s) and some.
const LATE_MS: u64 = 60_000;

/// The UID of a static pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The UID.
    pub uid: String,
    /// It is one of our own ([`own_uid`]): the real one is not known.
    pub generated: bool,
}

/// What a UID stands for.
#[derive(Clone, Debug)]
struct Binding {
    origin: String,
    content: u128,
    /// The sandbox was made after the manifest was seen, so they belong together. Else the manifest may have been
    /// edited in between, in a way that does not show in the runtime.
    sure: bool,
    /// The content had another UID before, and an edit of the manifest that is seen until then explains why.
    unexplained_until_ms: u64,
    used: u64,
}

impl Binding {
    fn is_for(&self, declared: &Declared) -> bool {
        self.content == declared.content && self.origin == declared.origin
    }
}

/// The UIDs that were learned.
#[derive(Debug, Default)]
pub struct Identities {
    bindings: BTreeMap<String, Binding>,
    uses: u64,
}

impl Identities {
    /// The UID of a declared pod. `candidates` are the runtime's pods with its namespace and name whose annotations
    /// say that they come from a manifest, newest sandbox first.
    pub fn resolve(
        &mut self,
        declared: &Declared,
        candidates: &[(&str, &RuntimePod)],
        node_name: &str,
        steady_ms: u64,
    ) -> Identity {
        if let Some(uid) = &declared.manifest.uid {
            return Identity { uid: uid.clone(), generated: false };
        }
        let found = candidates.iter().find(|(uid, pod)| self.stands_for(uid, pod, declared, steady_ms));
        if let Some((uid, pod)) = found {
            self.bind(uid, pod, declared, steady_ms);
            return Identity { uid: (*uid).to_owned(), generated: false };
        }
        // The same content has the same UID again, sandbox or not.
        let remembered = self.bindings.iter_mut().filter(|(_, b)| b.is_for(declared)).max_by_key(|(_, b)| b.used);
        if let Some((uid, binding)) = remembered {
            self.uses += 1;
            binding.used = self.uses;
            return Identity { uid: uid.clone(), generated: false };
        }
        Identity { uid: own_uid(declared.content, node_name, &declared.origin), generated: true }
    }

    /// Whether some UID stands for this content.
    #[must_use]
    pub fn know(&self, declared: &Declared) -> bool {
        self.bindings.values().any(|b| b.is_for(declared))
    }

    /// Takes the word of a kubelet or of the checkpoint for what a UID stands for.
    pub fn remember(&mut self, uid: &str, declared: &Declared) {
        self.uses += 1;
        let binding = Binding {
            origin: declared.origin.clone(),
            content: declared.content,
            sure: true,
            unexplained_until_ms: 0,
            used: self.uses,
        };
        self.bindings.entry(uid.to_owned()).or_insert(binding);
    }

    fn stands_for(&self, uid: &str, pod: &RuntimePod, declared: &Declared, steady_ms: u64) -> bool {
        match self.bindings.get(uid) {
            Some(binding) if binding.is_for(declared) => true,
            Some(binding) => steady_ms < binding.unexplained_until_ms && declared.look().may_have_made(pod),
            None => declared.look().may_have_made(pod),
        }
    }

    fn bind(&mut self, uid: &str, pod: &RuntimePod, declared: &Declared, steady_ms: u64) {
        self.uses += 1;
        if let Some(binding) = self.bindings.get_mut(uid).filter(|b| b.is_for(declared)) {
            binding.used = self.uses;
            return;
        }
        // A guess for the same content is refuted. What was sure stays: the content had that UID.
        self.bindings.retain(|_, b| b.sure || !b.is_for(declared));
        let had_another = self.bindings.values().any(|b| b.is_for(declared));
        let made_ms = pod.newest().map_or(0, |s| u64::try_from(s.created_at / 1_000_000).unwrap_or_default());
        let binding = Binding {
            origin: declared.origin.clone(),
            content: declared.content,
            sure: made_ms >= declared.first_seen_ms,
            unexplained_until_ms: if had_another { steady_ms.saturating_add(LATE_MS) } else { 0 },
            used: self.uses,
        };
        self.bindings.insert(uid.to_owned(), binding);
    }

    /// Forgets what is too much, after all of `declared` manifests were resolved: what they use stays.
    pub fn forget(&mut self, declared: usize) {
        let Some(surplus) = self.bindings.len().checked_sub(BINDINGS + declared).filter(|n| *n > 0) else { return };
        let mut used: Vec<u64> = self.bindings.values().map(|b| b.used).collect();
        used.sort_unstable();
        let last = used.get(surplus - 1).copied().unwrap_or_default();
        self.bindings.retain(|_, b| b.used > last);
    }
}
