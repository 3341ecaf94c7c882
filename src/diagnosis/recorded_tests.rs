//! What is said of pods as a real kubelet served them (recordings under `tests/recordings`).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::case::{list, number, text};
use super::*;

fn snapshots() -> Vec<PathBuf> {
    let list =
        |dir: &Path| -> Vec<PathBuf> { fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect() };
    let cases = list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings"));
    cases.iter().flat_map(|case| list(case)).map(|s| s.join("pods.json")).filter(|f| f.is_file()).collect()
}

/// The moment of a snapshot: a while after the latest time in it.
fn moment(pod: &Value) -> i64 {
    let times = ["/state/running/startedAt", "/state/terminated/finishedAt", "/lastState/terminated/finishedAt"];
    let statuses = list(pod, "/status/containerStatuses").iter();
    let seconds = statuses.flat_map(|s| times.map(|at| crate::codec::time::Time::parse(text(s, at))));
    seconds.flatten().map(crate::codec::time::Time::unix).max().unwrap_or(0) + 5
}

#[test]
fn a_kubelets_own_reasons_are_named_and_what_runs_well_is_left_alone() {
    let (mut ill, mut well) = (0, 0);
    for file in snapshots() {
        let pods: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for pod in list(&pods, "/items") {
            let place = format!("{} {}", file.display(), text(pod, "/metadata/name"));
            let (node, looked_up) = (NodeFacts::default(), PodFacts::default());
            let case = Case { pod, findings: &[], node: &node, looked_up: &looked_up, now: moment(pod) };
            let remarks = of_pod(&case);
            let named = |word: &str| remarks.iter().any(|r| r.reason == word && r.weight == Weight::Trouble);
            let statuses =
                || list(pod, "/status/initContainerStatuses").iter().chain(list(pod, "/status/containerStatuses"));
            for status in statuses() {
                let waiting = text(status, "/state/waiting/reason");
                assert!(waiting::is_not_yet(waiting) || named(waiting), "{place}: {waiting} is not in {remarks:?}");
                if number(status, "/state/terminated/exitCode").is_some_and(|code| code != 0) {
                    assert_eq!(worst(&remarks), Weight::Trouble, "{place}: {remarks:?}");
                }
            }
            let reason = text(pod, "/status/reason");
            assert!(reason.is_empty() || named(reason), "{place}: {reason} is not in {remarks:?}");
            let ready = statuses().all(|s| s["ready"] == true && number(s, "/restartCount") == Some(0));
            match text(pod, "/status/phase") {
                "Running" if ready => {
                    well += 1;
                    assert_eq!(remarks, [], "{place}");
                }
                "Succeeded" => assert!(worst(&remarks) < Weight::Trouble, "{place}: {remarks:?}"),
                _ => {
                    ill += 1;
                    assert_eq!(worst(&remarks), Weight::Trouble, "{place}: {remarks:?}");
                }
            }
        }
    }
    assert!(ill > 20 && well > 20, "{ill} were ill, {well} were well");
}
