//! The one pod that a command is about.

use std::collections::BTreeMap;

use super::exit::{Exit, Failure};
use super::missing;
use super::selection::{Selection, Words};
use crate::codec::pod_bytes::PodBytes;
use crate::downward::DownwardPod;
use crate::pod::lookup::text;
use crate::pod::successor::succeeds;

/// The pod that `word` names: NAME, NAMESPACE/NAME or a UID. Of a pod that ends and its successor it is the successor.
///
/// # Errors
/// There is none, or there are several.
pub fn pick(verb: &str, pods: Vec<PodBytes>, namespace: Option<&str>, word: &str) -> Result<PodBytes, Failure> {
    let names = [word.to_string()];
    let selection = Selection::read(verb, Words::named(&names).within(namespace, false))?;
    if selection.wanted.is_empty() {
        return Err(Failure::usage(verb, "name a pod"));
    }
    let (chosen, missing) = selection.choose(&pods);
    let one_of_each = one_of_each(chosen);
    let names: Vec<_> = one_of_each.keys().cloned().collect();
    match (one_of_each.into_values().next(), names.as_slice()) {
        (Some(pod), [_]) => Ok(pod),
        (None, _) => missing::none(&missing).and(Err(Failure::silent(Exit::NotFound))),
        _ => Err(Failure::usage(verb, format!("{word:?} names {} pods: {}; say which", names.len(), names.join(", ")))),
    }
}

/// The pods by `NAMESPACE/NAME`: of a pod that ends and its successor the successor alone.
#[must_use]
pub fn one_of_each(pods: Vec<PodBytes>) -> BTreeMap<String, PodBytes> {
    let mut out: BTreeMap<String, PodBytes> = BTreeMap::new();
    for pod in pods {
        let name = ["metadata.namespace", "metadata.name"].map(|path| text(&pod, path)).join("/");
        let known = out.entry(name).or_insert_with(|| pod.clone());
        if succeeds(&pod, known) {
            *known = pod;
        }
    }
    out
}

/// The pod as it is told about itself.
///
/// # Errors
/// The server sent something that is no pod, or its spec is not known.
pub fn complete(pod: &PodBytes) -> Result<DownwardPod, Failure> {
    let pod = DownwardPod::read(pod)
        .map_err(|e| Failure::new(Exit::Failure, format!("error: the server sent something that is no pod: {e}")))?;
    if pod.complete {
        return Ok(pod);
    }
    Err(Failure::new(
        Exit::Failure,
        format!(
            "error: pod {}/{} is known from the container runtime alone, and its spec is not\nThe API server or a \
             kubelet's Pods API has it: see --kubeconfig and --kubelet-endpoint of 'nodepods serve'.",
            pod.namespace, pod.name
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::schema::id;
    use serde_json::json;

    fn pod(namespace: &str, name: &str, spec: &str) -> PodBytes {
        let annotations = json!({"nodepods.io/spec": spec});
        let metadata = json!({"name": name, "namespace": namespace, "annotations": annotations});
        PodBytes::from_sections(&json::to_wire(id::OBJECT_META, &metadata).unwrap().bytes, b"", b"", b"")
    }

    #[test]
    fn one_and_only_one() {
        let pods = || vec![pod("a", "web", "complete"), pod("b", "web", "complete"), pod("b", "db", "partial")];
        let pick = |namespace, word| pick("env", pods(), namespace, word);
        assert_eq!(text(&pick(Some("b"), "web").unwrap(), "metadata.namespace"), "b");
        assert_eq!(text(&pick(None, "a/web").unwrap(), "metadata.namespace"), "a");
        assert!(pick(None, "web").unwrap_err().message.contains("names 2 pods: a/web, b/web; say which"));
        assert_eq!(pick(None, "x").unwrap_err().exit, Exit::NotFound);
        assert_eq!(pick(None, "pods").unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn a_pod_without_a_spec_has_no_environment() {
        assert!(complete(&pod("a", "web", "complete")).is_ok());
        let failure = complete(&pod("a", "web", "partial")).unwrap_err();
        assert!(failure.message.contains("pod a/web is known from the container runtime alone"), "{failure}");
    }
}
