//! The last thing that each source said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::declared::{self, Declaration};
use super::remote::{RemotePod, RemotePods};
use super::runtime_view::{self, same_arcs, RuntimePod};
use super::snapshot::RuntimeFacts;
use super::superseded::Superseded;
use super::unnamed::Unnamed;
use super::update::{Health, HealthState, SourceId, Update};
use crate::pod::finding::Finding;
use crate::pod::manifest::ManifestFile;
use crate::pod::observed::RuntimeState;

/// What was new in an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Something that pods (or their findings) are made of: they have to be looked at.
    pub pods: bool,
    /// Something that is served beside the pods.
    pub beside: bool,
}

/// The last known state of every source.
#[derive(Debug, Default)]
pub struct Sources {
    /// The node's name, empty until it is known.
    pub node_name: String,
    /// Where the name came from.
    pub node_name_from: String,
    /// How each source is.
    pub health: BTreeMap<SourceId, Health>,
    /// Sources that have sent a whole state.
    pub answered: BTreeSet<SourceId>,
    /// What the manifests declare.
    pub manifests: BTreeMap<SourceId, Vec<Declaration>>,
    /// What is wrong in them, in file order.
    pub findings: BTreeMap<SourceId, Vec<Finding>>,
    /// Whole pods by source.
    pub remotes: BTreeMap<SourceId, RemotePods>,
    /// What a kubelet that was started anew has yet to name.
    pub unnamed: Unnamed,
    /// Pods of a kubelet or an API server that is silent, which the other of the two has given up since.
    pub superseded: Superseded,
    /// `runtime_name` of CRI Version.
    pub runtime_name: String,
    /// What the runtime has, by pod UID.
    pub runtime: BTreeMap<String, Arc<RuntimePod>>,
    /// What the runtime says about itself.
    pub runtime_facts: Option<Arc<RuntimeFacts>>,
    last_poll: Option<Arc<RuntimeState>>,
}

impl Sources {
    /// Takes an update over.
    pub fn apply(&mut self, update: Update, now_ms: u64) -> News {
        match update {
            Update::Manifests { source, files } => {
                let findings: Vec<_> = files.iter().flat_map(findings).collect();
                let before = self.manifests.remove(&source).unwrap_or_default();
                let now = declared::take_over(files, source, &before, now_ms);
                let pods = self.answered.insert(source) || !same_declarations(&before, &now);
                self.manifests.insert(source, now);
                let findings = self.findings.insert(source, findings.clone()) != Some(findings);
                News { pods: pods || findings, beside: false }
            }
            Update::Runtime(state) => {
                let beside = self.facts(&state);
                News { pods: self.poll(state), beside }
            }
            Update::Pods { source, pods } => {
                let before = self.remotes.get(&source);
                let now = RemotePods::take_over(pods, before);
                let same = before.is_some_and(|b| b.same(&now));
                if source == SourceId::Kubelet {
                    self.unnamed.hear(&now, before);
                }
                self.remotes.insert(source, now);
                let first = self.answered.insert(source);
                self.superseded.forget(source);
                self.supersede();
                News { pods: first || !same, beside: false }
            }
            Update::Health(source, health) => {
                if source == SourceId::Kubelet {
                    match health.state {
                        // A list that is the same as the last one is not sent again.
                        HealthState::Up => self.unnamed.found(self.remotes.get(&source)),
                        _ => self.unnamed.lost(),
                    }
                }
                // What an error says is told beside the pods; whether there is one decides what is proof of an end.
                let proof = |h: &Health| (h.state, h.error.is_empty());
                let (state, now) = (proof(&health), self.health.get(&source));
                let news = News { pods: now.map(proof) != Some(state), beside: now != Some(&health) };
                self.health.insert(source, health);
                self.supersede();
                news
            }
            Update::NodeName { name, from } => {
                let pods = self.node_name != name;
                let beside = pods || self.node_name_from != from;
                (self.node_name, self.node_name_from) = (name, from);
                News { pods, beside }
            }
        }
    }

    /// Takes over what the runtime says about itself; true where that is news.
    fn facts(&mut self, state: &RuntimeState) -> bool {
        let (name, version) = (state.runtime_name.clone(), state.runtime_version.clone());
        let facts = RuntimeFacts { name, version, conditions: state.conditions.clone() };
        let news = self.runtime_facts.as_deref() != Some(&facts);
        if news {
            self.runtime_facts = Some(Arc::new(facts));
        }
        news
    }

