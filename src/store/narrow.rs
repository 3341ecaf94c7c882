//! A part of the node's pods, for a socket that shows no more than that.
//!
//! What a narrow socket serves is a snapshot of its own, made from the full one: a reader there cannot reach what
//! was left out, whatever it asks.

use std::collections::HashMap;
use std::sync::Arc;

use super::snapshot::{PodEntry, PodId, Snapshot};
use crate::codec::mask::Mask;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::redact;
use crate::pod::selector::Selector;

/// Which pods are shown, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// Pods that are shown. It looks at the whole pod.
    pub selector: Selector,
    /// What is shown of them.
    pub mask: Mask,
    /// Literal environment values are not shown.
    pub redact: bool,
}

impl Lens {
    fn show(&self, pod: &PodBytes) -> PodBytes {
        let redacted;
        let pod = if self.redact {
            redacted = redact::environment(pod);
            &redacted
        } else {
            pod
        };
        if self.mask.is_everything() {
            return pod.clone();
        }
        // What a mask leaves of a message is a message; were it none, nothing is shown.
        PodBytes::from_wire(&self.mask.apply(pod.as_bytes()))
            .unwrap_or_else(|_| PodBytes::from_sections(&[], &[], &[], &[]))
    }
}

/// Full snapshots into narrow ones. It remembers what it made, so that a pod is news there only if something that is
/// shown of it has changed.
#[derive(Debug)]
pub struct Narrowing {
    lens: Lens,
    /// What was made of each pod, with the revision of the pod that it was made from.
    made: HashMap<Arc<PodId>, (u64, Arc<PodEntry>)>,
}

impl Narrowing {
    /// Nothing made yet.
    #[must_use]
    pub fn new(lens: Lens) -> Self {
        Self { lens, made: HashMap::new() }
    }

    /// The next narrow snapshot. Findings and the state of sources are not part of it: they name files and servers.
    pub fn next(&mut self, full: &Snapshot) -> Snapshot {
        let mut before = std::mem::take(&mut self.made);
        let mut pods = Vec::new();
        for pod in &full.pods {
            if !self.lens.selector.selects(&pod.id.namespace, &pod.bytes) {
                continue;
            }
            let entry = match before.remove(&pod.id) {
                Some((revision, entry)) if revision == pod.revision => entry,
                known => self.make(pod, known.map(|(_, entry)| entry)),
            };
            self.made.insert(Arc::clone(&entry.id), (pod.revision, Arc::clone(&entry)));
            pods.push(entry);
        }
        Snapshot {
            revision: full.revision,
            initialized: full.initialized,
            narrow: true,
            incomplete: full.incomplete.clone(),
            pods,
            ..Snapshot::empty(full.revision)
        }
    }

    fn make(&self, pod: &PodEntry, before: Option<Arc<PodEntry>>) -> Arc<PodEntry> {
        let bytes = self.lens.show(&pod.bytes);
        match before {
            Some(before) if before.bytes == bytes => before,
            _ => Arc::new(PodEntry {
                id: Arc::clone(&pod.id),
                // Look-ups by these are not part of a narrow socket.
                phase: String::new(),
                container_ids: Vec::new(),
                ips: Vec::new(),
                revision: pod.revision,
                bytes,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json::{pod_value, to_wire};
    use crate::codec::schema::id;
    use crate::pod::selector::LabelSelector;
    use serde_json::json;

    fn entry(name: &str, app: &str, phase: &str, revision: u64) -> Arc<PodEntry> {
        let pod = json!({"metadata": {"name": name, "namespace": "default", "uid": name, "labels": {"app": app}},
            "spec": {"nodeName": "n"}, "status": {"phase": phase}});
        Arc::new(PodEntry {
            id: Arc::new(PodId { uid: name.into(), namespace: "default".into(), name: name.into() }),
            phase: phase.into(),
            container_ids: Vec::new(),
            ips: vec!["10.0.0.1".into()],
            revision,
            bytes: PodBytes::from_wire(&to_wire(id::POD, &pod).unwrap().bytes).unwrap(),
        })
    }

    fn full(revision: u64, pods: Vec<Arc<PodEntry>>) -> Snapshot {
        Snapshot { initialized: true, node_name: "n".into(), pods, ..Snapshot::empty(revision) }
    }

    fn narrowing(mask: &str, labels: &str) -> Narrowing {
        let selector = Selector { labels: LabelSelector::parse(labels).unwrap(), ..Selector::default() };
        Narrowing::new(Lens { selector, mask: Mask::parse(mask).unwrap(), redact: true })
    }

    #[test]
    fn only_what_is_selected_and_masked_is_there() {
        let snapshot = narrowing("metadata.name", "app=web")
            .next(&full(7, vec![entry("a", "web", "Running", 5), entry("b", "db", "Running", 6)]));
        assert_eq!((snapshot.revision, snapshot.initialized, snapshot.node_name.as_str()), (7, true, ""));
        let [pod] = snapshot.pods.as_slice() else { panic!("{:?}", snapshot.pods) };
        assert_eq!(pod_value(pod.bytes.as_bytes()).unwrap()["metadata"]["name"], "a");
        assert_eq!(pod.bytes.spec(), b"");
        assert_eq!(pod.bytes.status(), b"");
        assert!(pod.ips.is_empty() && pod.phase.is_empty());
    }

    #[test]
    fn a_change_that_is_not_shown_is_no_news() {
        let mut narrowing = narrowing("metadata.name,status.phase", "");
        let first = narrowing.next(&full(1, vec![entry("a", "web", "Pending", 1)]));
        let labelled = narrowing.next(&full(2, vec![entry("a", "db", "Pending", 2)]));
        assert!(Arc::ptr_eq(&first.pods[0], &labelled.pods[0]));
        let running = narrowing.next(&full(3, vec![entry("a", "db", "Running", 3)]));
        assert_eq!(running.pods[0].revision, 3);
        let gone = narrowing.next(&full(4, Vec::new()));
        assert!(gone.pods.is_empty() && narrowing.made.is_empty());
    }
}
