//! `fieldRef`: a field of the pod as text.
//!
//! Source: `kubernetes/kubernetes pkg/fieldpath/fieldpath.go`, `pkg/apis/core/pods/helpers.go`
//! (ConvertDownwardAPIFieldLabel), `pkg/kubelet/kubelet_pods.go` (podFieldSelectorRuntimeValue).

use super::pod::DownwardPod;
use super::quote::map_file;
use super::unknown::Unknown;
use crate::pod::names;
use crate::pod::validate::subscript;

/// Where the value goes; the two places allow different fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An environment variable.
    Variable,
    /// A file of a volume.
    File,
}

/// The value of the field at `path`. A label or annotation that the pod does not have is empty.
///
/// # Errors
/// The field cannot be used there, or has no value that is known here.
pub fn value(pod: &DownwardPod, api_version: &str, path: &str, target: Target) -> Result<String, Unknown> {
    let refused = |why: String| Err(Unknown::Refused(why));
    if !matches!(api_version, "" | "v1") {
        return refused(format!("fieldRef.apiVersion {api_version:?} is not v1"));
    }
    if let Some((field, key)) = subscript(path) {
        let (map, checked) = match field {
            "metadata.labels" => (&pod.labels, names::qualified_name(key)),
            "metadata.annotations" => (&pod.annotations, names::qualified_name(&key.to_lowercase())),
            _ => return refused(format!("fieldPath {path:?} does not support subscript")),
        };
        return match checked.first() {
            Some(problem) => refused(format!("invalid key subscript in {path}: {problem}")),
            None => Ok(map.get(key).cloned().unwrap_or_default()),
        };
    }
    match (path, target) {
        ("metadata.name", _) => Ok(pod.name.clone()),
        ("metadata.namespace", _) => Ok(pod.namespace.clone()),
        ("metadata.uid", _) => Ok(pod.uid.clone()),
        ("metadata.labels", Target::File) => Ok(map_file(&pod.labels)),
        ("metadata.annotations", Target::File) => Ok(map_file(&pod.annotations)),
        // the old name of spec.nodeName
        ("spec.nodeName" | "spec.host", Target::Variable) => Ok(pod.node_name.clone()),
        ("spec.serviceAccountName", Target::Variable) => Ok(pod.service_account.clone()),
        ("status.hostIP", Target::Variable) => first(&pod.host_ips, Unknown::NoHostIp),
        ("status.hostIPs", Target::Variable) => joined(&pod.host_ips, Unknown::NoHostIp),
        ("status.podIP", Target::Variable) => first(pod.addresses(), Unknown::NoPodIp),
        ("status.podIPs", Target::Variable) => joined(pod.addresses(), Unknown::NoPodIp),
        (_, Target::Variable) => refused(format!("fieldPath {path:?} cannot be an environment variable")),
        (_, Target::File) => refused(format!("fieldPath {path:?} cannot be a file of a volume")),
    }
}

fn first(list: &[String], none: Unknown) -> Result<String, Unknown> {
    list.first().cloned().ok_or(none)
}

fn joined(list: &[String], none: Unknown) -> Result<String, Unknown> {
    match list {
        [] => Err(none),
        some => Ok(some.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> DownwardPod {
        DownwardPod::from_json(
            &json!({"name": "web", "namespace": "shop", "uid": "u-1", "labels": {"app": "x", "example.com/Tier": "db"},
                "annotations": {"Note": "two\nlines", "nodepods.io/sources": "file"}}),
            &json!({"nodeName": "n1", "serviceAccountName": "robot"}),
            &json!({"hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
                "podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}, {"ip": "fd00:2::7"}]}),
        )
    }

    #[test]
    fn each_field_in_both_places() {
        let pod = pod();
        let map = "app=\"x\"\nexample.com/Tier=\"db\"";
        let table = [
            ("metadata.name", Some("web"), Some("web")),
            ("metadata.namespace", Some("shop"), Some("shop")),
            ("metadata.uid", Some("u-1"), Some("u-1")),
            ("metadata.labels['app']", Some("x"), Some("x")),
            ("metadata.labels['example.com/Tier']", Some("db"), Some("db")),
            ("metadata.labels['none']", Some(""), Some("")),
            ("metadata.labels['bad key']", None, None),
            ("metadata.labels['']", None, None),
            ("metadata.annotations['Note']", Some("two\nlines"), Some("two\nlines")),
            ("metadata.annotations['nodepods.io/sources']", Some(""), Some("")),
            ("metadata.name['x']", None, None),
            ("metadata.labels", None, Some(map)),
            ("metadata.annotations", None, Some("Note=\"two\\nlines\"")),
            ("spec.nodeName", Some("n1"), None),
            ("spec.host", Some("n1"), None),
            ("spec.serviceAccountName", Some("robot"), None),
            ("status.hostIP", Some("10.0.0.1"), None),
            ("status.hostIPs", Some("10.0.0.1,fd00::1"), None),
            ("status.podIP", Some("10.244.0.7"), None),
            ("status.podIPs", Some("10.244.0.7,fd00:2::7"), None),
            ("spec.restartPolicy", None, None),
            ("spec.schedulerName", None, None),
            ("status.phase", None, None),
            ("spec.terminationGracePeriodSeconds", None, None),
        ];
        for (path, variable, file) in table {
            assert_eq!(value(&pod, "v1", path, Target::Variable).ok().as_deref(), variable, "{path} as a variable");
            assert_eq!(value(&pod, "", path, Target::File).ok().as_deref(), file, "{path} as a file");
        }
        assert!(value(&pod, "v2", "metadata.name", Target::File).is_err());
    }

    #[test]
    fn addresses_that_are_not_known() {
        let bare = DownwardPod::from_json(&json!({}), &json!({}), &json!({}));
        let of = |pod: &DownwardPod, path| value(pod, "v1", path, Target::Variable);
        assert_eq!(of(&bare, "status.podIP"), Err(Unknown::NoPodIp));
        assert_eq!(of(&bare, "status.hostIPs"), Err(Unknown::NoHostIp));
        let host = json!({"hostNetwork": true});
        let host = DownwardPod::from_json(&json!({}), &host, &json!({"hostIP": "10.0.0.1"}));
        assert_eq!(of(&host, "status.podIP").as_deref(), Ok("10.0.0.1"));
    }

    #[test]
    fn subscripts() {
        for (path, want) in [
            ("metadata.annotations['key']", Some(("metadata.annotations", "key"))),
            ("metadata.annotations['a[b']c']", Some(("metadata.annotations", "a[b']c"))),
            ("metadata.annotations['']", Some(("metadata.annotations", ""))),
            ("metadata.annotations", None),
            ("metadata.annotations['key'", None),
            ("metadata.annotations[key]", None),
            ("['key']", None),
        ] {
            assert_eq!(subscript(path), want, "{path}");
        }
    }
}
