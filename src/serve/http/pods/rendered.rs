//! Printed pods, kept while somebody asks: most pods are the same from one list to the next.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::object;
use crate::codec::wire::WireError;
use crate::store::snapshot::PodEntry;

/// Most bytes of text that are kept. What goes beyond is printed each time.
const MOST: usize = 1 << 20;

/// JSON members of pods by UID, for the revision that was asked for last.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    pods: HashMap<String, Texts>,
    /// Of all texts.
    bytes: usize,
}

/// What was printed of one pod.
#[derive(Debug)]
struct Texts {
    revision: u64,
    metadata: Option<Arc<str>>,
    whole: Option<Arc<str>>,
}

impl Texts {
    fn bytes(&self) -> usize {
        [&self.metadata, &self.whole].into_iter().flatten().map(|text| text.len()).sum()
    }
}

impl Rendered {
    /// Appends what [`object::sections`] appends for the pod at its own revision.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn sections(&self, pod: &PodEntry, whole: bool, out: &mut String) -> Result<(), WireError> {
        if let Some(text) = self.find(pod, whole) {
            out.push_str(&text);
            return Ok(());
        }
        let start = out.len();
        object::sections(pod, pod.revision, whole, out)?;
        self.keep(pod, whole, out.get(start..).unwrap_or_default());
        Ok(())
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.kept.lock() = Kept::default();
    }

    fn find(&self, pod: &PodEntry, whole: bool) -> Option<Arc<str>> {
        let kept = self.kept.lock();
        let texts = kept.pods.get(&pod.id.uid).filter(|texts| texts.revision == pod.revision)?;
        if whole { &texts.whole } else { &texts.metadata }.clone()
    }

    fn keep(&self, pod: &PodEntry, whole: bool, text: &str) {
        let mut kept = self.kept.lock();
        let old = kept.pods.remove(&pod.id.uid);
        kept.bytes -= old.as_ref().map_or(0, Texts::bytes);
        let mut texts = old.filter(|texts| texts.revision == pod.revision).unwrap_or(Texts {
            revision: pod.revision,
            metadata: None,
            whole: None,
        });
        if kept.bytes + texts.bytes() + text.len() <= MOST {
            *(if whole { &mut texts.whole } else { &mut texts.metadata }) = Some(text.into());
        }
        if texts.bytes() > 0 {
            kept.bytes += texts.bytes();
            kept.pods.insert(pod.id.uid.clone(), texts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::grpc::testing::entry;

    fn text(rendered: &Rendered, pod: &PodEntry, whole: bool) -> String {
        let mut text = String::from("before");
        rendered.sections(pod, whole, &mut text).unwrap();
        text
    }

    #[test]
    fn what_is_kept_is_what_would_be_printed() {
        let rendered = Rendered::default();
        for pod in [entry("a", 1), entry("b", 1), entry("a", 2), entry("a", 1)] {
            for whole in [true, false, true, false] {
                let mut want = String::from("before");
                object::sections(&pod, pod.revision, whole, &mut want).unwrap();
                assert_eq!(text(&rendered, &pod, whole), want);
            }
        }
        assert_eq!(rendered.kept.lock().pods.len(), 2);
        rendered.clear();
        assert!(rendered.kept.lock().pods.is_empty());
    }

    #[test]
    fn it_is_bounded() {
        let rendered = Rendered::default();
        let name = "n".repeat(10_000);
        for n in 0..300 {
            text(&rendered, &entry(&format!("{n}{name}"), 1), false);
        }
        let kept = rendered.kept.lock();
        assert!(kept.bytes <= MOST && kept.bytes > MOST - 50_000, "{}", kept.bytes);
        assert_eq!(kept.bytes, kept.pods.values().map(Texts::bytes).sum::<usize>());
    }
}
