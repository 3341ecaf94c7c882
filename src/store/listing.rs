//! Which pods are in the list, and what is each made of? One pass over the last known state of all sources.
//!
//! A pod is listed as long as some source wants it or some of its containers live.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declared::{self, Declaration, Declared, PodKey};
use super::identity::{Identities, Identity};
use super::look::{images, Look};
use super::now::Now;
use super::record::{Body, Inputs, Record};
use super::remote::RemotePod;
use super::runtime_view::RuntimePod;
use super::snapshot::PodId;
use super::sources::Sources;
use super::update::SourceId;
use crate::codec::time::Time;
use crate::pod::finding::{Finding, Severity};
use crate::pod::source::OURS;
use crate::pod::static_pod::{assemble, StaticContext, CONFIG_SEEN};
use crate::pod::status::PodKind;

mod left_over;
mod remote;

/// A pod that belongs into the list.
#[derive(Debug)]
pub struct Listed {
    /// What it is made of.
    pub inputs: Inputs,
    /// When it was last alive in the runtime (`Now::steady_ms`); 0 if it never was.
    pub alive_ms: u64,
}

/// What is remembered of a broken manifest's pod: by namespace and name, the content that has run here.
pub type Started = BTreeMap<PodKey, u128>;

/// The result of a pass.
#[derive(Debug, Default)]
pub struct Listing {
    /// By UID.
    pub pods: BTreeMap<String, Listed>,
    /// Manifests that cannot be served beside others.
    pub findings: Vec<Finding>,
    /// When time alone may change the list (`Now::steady_ms`).
    pub deadline_ms: Option<u64>,
}

/// A UID in the runtime and what the runtime has of it.
type Running<'a> = (&'a str, &'a Arc<RuntimePod>);

/// One pass.
pub struct Pass<'a> {
    sources: &'a Sources,
    records: &'a BTreeMap<String, Record>,
    started: Now,
    now: Now,
    /// UIDs that the runtime has, by namespace and name, newest sandbox first.
    by_name: BTreeMap<(&'a str, &'a str), Vec<Running<'a>>>,
    listing: Listing,
}

impl<'a> Pass<'a> {
    /// Prepares a pass. `records` is the list as it was; the times are the start of this program and the present.
    #[must_use]
    pub fn new(sources: &'a Sources, records: &'a BTreeMap<String, Record>, started: Now, now: Now) -> Self {
        let mut by_name: BTreeMap<_, Vec<Running<'a>>> = BTreeMap::new();
        for (uid, pod) in &sources.runtime {
            by_name.entry((pod.namespace.as_str(), pod.name.as_str())).or_default().push((uid.as_str(), pod));
        }
        for pods in by_name.values_mut() {
            pods.sort_by_key(|(_, pod)| std::cmp::Reverse(pod.newest().map_or(0, |s| s.created_at)));
        }
        Self { sources, records, started, now, by_name, listing: Listing::default() }
    }

    /// Lists all pods: those that manifests declare, those that other sources have, and those that only run.
    #[must_use]
    pub fn run(mut self, identities: &mut Identities, started: &mut Started) -> Listing {
        let declarations = if self.sources.node_name.is_empty() {
            BTreeMap::new() // without the node's name no static pod has a name
        } else {
            declared::winners(&self.sources.manifests, &self.sources.node_name)
        };
        started.retain(|key, content| declarations.get(key).is_some_and(|d| d.declared.content == *content));
        let declared = declarations.len();
        for (key, declaration) in declarations {
            self.declared(key, &declaration, identities, started);
        }
        identities.forget(declared);
        self.remote();
        self.left_over();
        self.listing
    }

