//! The pods that the API server has for this node. Pure.

use std::collections::BTreeMap;

use super::error::Failure;
use super::event::Event;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup;
use crate::source::MAX_PODS;

/// Bytes of all pods together: 128 KiB for each of 500, many times what a pod has. More are refused, of a list (all its
/// pages) as of a watch that adds to one; they would be held in memory as a whole.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// By UID.
#[derive(Debug, Default)]
pub(super) struct Pods {
    by_uid: BTreeMap<String, PodBytes>,
    /// Of all of them.
    bytes: usize,
}

impl Pods {
    /// Takes a whole list, whose size was looked at when it was read.
    pub(super) fn replace(&mut self, pods: Vec<PodBytes>) {
        self.by_uid = pods.into_iter().map(|pod| (uid(&pod), pod)).collect();
        self.bytes = self.by_uid.values().map(size).sum();
    }

    /// Takes one event. True when something is different now.
    ///
    /// # Errors
    /// The pods would be more than are read; nothing was changed.
    pub(super) fn apply(&mut self, event: &Event) -> Result<bool, Failure> {
        match event {
            Event::Is(pod) => self.put(pod),
            Event::Gone(pod) => Ok(self.by_uid.remove(&uid(pod)).is_some_and(|old| {
                self.bytes = self.bytes.saturating_sub(size(&old));
                true
            })),
            Event::Bookmark(_) | Event::Error(_) => Ok(false),
        }
    }

    fn put(&mut self, pod: &PodBytes) -> Result<bool, Failure> {
        let uid = uid(pod);
        let old = self.by_uid.get(&uid);
        if old == Some(pod) {
            return Ok(false);
        }
        let others = self.bytes.saturating_sub(old.map_or(0, size));
        match (old, others.saturating_add(size(pod))) {
            (_, bytes) if bytes > MAX_BYTES => Err(Failure::TooMuch(MAX_BYTES)),
            (None, _) if self.by_uid.len() >= MAX_PODS => Err(Failure::TooMany(MAX_PODS)),
            (_, bytes) => {
                self.bytes = bytes;
                self.by_uid.insert(uid, pod.clone());
                Ok(true)
            }
        }
    }

    /// All of them, for the reconciler. Their bytes are shared.
    pub(super) fn all(&self) -> Vec<PodBytes> {
        self.by_uid.values().cloned().collect()
    }
}

fn size(pod: &PodBytes) -> usize {
    pod.as_bytes().len()
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
        assert_eq!(pods.apply(&Event::Is(pod("a", "1"))), Ok(false), "nothing new");
        assert_eq!(pods.apply(&Event::Is(pod("a", "3"))), Ok(true));
        assert_eq!(pods.apply(&Event::Is(pod("c", "4"))), Ok(true));
        assert_eq!(pods.apply(&Event::Gone(pod("b", "5"))), Ok(true));
        assert_eq!(pods.apply(&Event::Gone(pod("b", "5"))), Ok(false));
        assert_eq!(pods.apply(&Event::Bookmark("6".into())), Ok(false));
        assert_eq!(pods.all(), [pod("a", "3"), pod("c", "4")]);
    }

    /// With fields that are not known.
    fn large(name: &str, bytes: usize) -> Event {
        Event::Is(PodBytes::from_sections(pod(name, "1").metadata(), &[], &[], &vec![0; bytes]))
    }

    #[test]
    fn events_do_not_add_more_bytes_than_are_read() {
        let mut pods = Pods::default();
        assert_eq!(pods.apply(&large("a", MAX_BYTES / 2)), Ok(true));
        let before = pods.all();
        assert_eq!(pods.apply(&large("b", MAX_BYTES / 2)), Err(Failure::TooMuch(MAX_BYTES)));
        assert_eq!(pods.all(), before);
        assert_eq!(pods.apply(&large("a", MAX_BYTES / 2 + 1)), Ok(true), "it takes the place of the old one");
        assert_eq!(pods.apply(&large("a", 1)), Ok(true));
        assert_eq!(pods.apply(&large("b", MAX_BYTES / 2)), Ok(true), "there is room again");
        assert_eq!(pods.apply(&Event::Gone(pod("b", "2"))), Ok(true));
        assert_eq!(pods.apply(&large("c", MAX_BYTES / 2)), Ok(true), "and again");
    }

    #[test]
    fn events_do_not_add_more_pods_than_are_read() {
        let mut pods = Pods::default();
        let uid =
            |i: usize| PodBytes::from_sections(&[&[42, 8][..], format!("{i:08}").as_bytes()].concat(), &[], &[], &[]);
        pods.replace((0..MAX_PODS).map(uid).collect());
        assert_eq!(pods.all().len(), MAX_PODS);
        assert_eq!(pods.apply(&Event::Is(pod("a", "1"))), Err(Failure::TooMany(MAX_PODS)));
        assert_eq!(pods.apply(&Event::Gone(uid(7))), Ok(true));
        assert_eq!(pods.apply(&Event::Is(pod("a", "1"))), Ok(true));
    }
}
