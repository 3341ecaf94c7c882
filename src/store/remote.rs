//! Pods that arrive whole: from a kubelet, the API server or the checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object_meta::ObjectMeta;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::static_pod::{CONFIG_MIRROR, CONFIG_SOURCE};

/// One pod as a source sent it.
#[derive(Debug, PartialEq, Eq)]
pub struct RemotePod {
    /// What identity is decided by.
    pub meta: ObjectMeta,
    /// The pod.
    pub bytes: PodBytes,
}

impl RemotePod {
    /// `file`, `http` or `api`; `api` where nothing is said.
    #[must_use]
    pub fn config_source(&self) -> &str {
        self.meta.annotations.get(CONFIG_SOURCE).map_or("api", String::as_str)
    }
}

/// All pods of one source.
#[derive(Debug, Default)]
pub struct RemotePods {
    /// By UID, without mirror pods.
    pub pods: BTreeMap<String, Arc<RemotePod>>,
    /// Mirror pods by the UID of their static pod: never listed, but they show a status.
    pub mirrors: BTreeMap<String, Arc<RemotePod>>,
}

impl RemotePods {
    /// Takes over what a source holds now; what did not change is shared with `before`. Pods without a UID or a
    /// name cannot come from any of these sources and are left out.
    #[must_use]
    pub fn take_over(pods: Vec<PodBytes>, before: Option<&Self>) -> Self {
        let mut taken = Self::default();
        for bytes in pods {
            let meta = ObjectMeta::read(bytes.metadata());
            let mirrored = meta.annotations.get(CONFIG_MIRROR).cloned();
            let (uid, here, there) = match mirrored {
                Some(uid) => (uid, &mut taken.mirrors, before.map(|b| &b.mirrors)),
                None => (meta.uid.clone(), &mut taken.pods, before.map(|b| &b.pods)),
            };
            if uid.is_empty() || meta.name.is_empty() {
                continue;
            }
            let same = there.and_then(|known| known.get(&uid)).filter(|known| known.bytes == bytes);
            let pod = same.map_or_else(|| Arc::new(RemotePod { meta, bytes }), Arc::clone);
            here.insert(uid, pod);
        }
        taken
    }

    /// The pods that came to this node by the API server.
    pub fn of_api(&self) -> impl Iterator<Item = (&String, &Arc<RemotePod>)> {
        self.pods.iter().filter(|(_, pod)| pod.config_source() == "api")
    }

    /// Whether both share all their pods.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let shared = |a: &BTreeMap<String, Arc<RemotePod>>, b: &BTreeMap<String, Arc<RemotePod>>| {
            a.len() == b.len() && a.values().zip(b.values()).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        shared(&self.pods, &other.pods) && shared(&self.mirrors, &other.mirrors)
    }
}
