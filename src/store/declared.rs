//! Static pods as the manifests declare them now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::look::{images, Look};
use super::object_meta::ObjectMeta;
use super::update::SourceId;
use crate::pod::manifest::{Manifest, ManifestFile};
use crate::pod::own_uid::content_hash;
use crate::pod::static_pod::pod_name;

/// One version of one manifest. Shared between updates as long as it stays the same.
#[derive(Debug)]
pub struct Declared {
    /// `File` or `Http`.
    pub source: SourceId,
    /// The path or URL.
    pub origin: String,
    /// The pod it asks for.
    pub manifest: Arc<Manifest>,
    /// [`content_hash`] of the manifest.
    pub content: u128,
    /// When this content was first seen here, in milliseconds since the epoch.
    pub first_seen_ms: u64,
}

impl Declared {
    /// What a sandbox made from it looks like. Read anew each time: it is asked for only while the UID is unknown, and
    /// kept it would take as much memory as the manifest.
    #[must_use]
    pub fn look(&self) -> Look {
        let meta = ObjectMeta::read(&self.manifest.metadata);
        Look::new(meta.labels, meta.annotations, images(&self.manifest.spec))
    }
}

/// A manifest and whether its file is broken now.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The manifest; the last good one of a broken file.
    pub declared: Arc<Declared>,
    /// The file is broken now.
    pub stale: bool,
}

/// Namespace and name of a pod.
pub type PodKey = (String, String);

/// Takes over what a source holds now; what did not change is shared with `before`.
#[must_use]
pub fn take_over(files: Vec<ManifestFile>, source: SourceId, before: &[Declaration], now_ms: u64) -> Vec<Declaration> {
    let (mut known, mut untouched) = (BTreeMap::new(), BTreeMap::new());
    for Declaration { declared, .. } in before {
        known.insert((declared.origin.as_str(), declared.content), declared);
        untouched.insert((declared.origin.as_str(), Arc::as_ptr(&declared.manifest)), declared);
    }
    let mut declarations = Vec::new();
    for file in files {
        let Some(manifest) = file.pod else { continue };
        // A source that has read nothing new gives the same manifest again, which is not looked at then.
        if let Some(same) = untouched.get(&(file.origin.as_str(), Arc::as_ptr(&manifest))) {
            declarations.push(Declaration { declared: Arc::clone(same), stale: file.stale });
            continue;
        }
        let content = content_hash(&manifest);
        let declared = match known.get(&(file.origin.as_str(), content)) {
            Some(same) => Arc::clone(same),
            None => Arc::new(Declared { source, origin: file.origin, manifest, content, first_seen_ms: now_ms }),
        };
        declarations.push(Declaration { declared, stale: file.stale });
    }
    declarations
}

/// The declarations that count, by namespace and name of the pod: of several for the same pod the last in name
/// order, as in the kubelet's file source; a file wins over a URL.
#[must_use]
pub fn winners(sources: &BTreeMap<SourceId, Vec<Declaration>>, node_name: &str) -> BTreeMap<PodKey, Declaration> {
    let mut winners = BTreeMap::new();
    for source in [SourceId::Http, SourceId::File] {
        for declaration in sources.get(&source).into_iter().flatten() {
            let manifest = &declaration.declared.manifest;
            let key = (manifest.namespace.clone(), pod_name(&manifest.name, node_name));
            winners.insert(key, declaration.clone());
        }
    }
    winners
}
