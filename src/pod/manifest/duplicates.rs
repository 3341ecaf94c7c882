//! Several files that ask for the same pod.

use std::collections::BTreeMap;

use super::ManifestFile;
use crate::pod::finding::Finding;

/// Reports, in each of them, files that ask for the same pod. The files stand in name order; the last one wins, as it
/// does in the kubelet (`kubernetes/kubernetes pkg/kubelet/config/file.go`, a store keyed by namespace and name).
/// Earlier reports are dropped, so that the function can run again over files that were read before.
pub fn mark_duplicates(files: &mut [ManifestFile]) {
    let mut by_pod: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (i, file) in files.iter_mut().enumerate() {
        file.findings.retain(|f| f.reason != "DuplicatePod");
        if let Some(pod) = &file.pod {
            by_pod.entry((pod.namespace.clone(), pod.name.clone())).or_default().push(i);
        }
    }
    for ((namespace, name), group) in by_pod.into_iter().filter(|(_, group)| group.len() > 1) {
        let winner = group.last().and_then(|&i| files.get(i)).map(|f| f.origin.clone()).unwrap_or_default();
        for i in group {
            if let Some(file) = files.get_mut(i) {
                file.findings.push(Finding::duplicate_pod(&file.origin, &namespace, &name, &winner));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::manifest::Manifest;

    fn file(origin: &str, name: &str) -> ManifestFile {
        let pod = Manifest {
            name: name.into(),
            namespace: "default".into(),
            uid: None,
            metadata: Vec::new(),
            spec: Vec::new(),
        };
        ManifestFile { origin: origin.into(), pod: Some(pod.into()), stale: false, findings: Vec::new() }
    }

    #[test]
    fn both_files_are_told_and_the_last_wins() {
        let mut files = [file("a.yaml", "web"), file("b.yaml", "db"), file("c.yaml", "web")];
        for _ in 0..2 {
            mark_duplicates(&mut files);
            let told: Vec<_> = files.iter().map(|f| f.findings.len()).collect();
            assert_eq!(told, [1, 0, 1]);
            assert!(files[0].findings[0].message.contains("taken from c.yaml"), "{}", files[0].findings[0]);
            assert!(files[2].findings[0].message.contains("this one wins"), "{}", files[2].findings[0]);
        }
        files[2].pod = None;
        mark_duplicates(&mut files);
        assert!(files.iter().all(|f| f.findings.is_empty()));
    }
}
