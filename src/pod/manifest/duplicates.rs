//! Several files that ask for the same pod.

use std::collections::BTreeMap;

use super::ManifestFile;
use crate::pod::finding::Finding;

/// Lets each pod be asked for by one file: the last one by name, as in the kubelet (`kubernetes/kubernetes
/// pkg/kubelet/config/file.go`, a store keyed by namespace and name), but a good file before the last good version of a
/// broken one. The others give up their pod; all of them are told. The files stand in name order.
pub fn settle_duplicates(files: &mut [ManifestFile]) {
    let mut claims: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (i, pod) in files.iter().enumerate().filter_map(|(i, file)| Some((i, file.pod.as_ref()?))) {
        claims.entry((pod.namespace.clone(), pod.name.clone())).or_default().push(i);
    }
    for ((namespace, name), claimants) in claims.into_iter().filter(|(_, claimants)| claimants.len() > 1) {
        let is_good = |i: &&usize| files.get(**i).is_some_and(|file| !file.stale);
        let Some(&winner) = claimants.iter().rfind(is_good).or(claimants.last()) else { continue };
        let origin = files.get(winner).map(|file| file.origin.clone()).unwrap_or_default();
        for i in claimants {
            let Some(file) = files.get_mut(i) else { continue };
            file.findings.push(Finding::duplicate_pod(&file.origin, &namespace, &name, &origin));
            if i != winner {
                file.pod = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::finding::Severity;
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
    fn all_files_are_told_and_the_last_wins() {
        let mut files = [file("a.yaml", "web"), file("b.yaml", "db"), file("c.yaml", "web")];
        settle_duplicates(&mut files);
        let told: Vec<_> = files.iter().map(|f| (f.pod.is_some(), f.findings.len())).collect();
        assert_eq!(told, [(false, 1), (true, 0), (true, 1)]);
        let [loses, wins] = [0, 2].map(|i| files[i].findings[0].clone());
        assert_eq!((loses.severity, wins.severity), (Severity::Error, Severity::Warning));
        assert!(loses.message.contains("taken from c.yaml"), "{loses}");
        assert!(wins.message.contains("this one wins"), "{wins}");
    }

    #[test]
    fn a_good_file_wins_over_what_a_broken_one_was() {
        let mut files = [file("a.yaml", "web"), ManifestFile { stale: true, ..file("b.yaml", "web") }];
        settle_duplicates(&mut files);
        assert!(files[0].pod.is_some() && files[1].pod.is_none());
    }
}
