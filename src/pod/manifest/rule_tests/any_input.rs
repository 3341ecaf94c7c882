//! Whatever is read, it is accepted or refused with a reason.

use proptest::prelude::*;

use crate::pod::finding::Severity;
use crate::pod::manifest::{read, read_list};

/// A manifest with one piece of it replaced, which reaches deeper than arbitrary bytes do.
fn damaged() -> impl Strategy<Value = String> {
    let whole = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {a: b}}\nspec:\n  hostNetwork: true\n  \
        containers:\n  - {name: a, image: 'i:1', ports: [{containerPort: 80}], resources: {limits: {cpu: 100m}}, \
        livenessProbe: {httpGet: {port: 80}}, env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}\n  \
        volumes: [{name: v, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.labels}}]}}]\n";
    let pieces =
        prop::sample::select(vec!["", "null", "{}", "[]", "-1", "''", "{a: b}", "[null]", "99999999999", "\u{e4}"]);
    (0..whole.len(), 1..12usize, pieces).prop_map(move |(at, len, piece)| {
        let end = (at + len).min(whole.len());
        format!("{}{piece}{}", &whole[..at], &whole[end..])
    })
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    for file in std::iter::once(read("f", bytes)).chain(read_list("u", bytes)) {
        let refused = file.findings.iter().any(|f| f.severity == Severity::Error);
        prop_assert_eq!(file.pod.is_none(), refused, "{:?}", file.findings);
    }
    Ok(())
}

proptest! {
    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    #[test]
    fn damaged_manifests(text in damaged()) {
        check(text.as_bytes())?;
    }
}
