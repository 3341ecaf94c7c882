//! Which pods and manifests the words mean.

use serde_json::Value;

use crate::diagnosis::{concerns, PodFinding};

/// The words of the command line.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    /// `-n`.
    pub namespace: Option<&'a str>,
    /// One word for each pod or manifest; none mean everything.
    pub words: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    /// Reads the words, with `pod` and `pods/` in front of names as kubectl has them.
    #[must_use]
    pub fn read(names: &'a [String], namespace: Option<&'a str>) -> Self {
        let resource = |word: &str| matches!(word, "pod" | "pods" | "po");
        let words = names.iter().enumerate().filter(|(i, w)| *i > 0 || !resource(w)).map(|(_, word)| {
            word.split_once('/').filter(|(before, _)| resource(before)).map_or(word.as_str(), |(_, name)| name)
        });
        Self { namespace, words: words.collect() }
    }

    /// Whether the word means this pod: its name with or without the node's, with its namespace in front, or its UID.
    #[must_use]
    pub fn means_pod(&self, word: &str, pod: &Value, node: &str) -> bool {
        let at = |key: &str| pod.pointer(key).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = match word.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (self.namespace, word),
        };
        if namespace.is_some_and(|n| n != at("/metadata/namespace")) {
            return false;
        }
        let own = at("/metadata/name");
        name == own || name == at("/metadata/uid") || format!("{name}-{}", node.to_lowercase()) == own
    }

    /// Whether the word means this finding's manifest.
    #[must_use]
    pub fn means_finding(&self, word: &str, finding: &PodFinding, node: &str) -> bool {
        let elsewhere = self.namespace.is_some_and(|n| !finding.namespace.is_empty() && n != finding.namespace);
        concerns(finding, word, node) && !elsewhere
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_that_mean_a_pod() {
        let pod = json!({"metadata": {"name": "web-n1", "namespace": "default", "uid": "u-1"}});
        let means = |words: &[&str], namespace: Option<&str>| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            let asked = Asked::read(&words, namespace);
            asked.words.iter().any(|w| asked.means_pod(w, &pod, "N1"))
        };
        for words in [&["web-n1"][..], &["web"], &["pod", "web"], &["pods/web"], &["default/web-n1"], &["u-1"]] {
            assert!(means(words, None), "{words:?}");
        }
        assert!(means(&["web"], Some("default")) && !means(&["web"], Some("other")));
        for words in [&["we"][..], &["other/web"], &["pods"], &[]] {
            assert!(!means(words, None), "{words:?}");
        }
    }
}