    fn declared(&mut self, key: PodKey, declaration: &Declaration, identities: &mut Identities, started: &mut Started) {
        let declared = &declaration.declared;
        let source = declared.source.to_string();
        let named = self.by_name.get(&(key.0.as_str(), key.1.as_str())).cloned().unwrap_or_default();
        let candidates: Vec<(&str, &RuntimePod)> = named
            .iter()
            .filter(|(_, pod)| pod.config_source() == Some(source.as_str()))
            .map(|(uid, pod)| (*uid, pod.as_ref()))
            .collect();
        if !identities.know(declared) {
            self.learn(&key, declared, identities);
        }
        let Identity { uid, generated } =
            identities.resolve(declared, &candidates, &self.sources.node_name, self.now.steady_ms);
        let runtime = self.sources.runtime.get(&uid);
        if runtime.is_some() {
            started.insert(key.clone(), declared.content);
        }
        // The kubelet gives up the pod of a broken manifest at its next full read and stops its containers.
        let given_up = started.contains_key(&key) && !runtime.is_some_and(|r| r.alive());
        if declaration.stale && self.sources.has_runtime() && given_up {
            return;
        }
        let held_back = named.iter().any(|(other, _)| *other != uid);
        let kubelet = self.sources.remote(SourceId::Kubelet, &uid);
        let base = kubelet.or_else(|| self.sources.mirror(&uid));
        let body = match kubelet.filter(|_| self.sources.current(SourceId::Kubelet)) {
            Some(pod) => Body::Remote(Arc::clone(pod)),
            None => Body::Manifest(Arc::clone(declared)),
        };
        let mut from = vec![source];
        from.extend(kubelet.map(|_| SourceId::Kubelet.to_string()));
        from.extend(self.sources.mirror(&uid).map(|_| SourceId::ApiServer.to_string()));
        let mut ours = ours(from, runtime.is_some(), true);
        if generated {
            ours.push((format!("{OURS}uid"), "generated".into()));
        }
        if declaration.stale {
            ours.push((format!("{OURS}manifest"), "broken".into()));
        }
        let inputs = Inputs {
            seen: self.seen(&uid, runtime, declared),
            id: PodId { uid, namespace: key.0, name: key.1 },
            body,
            kind: PodKind::Static,
            ours,
            gone_ms: None,
            runtime: runtime.cloned(),
            base: base.cloned(),
            held_back,
        };
        self.put_declared(inputs, declared);
    }

    /// Manifests may fix UIDs, and two of them the same one.
    fn put_declared(&mut self, inputs: Inputs, declared: &Declared) {
        if let Some(taken) = self.listing.pods.get(&inputs.id.uid) {
            let other = &taken.inputs.id;
            self.listing.findings.push(Finding {
                file: declared.origin.clone(),
                pod: Some((declared.manifest.namespace.clone(), declared.manifest.name.clone())),
                line: 0,
                column: 0,
                field: "metadata.uid".into(),
                severity: Severity::Error,
                reason: "DuplicateUID",
                message: format!(
                    "the pod {}/{} has the UID {} already; it is served and this one is not. Give each pod its own UID",
                    other.namespace, other.name, other.uid
                ),
            });
            return;
        }
        self.put(inputs);
    }

    /// A kubelet or the checkpoint may know the UID of a manifest that has no sandbox.
    fn learn(&self, key: &PodKey, declared: &Declared, identities: &mut Identities) {
        let here = |pod: &RemotePod| {
            let meta = &pod.meta;
            (&meta.namespace, &meta.name) == (&key.0, &key.1)
                && pod.config_source() == declared.source.to_string()
                && !meta.annotations.contains_key(&format!("{OURS}uid"))
        };
        let of = |source| self.sources.remotes.get(&source).into_iter().flat_map(|r| &r.pods);
        for (uid, pod) in of(SourceId::Kubelet).filter(|(_, pod)| here(pod)) {
            let meta = pod.meta.clone();
            if Look::new(meta.labels, meta.annotations, images(pod.bytes.spec())) == declared.look() {
                identities.remember(uid, declared);
            }
        }
        for (uid, pod) in of(SourceId::Checkpoint).filter(|(_, pod)| here(pod)) {
            let context = StaticContext {
                node_name: &self.sources.node_name,
                uid,
                source: declared.source,
                seen: "",
                annotations: &[],
            };
            if assemble(&declared.manifest, &context).spec == pod.bytes.spec() {
                identities.remember(uid, declared);
            }
        }
    }

    fn seen(&self, uid: &str, runtime: Option<&Arc<RuntimePod>>, declared: &Declared) -> String {
        let sandbox = runtime.and_then(|r| r.annotation(CONFIG_SEEN));
        let before = || self.records.get(uid).map(|r| r.inputs.seen.clone()).filter(|seen| !seen.is_empty());
        let first = || {
            let nanos = i64::try_from(declared.first_seen_ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
            Time::from_unix_nanos(nanos).rfc3339_nano()
        };
        sandbox.map(str::to_owned).or_else(before).unwrap_or_else(first)
    }

    fn put(&mut self, inputs: Inputs) {
        let uid = inputs.id.uid.clone();
        let alive_ms = inputs.runtime.as_ref().map_or(0, |pod| self.alive_ms(&uid, pod));
        self.listing.pods.insert(uid, Listed { inputs, alive_ms });
    }
}

/// Annotations that say what a pod was built from.
fn ours(mut from: Vec<String>, runtime: bool, complete: bool) -> Vec<(String, String)> {
    if runtime {
        from.push(SourceId::Runtime.to_string());
    }
    from.sort_unstable();
    let spec = if complete { "complete" } else { "partial" };
    vec![(format!("{OURS}sources"), from.join(",")), (format!("{OURS}spec"), spec.into())]
}