    /// Notes which pods of a silent source the other one does not have any more. That one may fall silent, too.
    fn supersede(&mut self) {
        for (source, other) in [(SourceId::Kubelet, SourceId::ApiServer), (SourceId::ApiServer, SourceId::Kubelet)] {
            if self.current(source) {
                self.superseded.forget(source);
            } else if self.knows_api_pods(other) {
                if let (Some(last), Some(known)) = (self.remotes.get(&source), self.remotes.get(&other)) {
                    self.superseded.note(source, last, known);
                }
            }
        }
    }

    /// How many pods a source has.
    #[must_use]
    pub fn held(&self, source: SourceId) -> usize {
        match source {
            SourceId::File | SourceId::Http => self.manifests.get(&source).map_or(0, Vec::len),
            SourceId::Runtime => self.runtime.len(),
            SourceId::ApiServer | SourceId::Kubelet | SourceId::Checkpoint => {
                self.remotes.get(&source).map_or(0, |r| r.pods.len())
            }
        }
    }

    /// Most polls find nothing new: then this costs one comparison of pointers for each sandbox and container.
    fn poll(&mut self, state: Arc<RuntimeState>) -> bool {
        let first = self.answered.insert(SourceId::Runtime);
        let same = self.last_poll.as_ref().is_some_and(|last| {
            last.runtime_name == state.runtime_name
                && same_arcs(&last.sandboxes, &state.sandboxes)
                && same_arcs(&last.containers, &state.containers)
        });
        if !same {
            self.runtime = runtime_view::group(&state).into_iter().map(|(uid, pod)| (uid, Arc::new(pod))).collect();
            self.runtime_name.clone_from(&state.runtime_name);
        }
        self.last_poll = Some(state);
        first || !same
    }

    /// Whether the source has answered and is well: what it does not have does not exist.
    #[must_use]
    pub fn current(&self, source: SourceId) -> bool {
        self.answered.contains(&source) && self.health.get(&source).is_none_or(|h| h.state == HealthState::Up)
    }

    /// Whether the source is well and knows which pods the API server has for this node.
    #[must_use]
    pub fn knows_api_pods(&self, source: SourceId) -> bool {
        match source {
            SourceId::Kubelet => self.current(source) && self.unnamed.is_over(),
            SourceId::ApiServer => self.current(source),
            _ => false,
        }
    }

    /// Whether the source exists but has not answered yet.
    #[must_use]
    pub fn awaited(&self, source: SourceId) -> bool {
        !self.answered.contains(&source) && self.health.get(&source).is_some_and(|h| h.state != HealthState::Absent)
    }

    /// Whether the node has (or had) a runtime: answered, or expected to.
    #[must_use]
    pub fn has_runtime(&self) -> bool {
        self.answered.contains(&SourceId::Runtime) || self.awaited(SourceId::Runtime)
    }

    /// A whole pod as one source has it.
    #[must_use]
    pub fn remote(&self, source: SourceId, uid: &str) -> Option<&Arc<RemotePod>> {
        self.remotes.get(&source)?.pods.get(uid)
    }

    /// Whether this very pod came out of the checkpoint.
    #[must_use]
    pub fn is_kept(&self, pod: &Arc<RemotePod>) -> bool {
        self.remote(SourceId::Checkpoint, &pod.meta.uid).is_some_and(|kept| Arc::ptr_eq(kept, pod))
    }

    /// The mirror pod of a static pod.
    #[must_use]
    pub fn mirror(&self, uid: &str) -> Option<&Arc<RemotePod>> {
        self.remotes.get(&SourceId::ApiServer)?.mirrors.get(uid)
    }
}

/// The findings of a file, each with the pod it belongs to: where the file cannot be read any more, that of its last
/// good version.
fn findings(file: &ManifestFile) -> impl Iterator<Item = Finding> + use<'_> {
    let last_good = || file.pod.as_ref().map(|m| (m.namespace.clone(), m.name.clone()));
    file.findings.iter().map(move |f| Finding { pod: f.pod.clone().or_else(last_good), ..f.clone() })
}

fn same_declarations(a: &[Declaration], b: &[Declaration]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(&a.declared, &b.declared) && a.stale == b.stale)
}
