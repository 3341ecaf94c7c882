//! The golden files of `kubernetes/api testdata`, where they are at hand.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::wire::{self, Value};

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    env::var_os("NODEPODS_GOLDEN").map_or_else(beside, PathBuf::from).join("kubernetes-api")
}

/// A file of this version; `None`, with a message, where there is none.
pub(crate) fn file(version: &str, name: &str) -> Option<Vec<u8>> {
    let path = folder().join(version).join(name);
    match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(e) => {
            println!("skipped: {}: {e} (set NODEPODS_GOLDEN to a folder with golden files)", path.display());
            None
        }
    }
}

/// Cuts the pod out of the envelope in which etcd and the API server keep it.
fn unwrap(envelope: &[u8]) -> Vec<u8> {
    let unknown = envelope.strip_prefix(b"k8s\0").unwrap();
    let raw = wire::fields(unknown).map(Result::unwrap).find(|f| f.number == 2).map(|f| f.value);
    let Some(Value::Bytes(pod)) = raw else { panic!("the envelope holds no object") };
    pod.to_vec()
}

/// The encoded pod of this version, and the JSON that the newest types print for it.
pub(crate) fn pod(version: &str) -> Option<(Vec<u8>, String)> {
    let text = file(version, &newest(version, "json"))?;
    Some((unwrap(&file(version, "core.v1.Pod.pb")?), String::from_utf8(text).unwrap()))
}

/// The same pod as the newest types encode it.
pub(crate) fn round_trip(version: &str) -> Option<Vec<u8>> {
    file(version, &newest(version, "pb")).map(|envelope| unwrap(&envelope))
}

fn newest(version: &str, suffix: &str) -> String {
    let stem = if version == "HEAD" { "core.v1.Pod" } else { "core.v1.Pod.after_roundtrip" };
    format!("{stem}.{suffix}")
}
