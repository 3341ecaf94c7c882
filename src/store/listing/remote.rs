//! Pods that others have and tell us: a kubelet, the API server, and the checkpoint in their place.

use std::sync::Arc;

use super::{ours, Pass};
use crate::pod::source::OURS;
use crate::pod::status::PodKind;
use crate::store::record::{Body, Inputs};
use crate::store::remote::RemotePod;
use crate::store::snapshot::PodId;
use crate::store::update::SourceId;

impl Pass<'_> {
    /// Pods that a kubelet, the API server or, until one of these answers, the checkpoint has.
    pub(super) fn remote(&mut self) {
        let sources = self.sources;
        let mut ranked = [SourceId::Kubelet, SourceId::ApiServer];
        ranked.sort_by_key(|s| !sources.current(*s)); // stable: a source that is down ranks below one that is up
        for source in ranked {
            for (uid, pod) in sources.remotes.get(&source).into_iter().flat_map(|r| &r.pods) {
                if self.listing.pods.contains_key(uid) || !self.wanted(source, pod) {
                    continue;
                }
                let from = ranked.iter().filter(|s| sources.remote(**s, uid).is_some()).map(ToString::to_string);
                self.put_remote(pod, from.collect(), None, Some(pod));
            }
        }
        for (uid, pod) in sources.unnamed.pods() {
            if !self.listing.pods.contains_key(uid) && !sources.knows_api_pods(SourceId::ApiServer) && self.may_run(uid)
            {
                self.put_remote(pod, vec![SourceId::Kubelet.to_string()], None, Some(pod));
            }
        }
        for (uid, pod) in sources.remotes.get(&SourceId::Checkpoint).into_iter().flat_map(|r| &r.pods) {
            if !self.listing.pods.contains_key(uid) && complete(pod) && self.stands_in(uid, pod) {
                // Without the runtime nobody can tell whether what was said then still holds.
                let seen = sources.answered.contains(&SourceId::Runtime) && pod.config_source() == "api";
                self.put_remote(pod, recorded(pod), None, Some(pod).filter(|_| seen));
            }
        }
    }

    /// Whether a pod out of the checkpoint is served in the place of the source that it came from.
    fn stands_in(&self, uid: &str, pod: &RemotePod) -> bool {
        let sources = self.sources;
        let silent = |source| !sources.answered.contains(&source);
        match pod.config_source() {
            "http" => sources.awaited(SourceId::Http),
            "api" => {
                // A kubelet that serves nothing yet counts as well: it may be its API that is late, not the kubelet.
                let expected = sources.awaited(SourceId::ApiServer) || sources.health.contains_key(&SourceId::Kubelet);
                let kubelet = silent(SourceId::Kubelet) || (!sources.unnamed.is_over() && self.may_run(uid));
                expected && silent(SourceId::ApiServer) && kubelet
            }
            _ => false,
        }
    }

    /// Whether the runtime has it alive, or cannot say.
    fn may_run(&self, uid: &str) -> bool {
        let sources = self.sources;
        !sources.current(SourceId::Runtime) || sources.runtime.get(uid).is_some_and(|pod| pod.alive())
    }

    /// Whether a pod in the last known state of a source is still wanted: while the source is down, somebody else may
    /// know better.
    fn wanted(&self, source: SourceId, pod: &RemotePod) -> bool {
        let others = match pod.config_source() {
            "file" => [SourceId::Kubelet, SourceId::File],
            "http" => [SourceId::Kubelet, SourceId::Http],
            _ => [SourceId::Kubelet, SourceId::ApiServer],
        };
        let knows = |source: &SourceId| match pod.config_source() {
            "api" => self.sources.knows_api_pods(*source),
            // Nothing at all where manifests are looked for is no proof: it may be the wrong place.
            _ => self.sources.current(*source) && self.sources.held(*source) > 0,
        };
        let superseded = self.sources.superseded.contains(source, &pod.meta.uid);
        self.sources.current(source) || !(superseded || others.iter().any(knows))
    }

    pub(super) fn put_remote(
        &mut self,
        pod: &Arc<RemotePod>,
        from: Vec<String>,
        gone_ms: Option<u64>,
        base: Option<&Arc<RemotePod>>,
    ) {
        let meta = &pod.meta;
        let runtime = self.sources.runtime.get(&meta.uid);
        let mut ours = ours(from, runtime.is_some(), true);
        // What was said about a UID that we made up is as true as the UID.
        let made_up = format!("{OURS}uid");
        ours.extend(meta.annotations.get(&made_up).map(|how| (made_up, how.clone())));
        self.put(Inputs {
            id: PodId { uid: meta.uid.clone(), namespace: meta.namespace.clone(), name: meta.name.clone() },
            body: Body::Remote(Arc::clone(pod)),
            kind: if pod.config_source() == "api" { PodKind::Api } else { PodKind::Static },
            ours,
            seen: String::new(),
            gone_ms,
            runtime: runtime.cloned(),
            base: base.cloned(),
            held_back: false,
        });
    }
}

/// Whether a pod out of the checkpoint has a whole spec.
pub(super) fn complete(pod: &RemotePod) -> bool {
    pod.meta.annotations.get(&format!("{OURS}spec")).is_none_or(|s| s != "partial")
}

/// The sources that a pod out of the checkpoint was built from. That these are silent now is said beside the pods.
pub(super) fn recorded(pod: &RemotePod) -> Vec<String> {
    let said = pod.meta.annotations.get(&format!("{OURS}sources")).map_or("", String::as_str);
    let cri = SourceId::Runtime.to_string();
    let from: Vec<_> = said.split(',').filter(|s| !s.is_empty() && *s != cri).map(str::to_owned).collect();
    if from.is_empty() {
        return vec![SourceId::Checkpoint.to_string()];
    }
    from
}
