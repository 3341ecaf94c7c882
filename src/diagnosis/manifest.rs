//! Findings in manifests as remarks.

use super::{Remark, Weight};

/// What is wrong in a manifest, and whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodFinding {
    /// The path or URL.
    pub file: String,
    /// From 1; 0 where none can be named.
    pub line: u32,
    /// From 1; 0 where none can be named.
    pub column: u32,
    /// Such as `spec.containers[0].image`; empty for the file as a whole.
    pub field: String,
    /// The kubelet refuses it for this.
    pub refuses: bool,
    /// A stable word.
    pub reason: String,
    /// What is wrong, and what to do about it.
    pub message: String,
    /// Namespace of the pod that the manifest asks for; empty where it cannot be read.
    pub namespace: String,
    /// Its name on this node; empty where it cannot be read.
    pub name: String,
}

/// Whether `word`, as a person types it, means the manifest of this finding: its path, its file name with or without
/// suffix, or the name of its pod with or without the node's.
#[must_use]
pub fn concerns(finding: &PodFinding, word: &str, node: &str) -> bool {
    let file = finding.file.rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let (namespace, name) = word.split_once('/').map_or((None, word), |(ns, name)| (Some(ns), name));
    let is_pod = !finding.name.is_empty()
        && namespace.is_none_or(|n| n == finding.namespace)
        && (name == finding.name || format!("{name}-{}", node.to_lowercase()) == finding.name);
    is_pod || word == finding.file || (namespace.is_none() && (word == file || word == stem))
}

/// A finding as a remark.
#[must_use]
pub fn of_finding(finding: &PodFinding) -> Remark {
    let place = match (finding.line, finding.column) {
        (0, _) => finding.file.clone(),
        (line, 0) => format!("{}:{line}", finding.file),
        (line, column) => format!("{}:{line}:{column}", finding.file),
    };
    let field = if finding.field.is_empty() { String::new() } else { format!("{}: ", finding.field) };
    let (weight, verdict) =
        if finding.refuses { (Weight::Trouble, "is refused") } else { (Weight::Fact, "is taken, but") };
    let what = format!("{verdict}: {field}{}", finding.message);
    let remark = Remark::new(weight, &finding.reason, &place, what.replace("but: ", "but "), "the manifest");
    match finding.refuses {
        true => remark.advise("correct it; 'nodepods lint FILE' checks it before a kubelet does"),
        false => remark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_for_a_manifest() {
        let finding = PodFinding {
            file: "/etc/kubernetes/manifests/web.yaml".into(),
            namespace: "default".into(),
            name: "front-n1".into(),
            ..PodFinding::default()
        };
        for word in ["front-n1", "front", "default/front", "web", "web.yaml", "/etc/kubernetes/manifests/web.yaml"] {
            assert!(concerns(&finding, word, "N1"), "{word}");
        }
        for word in ["other/front", "web.json", "fron", "default/web", ""] {
            assert!(!concerns(&finding, word, "N1"), "{word}");
        }
        let nameless = PodFinding { file: "/m/web.yaml".into(), ..PodFinding::default() };
        assert!(!concerns(&nameless, "", "") && concerns(&nameless, "web", ""));
    }

    #[test]
    fn a_finding_says_where() {
        let finding = PodFinding {
            file: "/m/web.yaml".into(),
            line: 4,
            column: 3,
            field: "metadata.name".into(),
            refuses: true,
            reason: "InvalidName".into(),
            message: "too long".into(),
            ..PodFinding::default()
        };
        let remark = of_finding(&finding);
        assert_eq!(remark.headline(), "/m/web.yaml:4:3 is refused: metadata.name: too long");
        assert_eq!((remark.weight, remark.reason.as_str()), (Weight::Trouble, "InvalidName"));
        let warning = of_finding(&PodFinding { refuses: false, line: 0, ..finding });
        assert_eq!(warning.headline(), "/m/web.yaml is taken, but metadata.name: too long");
        assert_eq!(warning.weight, Weight::Fact);
    }
}
