//! Which pods the words after `get` mean, in kubectl's spellings.

use super::exit::Failure;

/// Names of the one resource there is.
const RESOURCE: [&str; 3] = ["pods", "pod", "po"];

/// One pod that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its namespace, where the word names one: `kube-system/etcd-n1`.
    pub namespace: Option<String>,
    /// Its name, or its UID.
    pub name: String,
}

impl Wanted {
    /// Whether a pod is meant. `namespace` is the one of the command line, where it names one.
    #[must_use]
    pub fn means(&self, pod: &PodName<'_>, namespace: Option<&str>) -> bool {
        let namespace = self.namespace.as_deref().or(namespace);
        namespace.is_none_or(|n| n == pod.namespace) && (self.name == pod.name || self.name == pod.uid)
    }
}

/// What a pod is called.
#[derive(Clone, Copy, Debug)]
pub struct PodName<'a> {
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// `metadata.name`.
    pub name: &'a str,
    /// `metadata.uid`.
    pub uid: &'a str,
}

/// Reads `[pods|pod|po|pods/NAME] [NAME...]`. No names mean all pods. A name may be `NAMESPACE/NAME` or a UID.
///
/// # Errors
/// Another resource is asked for, or a name is empty.
pub fn wanted(verb: &str, words: &[String]) -> Result<Vec<Wanted>, Failure> {
    let names = match words.split_first() {
        Some((first, rest)) if RESOURCE.contains(&first.as_str()) => rest,
        _ => words,
    };
    names
        .iter()
        .map(|word| {
            let (before, name) = word.split_once('/').map_or((None, word.as_str()), |(b, n)| (Some(b), n));
            if before == Some("") || name.is_empty() || name.contains('/') {
                return Err(Failure::usage(verb, format!("{word:?} names no pod; write NAME or NAMESPACE/NAME")));
            }
            let namespace = before.filter(|b| !RESOURCE.contains(b)).map(str::to_string);
            Ok(Wanted { namespace, name: name.to_string() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_kubectl() {
        let read = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(str::to_string).collect();
            let wanted = wanted("get", &words).unwrap();
            wanted
                .iter()
                .map(|w| (w.namespace.clone().unwrap_or_default() + "/") + &w.name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let table = [
            ("", ""),
            ("pods", ""),
            ("po", ""),
            ("pod a", "/a"),
            ("pods a b", "/a /b"),
            ("pods/a", "/a"),
            ("po/a pod/b", "/a /b"),
            ("kube-system/etcd-n1", "kube-system/etcd-n1"),
            ("pods kube-system/etcd-n1", "kube-system/etcd-n1"),
            ("a", "/a"),
            ("pods pods", "/pods"),
        ];
        for (line, want) in table {
            assert_eq!(read(line), want, "{line}");
        }
        for bad in ["/a", "a/", "a/b/c", ""] {
            assert!(wanted("get", &[bad.to_string()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_uids_within_a_namespace() {
        let pod = PodName { namespace: "default", name: "web", uid: "u-1" };
        let web = Wanted { namespace: None, name: "web".into() };
        assert!(web.means(&pod, None) && web.means(&pod, Some("default")) && !web.means(&pod, Some("other")));
        let uid = Wanted { namespace: None, name: "u-1".into() };
        assert!(uid.means(&pod, None));
        let other = Wanted { namespace: Some("other".into()), name: "web".into() };
        assert!(!other.means(&pod, Some("default")), "the word's own namespace wins");
    }
}
