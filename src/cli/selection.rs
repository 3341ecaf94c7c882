//! Which pods a command is about: names, a namespace and selectors.

use super::exit::Failure;
use super::missing::Missing;
use super::resource::{wanted, PodName, Wanted};
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::text;
use crate::pod::selector::field::FIELDS;
use crate::pod::selector::{FieldSelector, LabelSelector, Selector};

/// What the command line says about pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words<'a> {
    /// `-n`.
    pub namespace: Option<&'a str>,
    /// `-A`.
    pub all_namespaces: bool,
    /// `-l`.
    pub labels: Option<&'a str>,
    /// `--field-selector`.
    pub fields: Option<&'a str>,
    /// Everything that is no option: `pods`, `pod/NAME`, `NAMESPACE/NAME`, a UID.
    pub names: &'a [String],
}

impl<'a> Words<'a> {
    /// What is no option.
    #[must_use]
    pub fn named(names: &'a [String]) -> Self {
        Self { names, ..Self::default() }
    }

    /// `-n` and `-A`.
    #[must_use]
    pub const fn within(self, namespace: Option<&'a str>, all_namespaces: bool) -> Self {
        Self { namespace, all_namespaces, ..self }
    }

    /// `-l` and `--field-selector`.
    #[must_use]
    pub const fn selected(self, labels: Option<&'a str>, fields: Option<&'a str>) -> Self {
        Self { labels, fields, ..self }
    }
}

/// The pods that are meant.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only these pods; none stand for all.
    pub wanted: Vec<Wanted>,
    /// Only pods that this selects.
    pub selector: Selector,
}

impl Selection {
    /// Reads the words of `verb`.
    ///
    /// # Errors
    /// A selector cannot be read, a name is none, or both are given: usage errors.
    pub fn read(verb: &str, words: Words<'_>) -> Result<Self, Failure> {
        let wrong = |option: &str, e: &dyn std::fmt::Display| Failure::usage(verb, format!("{option}: {e}"));
        let mut selector = Selector::default();
        if let Some(labels) = words.labels {
            selector.labels = LabelSelector::parse(labels).map_err(|e| wrong("--selector", &e))?;
        }
        if let Some(fields) = words.fields {
            selector.fields = FieldSelector::parse(fields).map_err(|e| {
                let known = e.to_string().starts_with("field label not supported").then(|| FIELDS.join(", "));
                let known = known.map(|known| format!("; known are {known}")).unwrap_or_default();
                wrong("--field-selector", &format!("{e}{known}"))
            })?;
        }
        let wanted = wanted(verb, words.names)?;
        if !wanted.is_empty() && !selector.is_everything() {
            return Err(Failure::usage(verb, "names and selectors exclude each other"));
        }
        let namespace = words.namespace.filter(|_| !words.all_namespaces).map(str::to_string);
        Ok(Self { namespace, wanted, selector })
    }

    /// Whether this pod is meant.
    #[must_use]
    pub fn shows(&self, pod: &PodBytes) -> bool {
        self.means_one_of(&self.wanted, pod)
            && self.selector.selects(&text(pod, "metadata.namespace"), pod)
            && self.namespace.as_ref().is_none_or(|n| !self.wanted.is_empty() || *n == text(pod, "metadata.namespace"))
    }

    fn means_one_of(&self, wanted: &[Wanted], pod: &PodBytes) -> bool {
        let [namespace, name, uid] = ["metadata.namespace", "metadata.name", "metadata.uid"].map(|p| text(pod, p));
        let called = PodName { namespace: &namespace, name: &name, uid: &uid };
        wanted.is_empty() || wanted.iter().any(|w| w.means(&called, self.namespace.as_deref()))
    }

    /// The pods that are meant, in the order of their names on the command line, then by namespace and name; and the
    /// names that mean none of `pods`, which are all there are.
    #[must_use]
    pub fn choose(&self, pods: &[PodBytes]) -> (Vec<PodBytes>, Vec<Missing>) {
        self.choose_by(pods, |_, _| false)
    }

