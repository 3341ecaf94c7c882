//! What an answer means, compared with the ones before. Pure.

use std::sync::Arc;

use super::Reader;
use crate::pod::finding::{Finding, Severity};
use crate::pod::manifest::{Manifest, ManifestFile};

/// What the reconciler has to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    Same,
    /// Everything the URL holds now.
    Files(Vec<ManifestFile>),
}

/// The answers of one URL.
#[derive(Debug)]
pub(super) struct Answers {
    origin: String,
    reader: Reader,
    /// The last answer, good or bad.
    bytes: Option<Vec<u8>>,
    /// What the last good answer meant.
    good: Vec<ManifestFile>,
}

impl Answers {
    /// No answer yet. `origin` is the address as it may be shown.
    /// `remembered` are the manifests of the last good answer of a former run, with the address that gave it.
    pub(super) fn new(origin: String, reader: Reader, remembered: Vec<(String, Arc<Manifest>)>) -> Self {
        let of_this = remembered.into_iter().filter(|(from, _)| *from == origin);
        let good = of_this
            .map(|(origin, pod)| ManifestFile { origin, pod: Some(pod), stale: false, findings: Vec::new() })
            .collect();
        Self { origin, reader, bytes: None, good }
    }

    /// Takes an answer of status 200.
    pub(super) fn take(&mut self, bytes: Vec<u8>) -> News {
        if self.bytes.as_ref() == Some(&bytes) {
            return News::Same;
        }
        let files = if bytes.is_empty() {
            self.good.clear();
            vec![self.without_pod(vec![Finding::empty_body(&self.origin)])]
        } else {
            let files = (self.reader)(&self.origin, &bytes);
            let broken = |f: &ManifestFile| f.pod.is_none() && f.findings.iter().any(|f| f.severity == Severity::Error);
            if files.iter().any(broken) {
                self.broken(files)
            } else {
                self.good = first_of_each(files);
                self.good.clone()
            }
        };
        self.bytes = Some(bytes);
        News::Files(files)
    }

    fn without_pod(&self, findings: Vec<Finding>) -> ManifestFile {
        ManifestFile { origin: self.origin.clone(), pod: None, stale: false, findings }
    }

    /// What is wrong, and the pods of the last good answer.
    fn broken(&self, files: Vec<ManifestFile>) -> Vec<ManifestFile> {
        let findings = files.into_iter().flat_map(|f| f.findings).collect();
        let last_good = self.good.iter().filter(|f| f.pod.is_some());
        let last_good = last_good.map(|f| ManifestFile { stale: true, findings: Vec::new(), ..f.clone() });
        std::iter::once(self.without_pod(findings)).chain(last_good).collect()
    }
}

/// The first pod of each name and namespace; the kubelet drops later ones of the same update
/// (`kubernetes/kubernetes pkg/kubelet/config/config.go`, filterInvalidPods).
fn first_of_each(mut files: Vec<ManifestFile>) -> Vec<ManifestFile> {
    let mut seen = std::collections::HashSet::new();
    for file in &mut files {
        let Some(pod) = &file.pod else { continue };
        if seen.insert((pod.namespace.clone(), pod.name.clone())) {
            continue;
        }
        let message = format!(
            "the list holds the pod {}/{} twice; the first one is used: remove or rename the other",
            pod.namespace, pod.name
        );
        let finding = Finding::file_error(&file.origin, "DuplicatePod", message);
        let named = Some((pod.namespace.clone(), pod.name.clone()));
        file.findings.push(Finding { pod: named, field: "metadata.name".into(), ..finding });
        file.pod = None;
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::manifest::read_list;

    const ONE: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec: {containers: [{name: c, image: i}]}\n";

    fn pod(name: &str) -> Vec<u8> {
        ONE.replace("NAME", name).into_bytes()
    }

    fn list(items: &[&str]) -> Vec<u8> {
        let item = |name: &&str| {
            format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"name":"c","image":"i"}}]}}}}"#)
        };
        let items: Vec<_> = items.iter().map(item).collect();
        format!(r#"{{"kind":"PodList","apiVersion":"v1","items":[{}]}}"#, items.join(",")).into_bytes()
    }

    fn names(news: &News) -> Option<Vec<(&str, bool)>> {
        let News::Files(files) = news else { return None };
        Some(files.iter().filter_map(|f| Some((f.pod.as_ref()?.name.as_str(), f.stale))).collect())
    }

    fn reasons(news: &News) -> Vec<&str> {
        let News::Files(files) = news else { return Vec::new() };
        files.iter().flat_map(|f| &f.findings).map(|f| f.reason).collect()
    }

    fn answers() -> Answers {
        Answers::new("http://h/x".into(), read_list, Vec::new())
    }

    #[test]
    fn a_pod_then_a_list_and_the_same_bytes_are_no_news() {
        let mut answers = answers();
        assert_eq!(names(&answers.take(pod("a"))), Some(vec![("a", false)]));
        assert_eq!(answers.take(pod("a")), News::Same);
        assert_eq!(names(&answers.take(list(&["a", "b"]))), Some(vec![("a", false), ("b", false)]));
        assert_eq!(answers.take(list(&[])), News::Files(Vec::new()));
        assert_eq!(answers.take(list(&[])), News::Same);
    }

    #[test]
    fn a_broken_answer_keeps_the_last_good_pods() {
        let mut answers = answers();
        answers.take(list(&["a", "b"]));
        for broken in [list(&["a", "Not A Name"]), b"{".to_vec(), b"kind: Secret\napiVersion: v1".to_vec()] {
            let news = answers.take(broken.clone());
            assert_eq!(names(&news), Some(vec![("a", true), ("b", true)]));
            assert!(!reasons(&news).is_empty());
            assert_eq!(answers.take(broken), News::Same);
        }
        assert_eq!(names(&answers.take(list(&["b"]))), Some(vec![("b", false)]));
    }

    #[test]
    fn an_empty_answer_is_an_empty_update_with_a_finding() {
        let mut answers = answers();
        answers.take(pod("a"));
        let news = answers.take(Vec::new());
        assert_eq!((names(&news), reasons(&news)), (Some(vec![]), vec!["EmptyAnswer"]));
        assert_eq!(answers.take(Vec::new()), News::Same);
        let broken = answers.take(b"{".to_vec());
        assert_eq!(names(&broken), Some(vec![]), "what was emptied does not come back");
        assert_eq!(names(&answers.take(pod("a"))), Some(vec![("a", false)]));
    }

    #[test]
    fn the_first_of_two_pods_with_one_name_is_used() {
        let mut answers = answers();
        let news = answers.take(list(&["a", "b", "a"]));
        assert_eq!(names(&news), Some(vec![("a", false), ("b", false)]));
        assert_eq!(reasons(&news), ["DuplicatePod"]);
    }
}
