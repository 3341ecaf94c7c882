//! Printed pods, kept while somebody asks: most pods are the same from one list to the next.

use std::collections::HashMap;
use std::ops::Range;

use parking_lot::Mutex;

use super::pod_object;
use crate::codec::wire::WireError;
use crate::store::snapshot::{PodEntry, Snapshot};

/// Most bytes of text that are kept. What goes beyond is printed each time.
const MOST: usize = 512 * 1024;
/// Of these, what is left to metadata: little text that every table needs.
const FOR_METADATA: usize = 128 * 1024;

/// JSON members of pods by UID, as they are at their newest revision.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    kept: Mutex<Kept>,
}

/// All texts stand in one buffer: when it goes, its memory goes back to the system.
#[derive(Debug, Default)]
struct Kept {
    text: String,
    pods: HashMap<String, Place>,
    /// Bytes of the buffer that belong to no pod any more.
    stale: usize,
    /// Revision of the snapshot that was looked at last.
    looked: u64,
}

/// Where the text of a pod stands.
#[derive(Debug)]
struct Place {
    revision: u64,
    /// The metadata.
    metadata: Range<usize>,
    /// Where the rest ends that follows the metadata; where that does, if there is none.
    end: usize,
}

impl Rendered {
    /// Appends what [`pod_object::sections`] appends for the pod at its own revision.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn sections(&self, pod: &PodEntry, whole: bool, out: &mut String) -> Result<(), WireError> {
        if let Some(text) = self.kept.lock().find(pod, whole) {
            out.push_str(text);
            return Ok(());
        }
        let start = out.len();
        let metadata = pod_object::sections(pod, pod.revision, whole, out)?;
        self.kept.lock().keep(pod, out.get(start..).unwrap_or_default(), metadata);
        Ok(())
    }

    /// Forgets what is not the newest any more.
    pub(crate) fn look(&self, current: &Snapshot) {
        let mut kept = self.kept.lock();
        if std::mem::replace(&mut kept.looked, current.revision) == current.revision {
            return;
        }
        let Kept { pods, stale, .. } = &mut *kept;
        pods.retain(|uid, place| {
            let newest = current.by_uid(uid).is_some_and(|pod| pod.revision == place.revision);
            *stale += if newest { 0 } else { place.len() };
            newest
        });
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.kept.lock() = Kept::default();
    }
}

impl Kept {
    fn find(&self, pod: &PodEntry, whole: bool) -> Option<&str> {
        let place = self.pods.get(&pod.id.uid).filter(|place| place.revision == pod.revision)?;
        match whole {
            true if place.end == place.metadata.end => None,
            true => self.text.get(place.metadata.start..place.end),
            false => self.text.get(place.metadata.clone()),
        }
    }

    /// Keeps a text, or as much of it as there is room for.
    fn keep(&mut self, pod: &PodEntry, text: &str, metadata: usize) {
        let Some(text) = self.fitting(text, metadata) else { return };
        let start = self.text.len();
        let place = Place { revision: pod.revision, metadata: start..start + metadata, end: start + text.len() };
        match self.pods.get_mut(&pod.id.uid) {
            Some(old) if old.revision == pod.revision && old.len() >= text.len() => return,
            Some(old) => self.stale += std::mem::replace(old, place).len(),
            None => drop(self.pods.insert(pod.id.uid.clone(), place)),
        }
        self.text.push_str(text);
    }

    /// The part of a text that there is room for; where old texts take it up, they go, and all others with them.
    fn fitting<'t>(&mut self, text: &'t str, metadata: usize) -> Option<&'t str> {
        let fits = |kept: &Self, text: &str, most| kept.text.len() + text.len() <= most;
        if !fits(self, text, MOST - FOR_METADATA) && self.stale > 0 {
            self.text.clear();
            self.pods.clear();
            self.stale = 0;
        }
        self.text.reserve_exact(MOST - self.text.len()); // memory is taken when it is written to
        match fits(self, text, MOST - FOR_METADATA) {
            true => Some(text),
            false => text.get(..metadata).filter(|text| fits(self, text, MOST)),
        }
    }
}

impl Place {
    fn len(&self) -> usize {
        self.end - self.metadata.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::grpc::testing::{entry, snapshot};

    fn text(rendered: &Rendered, pod: &PodEntry, whole: bool) -> String {
        let mut text = String::from("before");
        rendered.sections(pod, whole, &mut text).unwrap();
        text
    }

    /// The bytes that are kept, which must be those of the pods and the stale ones.
    fn kept(rendered: &Rendered) -> usize {
        let kept = rendered.kept.lock();
        assert_eq!(kept.text.len(), kept.stale + kept.pods.values().map(Place::len).sum::<usize>());
        assert!(kept.text.capacity() <= MOST);
        kept.text.len()
    }

    #[test]
    fn what_is_kept_is_what_would_be_printed() {
        let rendered = Rendered::default();
        for pod in [entry("a", 1), entry("b", 1), entry("a", 2), entry("a", 1)] {
            for whole in [false, true, false, true] {
                let mut want = String::from("before");
                pod_object::sections(&pod, pod.revision, whole, &mut want).unwrap();
                assert_eq!(text(&rendered, &pod, whole), want);
            }
        }
        assert_eq!(rendered.kept.lock().pods.len(), 2);
        rendered.clear();
        assert_eq!(kept(&rendered), 0);
    }

    #[test]
    fn what_is_old_is_forgotten_and_its_room_used_again() {
        let rendered = Rendered::default();
        let (changed, gone, same) = (entry("changed", 1), entry("gone", 1), entry("same", 1));
        for pod in [&changed, &gone, &same] {
            text(&rendered, pod, true);
        }
        rendered.look(&snapshot(2, &[&entry("changed", 2), &same]));
        assert_eq!(rendered.kept.lock().pods.keys().collect::<Vec<_>>(), ["same"]);
        assert!(rendered.kept.lock().stale > 0);
        let name = "n".repeat(10_000);
        for revision in 3..300 {
            let pod = entry(&name, revision);
            rendered.look(&snapshot(revision, &[&pod, &same]));
            text(&rendered, &pod, true);
            assert!(kept(&rendered) <= MOST);
            assert!(rendered.kept.lock().find(&pod, true).is_some(), "{revision}");
        }
        assert!(rendered.kept.lock().find(&same, true).is_none(), "it went with the old ones");
    }

    #[test]
    fn it_is_bounded_and_metadata_have_room_of_their_own() {
        let rendered = Rendered::default();
        let name = "n".repeat(10_000);
        let fill = |whole| {
            for n in 0..300 {
                text(&rendered, &entry(&format!("{n}{name}"), 1), whole);
            }
            kept(&rendered)
        };
        let bytes = fill(true);
        assert!(bytes <= MOST && bytes > MOST - 50_000, "{bytes}");
        let whole = rendered.kept.lock().pods.values().filter(|place| place.end > place.metadata.end).count();
        assert!(whole > 5 && whole < rendered.kept.lock().pods.len(), "{whole}");
        assert_eq!(fill(false), bytes);
    }
}
