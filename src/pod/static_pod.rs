//! From a manifest to the pod that the kubelet makes of it: what depends on the node, on the source and on time.
//!
//! Source: `kubernetes/kubernetes pkg/kubelet/config/common.go` (applyDefaults), `config.go`,
//! `pkg/kubelet/types/pod_update.go`.

use std::collections::BTreeMap;

use super::manifest::Manifest;
use crate::codec::wire::{self, Value};
use crate::pod::source::SourceId;

/// Annotation with the UID the kubelet computed (or was given).
pub const CONFIG_HASH: &str = "kubernetes.io/config.hash";
/// Annotation on the API server's copy of a static pod: the UID that the static pod has on its node.
pub const CONFIG_MIRROR: &str = "kubernetes.io/config.mirror";
/// Annotation that names the source: `file` or `http`.
pub const CONFIG_SOURCE: &str = "kubernetes.io/config.source";
/// Annotation with the time at which the pod was first seen.
pub const CONFIG_SEEN: &str = "kubernetes.io/config.seen";

/// Field numbers of `meta.v1.ObjectMeta`.
mod meta {
    pub const NAME: u32 = 1;
    pub const NAMESPACE: u32 = 3;
    pub const UID: u32 = 5;
    pub const ANNOTATIONS: u32 = 12;
}

/// Field numbers of `PodSpec` and `Toleration`.
mod spec {
    pub const NODE_NAME: u32 = 10;
    pub const TOLERATIONS: u32 = 22;
    pub const OPERATOR: u32 = 2;
    pub const EFFECT: u32 = 4;
    pub const TOLERATION_SECONDS: u32 = 5;
}

/// What a static pod gets from the node and the moment.
#[derive(Clone, Copy, Debug)]
pub struct StaticContext<'a> {
    /// The node's name, unchanged case.
    pub node_name: &'a str,
    /// The pod's UID: the manifest's own, the sandbox's, or [one of ours](super::own_uid).
    pub uid: &'a str,
    /// `File` or `Http`. Only pods from files tolerate `NoExecute` taints.
    pub source: SourceId,
    /// When the manifest was first seen, RFC 3339 with nanoseconds.
    pub seen: &'a str,
    /// Further annotations, such as ours under `nodepods.io/`.
    pub annotations: &'a [(String, String)],
}

/// The two sections of a pod that come from its manifest, encoded in order of field numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSections {
    /// Encoded `meta.v1.ObjectMeta`.
    pub metadata: Vec<u8>,
    /// Encoded `PodSpec`.
    pub spec: Vec<u8>,
}

/// The name that the kubelet gives a static pod: `<name>-<node in lower case>`.
#[must_use]
pub fn pod_name(name: &str, node_name: &str) -> String {
    format!("{name}-{}", node_name.to_lowercase())
}

/// Puts the pod together. The manifest's sections are well-formed, as [`super::manifest::read`] makes them; of damaged
/// ones the part before the damage is taken.
pub fn assemble(manifest: &Manifest, context: &StaticContext<'_>) -> PodSections {
    PodSections { metadata: metadata(manifest, context), spec: pod_spec(manifest, context) }
}

fn metadata(manifest: &Manifest, context: &StaticContext<'_>) -> Vec<u8> {
    let mut fields = Fields::default();
    let mut annotations = BTreeMap::new();
    for field in wire::fields(&manifest.metadata).flatten() {
        match (field.number, field.value) {
            (meta::NAME | meta::NAMESPACE | meta::UID, _) => {}
            (meta::ANNOTATIONS, Value::Bytes(entry)) => {
                let (key, value) = map_entry(entry);
                annotations.insert(key.to_vec(), value.to_vec());
            }
            (number, _) => fields.add_raw(number, field.raw),
        }
    }
    let ours = [(CONFIG_HASH, context.uid), (CONFIG_SOURCE, source_name(context.source)), (CONFIG_SEEN, context.seen)];
    let further = context.annotations.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    for (key, value) in further.chain(ours) {
        annotations.insert(key.as_bytes().to_vec(), value.as_bytes().to_vec());
    }
    fields.add_bytes(meta::NAME, pod_name(&manifest.name, context.node_name).as_bytes());
    fields.add_bytes(meta::NAMESPACE, manifest.namespace.as_bytes());
    fields.add_bytes(meta::UID, context.uid.as_bytes());
    for (key, value) in &annotations {
        let mut entry = Vec::with_capacity(wire::bytes_len(1, key.len()) + wire::bytes_len(2, value.len()));
        wire::put_bytes(&mut entry, 1, key);
        wire::put_bytes(&mut entry, 2, value);
        fields.add_bytes(meta::ANNOTATIONS, &entry);
    }
    fields.into_bytes()
}

fn source_name(source: SourceId) -> &'static str {
    if source == SourceId::Http {
        "http"
    } else {
        "file"
    }
}

