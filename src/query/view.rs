//! The parts of an encoded pod that queries are about, borrowed from its bytes.
//!
//! Field numbers: `kubernetes/api core/v1/generated.proto`, `kubernetes/apimachinery pkg/apis/meta/v1/generated.proto`.

use super::label::Label;
use super::uuid::Uuid;
use crate::codec::special;
use crate::codec::time::Time;
use crate::codec::wire::{self, Value};
use crate::pod::instance;
use crate::store::snapshot::PodEntry;

/// What a pod answers.
#[derive(Clone, Debug, Default)]
pub struct PodView<'a> {
    /// `metadata.uid`.
    pub uid: &'a str,
    /// `metadata.name`.
    pub name: &'a str,
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// `spec.nodeName`.
    pub node: &'a str,
    /// `spec.serviceAccountName`.
    pub service_account: &'a str,
    /// `metadata.creationTimestamp`.
    pub created: Option<Time>,
    /// `status.startTime`.
    pub started: Option<Time>,
    /// `metadata.labels`.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Names of `spec.containers`.
    pub containers: Vec<&'a str>,
    /// `status.podIP`.
    pub ip: &'a str,
    owner: Option<Owner<'a>>,
    status: &'a [u8],
}

/// The owner reference that says `controller: true`.
#[derive(Clone, Copy, Debug, Default)]
struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
    uid: &'a str,
}

impl<'a> PodView<'a> {
    /// Reads the pod. Bytes that cannot be read count as absent.
    #[must_use]
    pub fn of(entry: &'a PodEntry) -> Self {
        let pod = &entry.bytes; // and nothing else of the entry: on a narrow socket it says more than may be shown
        let mut view = Self { status: pod.status(), ..Self::default() };
        for (number, value) in parts(pod.metadata()) {
            match number {
                1 => view.name = text(value),
                3 => view.namespace = text(value),
                5 => view.uid = text(value),
                8 => view.created = special::time(value).ok().flatten(),
                11 => view.labels.push((part(value, 1), part(value, 2))),
                13 => view.owner = view.owner.or(Owner::controller(value)),
                _ => {}
            }
        }
        for (number, value) in parts(pod.spec()) {
            match number {
                2 => view.containers.push(part(value, 1)),
                8 => view.service_account = text(value),
                10 => view.node = text(value),
                _ => {}
            }
        }
        for (number, value) in parts(pod.status()) {
            match number {
                6 => view.ip = text(value),
                7 => view.started = special::time(value).ok().flatten(),
                _ => {}
            }
        }
        view
    }

    /// The pod's id in StackRox form; empty where its UID is not shown.
    #[must_use]
    pub fn id(&self) -> String {
        if self.uid.is_empty() {
            String::new()
        } else {
            Uuid::of_object(self.uid).to_string()
        }
    }

    /// UID of the controller, of the pod itself where it has none. A mirror pod is owned by its node, which counts as
    /// nobody. The owner of a controller is not known on a node: for the pod of a Deployment this is its ReplicaSet.
    #[must_use]
    pub fn owner_uid(&self) -> &'a str {
        self.owner.map_or(self.uid, |owner| owner.uid)
    }

    /// Name of what the pod belongs to: its controller, but for a ReplicaSet of a Deployment, whose name carries that
    /// of the Deployment; the pod itself where it has none.
    #[must_use]
    pub fn deployment(&self) -> &'a str {
        let Some(owner) = self.owner else { return self.name };
        let hash = self.labels.iter().find(|(key, _)| *key == "pod-template-hash").map(|(_, hash)| *hash);
        let stem = hash.and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
        stem.filter(|_| owner.kind == "ReplicaSet").unwrap_or(owner.name)
    }

    /// The value of a label that has one at most; empty where there is none.
    #[must_use]
    pub fn single(&self, label: Label) -> String {
        match label {
            Label::PodId => self.id(),
            Label::PodName => self.name.to_owned(),
            Label::Namespace => self.namespace.to_owned(),
            Label::DeploymentId => self.owner_uid().to_owned(),
            Label::Deployment => self.deployment().to_owned(),
            Label::ServiceAccount => self.service_account.to_owned(),
            Label::Node => self.node.to_owned(),
            Label::ClusterId
            | Label::Cluster
            | Label::ContainerName
            | Label::ContainerImageDigest
            | Label::PodLabel => String::new(),
        }
    }

    /// Image digests of the live instances.
    #[must_use]
    pub fn live_digests(&self) -> Vec<String> {
        let live = instance::shown(self.status).into_iter().filter(|i| i.end.is_none());
        live.map(|i| digest(&i.image_id).to_owned()).collect()
    }
}

