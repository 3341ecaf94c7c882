//! A kubelet that was started anew while the API server is away.
//!
//! Its Pods API answers (up to v1.36 at once, and its read-only port always) with static pods alone: it has not heard of
//! the API server yet (`kubernetes/kubernetes pkg/kubelet/config/apiserver.go`). Its containers run on. So what it does
//! not name says nothing about pods of the API server, until it names the first of them: they come all at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::remote::{RemotePod, RemotePods};

/// Pods of the API server that the kubelet named before it was lost, and has not named since.
#[derive(Debug, Default)]
pub struct Unnamed {
    /// The kubelet has named a pod of the API server since it was found.
    names: bool,
    pods: BTreeMap<String, Arc<RemotePod>>,
}

impl Unnamed {
    /// Takes over what the kubelet names now; `before` is what it named before.
    pub fn hear(&mut self, now: &RemotePods, before: Option<&RemotePods>) {
        self.names |= now.of_api().next().is_some();
        if self.names {
            self.pods.clear();
        } else if let Some(before) = before {
            self.pods.extend(before.of_api().map(|(uid, pod)| (uid.clone(), Arc::clone(pod))));
        }
    }

    /// The kubelet answers, and `now` is what it names: also if that is what it named before it was lost.
    pub fn found(&mut self, now: Option<&RemotePods>) {
        if let Some(now) = now {
            self.hear(now, None);
        }
    }

    /// The kubelet does not answer: the next one may be a new one.
    pub fn lost(&mut self) {
        self.names = false;
    }

    /// Whether the kubelet knows the pods of the API server.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.names
    }

    /// The pods, by UID.
    #[must_use]
    pub fn pods(&self) -> &BTreeMap<String, Arc<RemotePod>> {
        &self.pods
    }
}
