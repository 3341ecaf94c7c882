//! What a real kubelet made of real manifests (recordings under `tests/recordings`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{read, Manifest, ManifestFile};
use crate::codec::schema::{id, MessageId};
use crate::codec::wire::{self, Value};
use crate::codec::{canonical, json};
use crate::pod::source::SourceId;
use crate::pod::static_pod::{assemble, StaticContext};

const NODE: &str = "anchor-node";

/// Every snapshot that has manifests and the kubelet's answer.
fn snapshots() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let list = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten();
        entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
    };
    let folders = list(&root).into_iter().flat_map(|p| if p.join("case.json").exists() { vec![p] } else { list(&p) });
    folders
        .flat_map(|case| list(&case))
        .filter(|s| s.join("manifests").is_dir() && s.join("pods.json").is_file())
        .collect()
}

fn manifests(snapshot: &Path) -> BTreeMap<String, ManifestFile> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(snapshot.join("manifests")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with('.') {
            out.insert(name.clone(), read(&name, &fs::read(entry.path()).unwrap()));
        }
    }
    out
}

fn served(snapshot: &Path) -> Vec<Json> {
    let pods: Json = serde_json::from_slice(&fs::read(snapshot.join("pods.json")).unwrap()).unwrap();
    pods["items"].as_array().cloned().unwrap_or_default()
}

fn text<'a>(pod: &'a Json, path: &str) -> &'a str {
    pod.pointer(path).and_then(Json::as_str).unwrap_or_default()
}

fn shown(message: MessageId, bytes: &[u8]) -> Json {
    json::from_wire(message, bytes).unwrap()
}

#[test]
fn pods_are_those_of_the_kubelet_field_for_field() {
    let mut compared = BTreeSet::new();
    for snapshot in snapshots() {
        let files = manifests(&snapshot);
        for pod in served(&snapshot) {
            let of_pod = |file: &&ManifestFile| {
                file.pod.as_ref().is_some_and(|m| {
                    format!("{}-{NODE}", m.name) == text(&pod, "/metadata/name")
                        && m.namespace == text(&pod, "/metadata/namespace")
                })
            };
            let Some(file) = files.values().find(of_pod) else { continue };
            let context = StaticContext {
                node_name: NODE,
                uid: text(&pod, "/metadata/uid"),
                source: SourceId::File,
                seen: text(&pod, "/metadata/annotations/kubernetes.io~1config.seen"),
                annotations: &[],
            };
            let ours = assemble(file.pod.as_ref().unwrap(), &context);
            assert_eq!(shown(id::OBJECT_META, &ours.metadata), pod["metadata"], "{}", snapshot.display());
            assert_eq!(shown(id::POD_SPEC, &ours.spec), pod["spec"], "{}", snapshot.display());
            let again = json::to_wire(id::POD_SPEC, &pod["spec"]).unwrap();
            assert_eq!(again.bytes, ours.spec, "canonical bytes, {}", snapshot.display());
            compared.insert(file.origin.clone());
        }
    }
    assert!(compared.len() > 30, "only {compared:?} were compared");
}

#[test]
fn exactly_what_the_kubelet_served_is_accepted() {
    let mut judged = 0;
    for snapshot in snapshots().iter().filter(|s| s.ends_with("00-broken-beside-good")) {
        let accepted: BTreeSet<String> =
            manifests(snapshot).values().filter_map(|f| Some(format!("{}-{NODE}", f.pod.as_ref()?.name))).collect();
        let kept: BTreeSet<String> = served(snapshot).iter().map(|p| text(p, "/metadata/name").to_owned()).collect();
        assert_eq!(accepted, kept);
        judged += 1;
    }
    assert_eq!(judged, 1);
    for snapshot in snapshots() {
        for (name, file) in manifests(&snapshot) {
            let broken =
                name.starts_with("bad") && name != "badname.yaml" || snapshot.ends_with("01-good-broken-in-place");
            assert!(file.pod.is_some() || broken, "{}: {:?}", snapshot.display(), file.findings);
        }
    }
}

/// The same against the bytes of the kubelet's Pods API, once the zero fields that Go writes are dropped.
#[test]
fn bytes_are_those_of_the_pods_api() {
    let mut compared = 0;
    for snapshot in snapshots() {
        let Ok(answer) = fs::read(snapshot.join("ListPodsResponse.pb")) else { continue };
        let files = manifests(&snapshot);
        for field in wire::fields(&answer) {
            let Value::Bytes(pod) = field.unwrap().value else { continue };
            let theirs = canonical::pod(pod).unwrap();
            let metadata = shown(id::OBJECT_META, theirs.metadata());
            let wanted = |m: &&Manifest| {
                format!("{}-{NODE}", m.name) == text(&metadata, "/name") && m.namespace == text(&metadata, "/namespace")
            };
            let Some(manifest) = files.values().filter_map(|f| f.pod.as_deref()).find(wanted) else { continue };
            let context = StaticContext {
                node_name: NODE,
                uid: text(&metadata, "/uid"),
                source: SourceId::File,
                seen: text(&metadata, "/annotations/kubernetes.io~1config.seen"),
                annotations: &[],
            };
            let ours = assemble(manifest, &context);
            assert_eq!(ours.metadata, theirs.metadata(), "{}", snapshot.display());
            assert_eq!(ours.spec, theirs.spec(), "{}", snapshot.display());
            compared += 1;
        }
    }
    assert!(compared > 30, "only {compared} were compared");
}

/// The eight broken manifests, each with what is said about it.
#[test]
fn broken_manifests_say_where() {
    let snapshot = snapshots().into_iter().find(|s| s.ends_with("00-broken-beside-good")).unwrap();
    let files = manifests(&snapshot);
    for (name, reason, field, line) in [
        ("bad1.yaml", "InvalidYAML", "", 4),
        ("bad2.yaml", "Required", "spec.containers", 7),
        ("bad3.yaml", "UnknownField", "spec.noSuchField", 15),
        ("bad4.yaml", "InvalidName", "metadata.name", 4),
        ("bad6.yaml", "SecretReference", "spec.volumes[0].secret", 17),
        ("bad7.yaml", "ServiceAccountReference", "spec.serviceAccountName", 15),
        ("bad8.yaml", "DuplicateName", "spec.containers[1].name", 15),
    ] {
        let got: Vec<_> = files[name].findings.iter().map(|f| (f.reason, f.field.as_str(), f.line)).collect();
        assert_eq!(got, [(reason, field, line)], "{name}: {:?}", files[name].findings);
    }
    assert!(files["bad5.yaml"].findings.is_empty() && files["good.yaml"].findings.is_empty());
}
