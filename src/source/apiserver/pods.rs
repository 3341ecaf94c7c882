//! The pods that the API server has for this node. Pure.

use std::collections::BTreeMap;

use super::event::Event;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup;

/// By UID.
#[derive(Debug, Default)]
pub(super) struct Pods(BTreeMap<String, PodBytes>);

impl Pods {
    /// Takes a whole list.
    pub(super) fn replace(&mut self, pods: Vec<PodBytes>) {
        self.0 = pods.into_iter().map(|pod| (uid(&pod), pod)).collect();
    }

    /// Takes one event. True when something is different now.
    pub(super) fn apply(&mut self, event: &Event) -> bool {
        match event {
            Event::Is(pod) => self.0.insert(uid(pod), pod.clone()).as_ref() != Some(pod),
            Event::Gone(pod) => self.0.remove(&uid(pod)).is_some(),
            Event::Bookmark(_) | Event::Error(_) => false,
        }
    }

    /// All of them, for the reconciler. Their bytes are shared.
    pub(super) fn all(&self) -> Vec<PodBytes> {
        self.0.values().cloned().collect()
    }
}

fn uid(pod: &PodBytes) -> String {
    lookup::text(pod, "metadata.uid").into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::list::{self, tests::sample};
    use super::*;

    fn pod(name: &str, version: &str) -> PodBytes {
        list::pod(&sample(name, version)).unwrap()
    }

    #[test]
    fn events_change_the_set() {
        let mut pods = Pods::default();
        pods.replace(vec![pod("a", "1"), pod("b", "2")]);
        assert!(!pods.apply(&Event::Is(pod("a", "1"))), "nothing new");
        assert!(pods.apply(&Event::Is(pod("a", "3"))));
        assert!(pods.apply(&Event::Is(pod("c", "4"))));
        assert!(pods.apply(&Event::Gone(pod("b", "5"))));
        assert!(!pods.apply(&Event::Gone(pod("b", "5"))));
        assert!(!pods.apply(&Event::Bookmark("6".into())));
        assert_eq!(pods.all(), [pod("a", "3"), pod("c", "4")]);
    }
}
