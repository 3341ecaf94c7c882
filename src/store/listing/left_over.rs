//! Pods that no source wants and that the runtime still has: they are going, or only the runtime knows them.

use std::sync::Arc;

use super::remote::{complete, recorded};
use super::{ours, Pass};
use crate::pod::status::PodKind;
use crate::store::record::{Body, Inputs};
use crate::store::runtime_view::RuntimePod;
use crate::store::snapshot::PodId;
use crate::store::update::{HealthState, SourceId};

/// How long a pod that only the runtime knows stays listed after it was last alive, so that a crash loop or a change
/// of sandboxes does not make it come and go.
const LINGER_MS: u64 = 60_000;
/// How long a source that should have a pod may take to show it. A kubelet hears of a pod before we do: its manifest
/// may be found at the next full re-read only (20 s), a pod of the API server a moment later.
const LATE_MS: u64 = 25_000;

impl Pass<'_> {
    /// Pods that no source wants and that the runtime still has.
    pub(super) fn left_over(&mut self) {
        let sources = self.sources;
        for (uid, pod) in &sources.runtime {
            if self.listing.pods.contains_key(uid) {
                continue;
            }
            let gone_ms = self.gone_ms(uid, pod);
            if gone_ms.is_some() {
                // Its containers are being stopped. Dead sandboxes do not count.
                if pod.running() {
                    self.put_left_over(uid, pod, gone_ms);
                }
                continue;
            }
            let alive_ms = self.alive_ms(uid, pod);
            let until = alive_ms.saturating_add(LINGER_MS);
            if pod.alive() || (alive_ms > 0 && self.now.steady_ms < until) {
                self.put_left_over(uid, pod, None);
                if !pod.alive() {
                    self.look_again(until);
                }
            }
        }
    }

    /// Since when its source does not want it any more; `None` where that cannot be said.
    fn gone_ms(&mut self, uid: &str, pod: &RuntimePod) -> Option<u64> {
        let record = self.records.get(uid).map(|r| &r.inputs);
        if let Some(since) = record.and_then(|inputs| inputs.gone_ms) {
            return Some(since);
        }
        if !self.given_up(uid, pod) {
            return None;
        }
        // Made while we were here, by a kubelet that knows more than we do: what it was made from is yet to be seen.
        let wanted_before = record.is_some_and(|inputs| !matches!(inputs.body, Body::Runtime));
        let made_ms = pod.sandboxes.last().map_or(0, |s| u64::try_from(s.created_at / 1_000_000).unwrap_or_default());
        let here_ms = self.now.steady_ms.saturating_sub(self.started.steady_ms);
        let age_ms = self.ago(made_ms).filter(|age| !wanted_before && *age < here_ms && *age < LATE_MS);
        if let Some(age_ms) = age_ms {
            self.look_again(self.now.steady_ms.saturating_add(LATE_MS - age_ms));
            return None;
        }
        Some(self.now.unix_ms)
    }

    fn look_again(&mut self, at_ms: u64) {
        self.listing.deadline_ms = Some(self.listing.deadline_ms.map_or(at_ms, |d| d.min(at_ms)));
    }

    /// Whether the source that the pod came from is there and does not have it any more.
    fn given_up(&self, uid: &str, pod: &RuntimePod) -> bool {
        let body = self.records.get(uid).map(|r| &r.inputs.body);
        let source = match body {
            Some(Body::Manifest(declared)) if declared.source == SourceId::Http => "http",
            Some(Body::Manifest(_)) => "file",
            Some(Body::Remote(remote)) => remote.config_source(),
            Some(Body::Runtime) | None => pod.config_source().unwrap_or_default(),
        };
        let never_declared = matches!(body, Some(Body::Runtime) | None);
        // No place where manifests are looked for is no proof against what lives: it may be the wrong one. A place that
        // is there and empty is proof.
        let gives_up = |source| {
            let seen =
                self.sources.health.get(&source).is_some_and(|h| h.state == HealthState::Up && h.error.is_empty());
            let nowhere = self.sources.held(source) == 0 && !seen;
            self.sources.current(source) && !(never_declared && nowhere && pod.alive())
        };
        match source {
            "file" => gives_up(SourceId::File),
            "http" => gives_up(SourceId::Http),
            "api" => [SourceId::Kubelet, SourceId::ApiServer].into_iter().any(|s| self.sources.knows_api_pods(s)),
            _ => false,
        }
    }

    fn put_left_over(&mut self, uid: &str, pod: &Arc<RuntimePod>, gone_ms: Option<u64>) {
        let record = self.records.get(uid).map(|r| &r.inputs);
        let known = record.filter(|inputs| !matches!(inputs.body, Body::Runtime));
        if let Some(before) = known {
            let runtime = Some(Arc::clone(pod));
            self.put(Inputs { gone_ms, runtime, base: None, held_back: false, ..before.clone() });
            return;
        }
        if let Some(kept) = self.sources.remote(SourceId::Checkpoint, uid).filter(|p| complete(p)) {
            let kept = Arc::clone(kept);
            self.put_remote(&kept, recorded(&kept), gone_ms, None);
            return;
        }
        self.put(Inputs {
            id: PodId { uid: uid.to_owned(), namespace: pod.namespace.clone(), name: pod.name.clone() },
            body: Body::Runtime,
            kind: PodKind::RuntimeOnly,
            ours: ours(Vec::new(), true, false),
            seen: String::new(),
            gone_ms,
            runtime: Some(Arc::clone(pod)),
            base: None,
            held_back: false,
        });
    }

    /// How long ago something happened to which the runtime gives this time; `None` for what a clock that was put
    /// back since has dated in the future: nobody knows.
    fn ago(&self, unix_ms: u64) -> Option<u64> {
        self.now.unix_ms.checked_sub(unix_ms)
    }

    /// When the pod was last alive (`Now::steady_ms`), as far as was seen or as the runtime tells; 0 for never.
    pub(super) fn alive_ms(&self, uid: &str, pod: &RuntimePod) -> u64 {
        let record = self.records.get(uid);
        // Seen alive when somebody looked last, and nobody had reason to look since.
        let was_alive = record.and_then(|r| r.inputs.runtime.as_ref()).is_some_and(|before| before.alive());
        if pod.alive() || was_alive {
            return self.now.steady_ms;
        }
        let ended_ms = self.ago(pod.last_finished_ms()).and_then(|ago| self.now.steady_ms.checked_sub(ago));
        record.map_or(0, |r| r.alive_ms).max(ended_ms.unwrap_or(0))
    }
}