impl<'a> Owner<'a> {
    fn controller(bytes: &'a [u8]) -> Option<Self> {
        let controls = wire::fields(bytes).map_while(Result::ok).filter(|f| f.number == 6).last();
        let owner = Self { kind: part(bytes, 1), name: part(bytes, 3), uid: part(bytes, 4) };
        let is_pods = controls.is_some_and(|f| f.value == Value::Varint(1)) && owner.kind != "Node";
        (is_pods && !owner.uid.is_empty()).then_some(owner)
    }
}

/// The digest in an image's id: from `sha256:` or `sha512:` on.
#[must_use]
pub fn digest(image_id: &str) -> &str {
    let at = image_id.find("sha256:").or_else(|| image_id.find("sha512:"));
    at.and_then(|at| image_id.get(at..)).unwrap_or_default()
}

fn parts(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    wire::fields(bytes).map_while(Result::ok).filter_map(|f| match f.value {
        Value::Bytes(bytes) => Some((f.number, bytes)),
        _ => None,
    })
}

/// Field `number` of a message, as text.
fn part(bytes: &[u8], number: u32) -> &str {
    parts(bytes).filter(|(n, _)| *n == number).last().map(|(_, value)| text(value)).unwrap_or_default()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{entry, replica};
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn what_a_pod_answers() {
        let entry = replica();
        let view = PodView::of(&entry);
        assert_eq!((view.name, view.namespace, view.node), ("web-5d9c-x7", "shop", "n1"));
        assert_eq!((view.service_account, view.ip), ("web", "10.0.0.7"));
        assert_eq!(
            (view.containers.clone(), view.labels.clone()),
            (vec!["app", "side"], vec![("app", "web"), ("pod-template-hash", "5d9c")])
        );
        assert_eq!(view.created, Time::parse("2021-01-11T07:47:02Z"));
        assert_eq!(view.started, Time::parse("2021-01-11T07:47:03Z"));
        assert_eq!((view.owner_uid(), view.deployment()), ("11111111-0000-0000-0000-000000000000", "web"));
        assert_eq!(view.live_digests(), ["sha256:aa"]);
    }

    #[test]
    fn what_a_pod_belongs_to() {
        let of = |owner: serde_json::Value| {
            let metadata = json!({"name": "p", "namespace": "n", "uid": "u", "ownerReferences": [owner],
                "labels": {"pod-template-hash": "h"}});
            let entry = entry(&json!({"metadata": metadata}));
            let view = PodView::of(&entry);
            (view.owner_uid().to_owned(), view.deployment().to_owned())
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let owner = |kind, name, controller| json!({"kind": kind, "name": name, "uid": "o", "controller": controller});
        assert_eq!(of(owner("ReplicaSet", "web-h", true)), pair("o", "web"));
        assert_eq!(of(owner("ReplicaSet", "web", true)), pair("o", "web"));
        assert_eq!(of(owner("DaemonSet", "log-h", true)), pair("o", "log-h"));
        assert_eq!(of(owner("DaemonSet", "log", false)), pair("u", "p"));
        assert_eq!(of(owner("Node", "n1", true)), pair("u", "p"));
    }

    #[test]
    fn what_a_pod_does_not_show_is_not_known_from_elsewhere() {
        let full = replica();
        let bytes = crate::codec::pod_bytes::PodBytes::from_sections(b"", full.bytes.spec(), b"", b"");
        let masked = PodEntry {
            id: Arc::clone(&full.id),
            phase: String::new(),
            container_ids: Vec::new(),
            ips: Vec::new(),
            revision: 1,
            bytes,
        };
        let view = PodView::of(&masked);
        assert_eq!((view.name, view.namespace, view.uid, view.id().as_str()), ("", "", "", ""));
    }

    #[test]
    fn digests_in_image_ids() {
        for (id, want) in [
            ("docker.io/library/web@sha256:aa", "sha256:aa"),
            ("docker://sha256:aa", "sha256:aa"),
            ("sha512:bb", "sha512:bb"),
            ("web:latest", ""),
            ("", ""),
        ] {
            assert_eq!(digest(id), want);
        }
    }
}
