use super::*;
use crate::codec::pod_bytes::PodBytes;

mod model;

fn pod(uid: &str, revision: u64) -> Arc<PodEntry> {
    Arc::new(PodEntry {
        id: Arc::new(PodId { uid: uid.into(), namespace: "default".into(), name: format!("pod-{uid}") }),
        phase: String::new(),
        container_ids: Vec::new(),
        ips: Vec::new(),
        revision,
        bytes: PodBytes::from_sections(b"", b"", b"", b""),
    })
}

fn snapshot(pods: &[(&str, u64)]) -> Snapshot {
    Snapshot { pods: pods.iter().map(|(uid, revision)| pod(uid, *revision)).collect(), ..Snapshot::empty(0) }
}

/// An event in a line: `+a1`, `~a2`, `-a`, `sync`.
fn line(event: &Event) -> String {
    match event {
        Event::Added(p) => format!("+{}{}", p.id.uid, p.revision),
        Event::Modified(p) => format!("~{}{}", p.id.uid, p.revision),
        Event::Deleted(id) => format!("-{}", id.uid),
        Event::InitialSyncComplete => "sync".into(),
    }
}

fn drain<V: View>(watcher: &mut Watcher<V>, current: &Snapshot) -> Vec<String> {
    std::iter::from_fn(|| watcher.next(current)).map(|e| line(&e)).collect()
}

#[test]
fn starts_with_all_pods_in_order_then_the_marker_then_changes() {
    let mut w = Watcher::new();
    assert_eq!(drain(&mut w, &snapshot(&[("a", 1), ("b", 2)])), ["+a1", "+b2", "sync"]);
    assert_eq!(drain(&mut w, &snapshot(&[("a", 1), ("b", 2)])), [""; 0]);
    assert_eq!(drain(&mut w, &snapshot(&[("b", 3), ("c", 4)])), ["-a", "~b3", "+c4"]);
    assert_eq!(drain(&mut w, &snapshot(&[])), ["-b", "-c"]);
}

#[test]
fn what_changes_during_the_initial_batch_comes_fresh_or_after_the_marker() {
    let mut w = Watcher::new();
    assert_eq!(w.next(&snapshot(&[("a", 1), ("b", 2), ("c", 3)])).map(|e| line(&e)).unwrap(), "+a1");
    // a goes, b changes, c goes before it was sent, d is new.
    assert_eq!(drain(&mut w, &snapshot(&[("b", 4), ("d", 5)])), ["+b4", "sync", "-a", "+d5"]);
}

#[test]
fn deleted_and_added_again_between_looks_is_modified() {
    let mut w = Watcher::new();
    drain(&mut w, &snapshot(&[("a", 1)]));
    assert_eq!(drain(&mut w, &snapshot(&[("a", 9)])), ["~a9"]);
}

#[test]
fn a_hot_pod_takes_one_turn_a_batch() {
    let mut w = Watcher::new();
    drain(&mut w, &snapshot(&[("a", 1), ("b", 1), ("c", 1)]));
    let mut got = Vec::new();
    for revision in 2..8 {
        got.extend(w.next(&snapshot(&[("a", revision), ("b", revision), ("c", 1)])).map(|e| line(&e)));
    }
    assert_eq!(got, ["~a2", "~b3", "~a4", "~b5", "~a6", "~b7"]);
}

#[test]
fn a_resumed_watch_tells_what_differs_from_what_its_client_knows() {
    let known = snapshot(&[("a", 1), ("b", 2), ("c", 3)]);
    let newer = snapshot(&[("b", 4)]);
    let mut w = Watcher::resume(Everything, known.pods.iter().chain(&newer.pods));
    assert_eq!(drain(&mut w, &snapshot(&[("b", 4), ("c", 5), ("d", 6)])), ["-a", "~c5", "+d6"]);
    let mut nothing_new = Watcher::resume(Everything, &known.pods);
    assert_eq!(drain(&mut nothing_new, &known), [""; 0]);
}
