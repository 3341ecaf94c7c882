//! lint against what a real kubelet did (recordings under `tests/recordings`), and against texts that are no manifests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::files::Linted;
use super::report::{render, Form};
use crate::pod::finding::Severity;

const NODE: &str = "anchor-node";

/// Moments of the recordings that have manifests and the kubelet's list.
fn snapshots() -> Vec<PathBuf> {
    let list =
        |dir: &Path| -> Vec<PathBuf> { fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect() };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut all: Vec<_> = list(&root)
        .iter()
        .flat_map(|case| list(case))
        .filter(|s| s.join("manifests").is_dir() && s.join("pods.json").is_file())
        .collect();
    all.sort();
    all
}

fn lint(path: &Path) -> Linted {
    let mut linted = Linted::default();
    linted.path(path);
    linted.finish(NODE);
    linted
}

/// The pods that lint says will be, by namespace and name.
fn accepted(linted: &Linted) -> BTreeSet<String> {
    let json: Value = serde_json::from_str(&render(linted, NODE, Form::Json).unwrap()).unwrap();
    let files = json["files"].as_array().unwrap().iter().filter(|f| f["accepted"] == true);
    files
        .map(|f| format!("{}/{}", f["pod"]["namespace"].as_str().unwrap(), f["pod"]["name"].as_str().unwrap()))
        .collect()
}

fn served(snapshot: &Path) -> BTreeSet<String> {
    let list: Value = serde_json::from_slice(&fs::read(snapshot.join("pods.json")).unwrap()).unwrap();
    let pods = list["items"].as_array().cloned().unwrap_or_default();
    let name = |p: &Value, key: &str| p["metadata"][key].as_str().unwrap_or_default().to_owned();
    pods.iter().map(|p| format!("{}/{}", name(p, "namespace"), name(p, "name"))).collect()
}

/// Where the kubelet's list is not what its directory asks for at that moment.
const OTHERWISE: [(&str, &str); 1] =
    [("13-manifest-broken/01-good-broken-in-place", "the good pod runs on until the next full list")];

#[test]
fn lint_accepts_what_the_kubelet_accepted_and_nothing_else() {
    let mut judged = 0;
    for snapshot in snapshots() {
        let (linted, theirs) = (lint(&snapshot.join("manifests")), served(&snapshot));
        let ours = accepted(&linted);
        let place = snapshot.to_string_lossy().into_owned();
        if let Some((_, why)) = OTHERWISE.iter().find(|(name, _)| place.ends_with(name)) {
            assert!(ours.is_subset(&theirs), "{place} ({why})");
            continue;
        }
        assert_eq!(ours, theirs, "{place}");
        let refused = linted.files.iter().any(|f| f.findings.iter().any(|f| f.severity == Severity::Error));
        assert_eq!(linted.worst() == Some(Severity::Error), refused);
        judged += linted.files.len();
    }
    assert!(judged > 60, "{judged} manifests were judged");
}

/// A manifest of the recordings, cut, mixed and overwritten.
fn broken_manifests() -> impl Strategy<Value = Vec<u8>> {
    let files =
        snapshots().into_iter().flat_map(|s| fs::read_dir(s.join("manifests")).unwrap().flatten().map(|e| e.path()));
    let texts: Vec<Vec<u8>> = files.collect::<BTreeSet<_>>().into_iter().map(|f| fs::read(f).unwrap()).collect();
    let words = [
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "- ",
        ": ",
        "\n",
        "\t",
        "'",
        "\"",
        "|\n",
        "null",
        "-1",
        "1e99",
        "---\n",
        "!!binary ",
        "\u{feff}",
        "x".repeat(300).leak(),
    ];
    let change = (any::<prop::sample::Index>(), 0..40usize, prop::sample::select(words.to_vec()));
    (prop::sample::select(texts), prop::collection::vec(change, 0..6)).prop_map(|(mut text, changes)| {
        for (place, removed, word) in changes {
            let from = place.index(text.len() + 1);
            let to = (from + removed).min(text.len());
            text.splice(from..to, word.bytes());
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the text: a verdict, with places that exist, in every form.
    #[test]
    fn no_text_is_too_much(text in broken_manifests()) {
        let mut linted = Linted::default();
        linted.text("fuzz.yaml", &text);
        linted.finish(NODE);
        for form in [Form::Text, Form::Json, Form::Github, Form::Yaml] {
            render(&linted, NODE, form).unwrap();
        }
        let file = &linted.files[0];
        let lines = text.iter().filter(|b| **b == b'\n').count() + 1;
        prop_assert!(file.findings.iter().all(|f| f.line as usize <= lines + 1), "{:?}", file.findings);
        prop_assert!(file.pod.is_some() || linted.worst() == Some(Severity::Error), "refused without a word");
    }

    #[test]
    fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut linted = Linted::default();
        linted.text("fuzz.yaml", &bytes);
        prop_assert!(linted.files[0].pod.is_some() || linted.worst() == Some(Severity::Error));
    }
}