fn pod_spec(manifest: &Manifest, context: &StaticContext<'_>) -> Vec<u8> {
    let mut fields = Fields::default();
    let mut tolerated = context.source == SourceId::Http;
    for field in wire::fields(&manifest.spec).flatten() {
        match (field.number, field.value) {
            (spec::NODE_NAME, _) => {}
            (spec::TOLERATIONS, Value::Bytes(toleration)) if !tolerated && tolerates_no_execute(toleration) => {
                // The kubelet puts its own in the place of one that differs only in tolerationSeconds.
                tolerated = true;
                fields.add_bytes(spec::TOLERATIONS, &no_execute());
            }
            (number, _) => fields.add_raw(number, field.raw),
        }
    }
    fields.add_bytes(spec::NODE_NAME, context.node_name.as_bytes());
    if !tolerated {
        fields.add_bytes(spec::TOLERATIONS, &no_execute());
    }
    fields.into_bytes()
}

/// `{operator: Exists, effect: NoExecute}`.
fn no_execute() -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(&mut out, spec::OPERATOR, b"Exists");
    wire::put_bytes(&mut out, spec::EFFECT, b"NoExecute");
    out
}

/// Whether a toleration is the kubelet's own but for `tolerationSeconds`.
fn tolerates_no_execute(toleration: &[u8]) -> bool {
    let (mut exists, mut no_execute) = (false, false);
    for field in wire::fields(toleration).flatten() {
        match (field.number, field.value) {
            (spec::OPERATOR, Value::Bytes(text)) => exists = text == b"Exists",
            (spec::EFFECT, Value::Bytes(text)) => no_execute = text == b"NoExecute",
            (spec::TOLERATION_SECONDS, _) | (_, Value::Bytes([])) => {}
            _ => return false,
        }
    }
    exists && no_execute
}

fn map_entry(entry: &[u8]) -> (&[u8], &[u8]) {
    let (mut key, mut value) = (&[][..], &[][..]);
    for field in wire::fields(entry).flatten() {
        match (field.number, field.value) {
            (1, Value::Bytes(b)) => key = b,
            (2, Value::Bytes(b)) => value = b,
            _ => {}
        }
    }
    (key, value)
}

/// Fields of a message, written in order of their numbers; equal numbers keep their order.
#[derive(Default)]
struct Fields(BTreeMap<u32, Vec<u8>>);

impl Fields {
    fn add_raw(&mut self, number: u32, raw: &[u8]) {
        self.0.entry(number).or_default().extend_from_slice(raw);
    }

    fn add_bytes(&mut self, number: u32, value: &[u8]) {
        wire::put_bytes(self.0.entry(number).or_default(), number, value);
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, value) in fields {
            wire::put_bytes(&mut out, *number, value);
        }
        out
    }

    fn annotation(key: &str, value: &str) -> Vec<u8> {
        message(&[(1, key.as_bytes()), (2, value.as_bytes())])
    }

    fn manifest(spec: &[(u32, &[u8])]) -> Manifest {
        Manifest {
            name: "web".into(),
            namespace: "default".into(),
            uid: None,
            metadata: message(&[(1, b"web"), (3, b"default"), (11, b"labels"), (12, &annotation("z.example/a", "1"))]),
            spec: message(spec),
        }
    }

    fn context() -> StaticContext<'static> {
        StaticContext { node_name: "Node-1", uid: "u", source: SourceId::File, seen: "now", annotations: &[] }
    }

    #[test]
    fn metadata_is_the_kubelets() {
        let ours = [("nodepods.io/sources".to_owned(), "file".to_owned())];
        let got = assemble(&manifest(&[]), &StaticContext { annotations: &ours, ..context() });
        let want = message(&[
            (1, b"web-node-1"),
            (3, b"default"),
            (5, b"u"),
            (11, b"labels"),
            (12, &annotation("kubernetes.io/config.hash", "u")),
            (12, &annotation("kubernetes.io/config.seen", "now")),
            (12, &annotation("kubernetes.io/config.source", "file")),
            (12, &annotation("nodepods.io/sources", "file")),
            (12, &annotation("z.example/a", "1")),
        ]);
        assert_eq!(got.metadata, want);
    }

    #[test]
    fn tolerations_of_the_two_sources() {
        let other = message(&[(1, b"x"), (2, b"Exists")]);
        let mut with_seconds = no_execute();
        wire::put_number(&mut with_seconds, 5, 60);
        let ours = no_execute();
        type Fields<'a> = &'a [(u32, &'a [u8])];
        let cases: [(SourceId, Fields<'_>, Fields<'_>); 5] = [
            (SourceId::File, &[(2, b"c")], &[(2, b"c"), (10, b"Node-1"), (22, &ours)]),
            (SourceId::File, &[(10, b"written"), (22, &other)], &[(10, b"Node-1"), (22, &other), (22, &ours)]),
            (SourceId::File, &[(22, &ours), (22, &other)], &[(10, b"Node-1"), (22, &ours), (22, &other)]),
            (SourceId::File, &[(22, &with_seconds)], &[(10, b"Node-1"), (22, &ours)]),
            (SourceId::Http, &[(22, &other)], &[(10, b"Node-1"), (22, &other)]),
        ];
        for (source, spec, want) in cases {
            let got = assemble(&manifest(spec), &StaticContext { source, ..context() });
            assert_eq!(got.spec, message(want), "{source} {spec:?}");
        }
    }
}