    /// As [`Selection::choose`]; a name that means no pod stands for those that begin with it.
    #[must_use]
    pub fn choose_or_begin_with(&self, pods: &[PodBytes]) -> (Vec<PodBytes>, Vec<Missing>) {
        self.choose_by(pods, |want, pod| {
            let [namespace, name] = ["metadata.namespace", "metadata.name"].map(|p| text(pod, p));
            let within = want.namespace.as_ref().or(self.namespace.as_ref());
            name.starts_with(&want.name) && within.is_none_or(|n| *n == namespace)
        })
    }

    /// `otherwise` says what a name stands for that means no pod.
    fn choose_by(
        &self,
        pods: &[PodBytes],
        otherwise: impl Fn(&Wanted, &PodBytes) -> bool,
    ) -> (Vec<PodBytes>, Vec<Missing>) {
        let mut sorted: Vec<_> = pods.iter().collect();
        sorted.sort_by_cached_key(|pod| ["metadata.namespace", "metadata.name"].map(|p| text(pod, p).into_owned()));
        if self.wanted.is_empty() {
            return (sorted.into_iter().filter(|pod| self.shows(pod)).cloned().collect(), Vec::new());
        }
        let (mut chosen, mut missing) = (Vec::new(), Vec::new());
        for want in &self.wanted {
            let before = chosen.len();
            let one = std::slice::from_ref(want);
            chosen.extend(sorted.iter().filter(|pod| self.means_one_of(one, pod)).copied().cloned());
            if chosen.len() == before {
                chosen.extend(sorted.iter().filter(|pod| otherwise(want, pod)).copied().cloned());
            }
            if chosen.len() == before {
                missing.push(Missing::among(want, pods));
            }
        }
        (chosen, missing)
    }
}

#[cfg(test)]
pub(in crate::cli) mod tests {
    use super::*;
    use crate::codec::wire::put_bytes;

    /// A running pod of this name.
    pub fn pod(namespace: &str, name: &str) -> PodBytes {
        let mut metadata = Vec::new();
        put_bytes(&mut metadata, 1, name.as_bytes());
        put_bytes(&mut metadata, 3, namespace.as_bytes());
        put_bytes(&mut metadata, 5, format!("uid-{name}").as_bytes());
        PodBytes::from_sections(&metadata, b"", b"\x0a\x07Running", b"")
    }

    fn names(words: Words<'_>) -> (Vec<String>, Vec<String>) {
        let pods = vec![pod("web", "b"), pod("kube-system", "z"), pod("web", "a"), pod("db", "a")];
        let (chosen, missing) = Selection::read("get", words).unwrap().choose(&pods);
        let name = |p: &PodBytes| format!("{}/{}", text(p, "metadata.namespace"), text(p, "metadata.name"));
        (chosen.iter().map(name).collect(), missing.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn which_pods() {
        let all = ["db/a", "kube-system/z", "web/a", "web/b"];
        let table: [(&[&str], Option<&str>, &[&str]); 8] = [
            (&["pods"], None, &all),
            (&[], None, &all),
            (&["pods"], Some("web"), &["web/a", "web/b"]),
            (&["pods"], Some("none"), &[]),
            (&["pods", "a"], None, &["db/a", "web/a"]),
            (&["pods", "a"], Some("web"), &["web/a"]),
            (&["pod/b", "kube-system/z"], Some("web"), &["web/b", "kube-system/z"]),
            (&["uid-z"], None, &["kube-system/z"]),
        ];
        for (words, namespace, want) in table {
            let words: Vec<_> = words.iter().map(ToString::to_string).collect();
            let found = names(Words { namespace, names: &words, ..Words::default() });
            assert_eq!(found, (want.iter().map(ToString::to_string).collect(), vec![]), "{words:?}");
        }
        let words = ["b".to_string(), "x".to_string()];
        let (found, missing) = names(Words { names: &words, ..Words::default() });
        assert_eq!(
            (found, missing),
            (vec!["web/b".into()], vec!["Error from server (NotFound): pods \"x\" not found".to_string()])
        );
        assert_eq!(names(Words { fields: Some("metadata.name=z"), ..Words::default() }).0, ["kube-system/z"]);
        let both = Words { fields: Some("metadata.name=z"), names: &words, ..Words::default() };
        assert!(Selection::read("get", both).is_err());
        assert!(Selection::read("get", Words { labels: Some("a in"), ..Words::default() }).is_err());
    }
}
