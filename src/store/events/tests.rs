use serde_json::{json, Value};

use super::*;
use crate::codec::json;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::schema::id;

const NOW: i64 = 1_700_000_000;

fn pod(name: &str, revision: u64, statuses: Value) -> Arc<PodEntry> {
    let pod_id = PodId { uid: format!("uid-{name}"), namespace: "default".into(), name: name.into() };
    let value =
        json!({"metadata": {"name": name}, "spec": {"containers": []}, "status": {"containerStatuses": statuses}});
    let bytes = PodBytes::from_wire(&json::to_wire(id::POD, &value).unwrap().bytes).unwrap();
    Arc::new(PodEntry {
        id: Arc::new(pod_id),
        phase: String::new(),
        container_ids: Vec::new(),
        ips: Vec::new(),
        revision,
        bytes,
    })
}

fn time(at: i64) -> String {
    crate::codec::time::Time::from_unix(at).to_string()
}

fn running(id: &str, at: i64) -> Value {
    json!({"name": "main", "containerID": id, "state": {"running": {"startedAt": time(at)}}})
}

fn ended(id: &str, at: i64, code: i64, reason: &str) -> Value {
    let terminated = json!({"exitCode": code, "reason": reason, "finishedAt": time(at), "containerID": id});
    json!({"terminated": terminated})
}

fn snapshot(revision: u64, pods: &[Arc<PodEntry>]) -> Arc<Snapshot> {
    let mut pods = pods.to_vec();
    pods.sort_by(|a, b| a.id.uid.cmp(&b.id.uid));
    Arc::new(Snapshot { initialized: true, pods, ..Snapshot::empty(revision) })
}

/// Reason, how often and how long ago the last time was, of each event.
fn seen(log: &EventLog) -> Vec<(String, u32, i64)> {
    log.events().map(|e| (e.reason.clone(), e.count, NOW - e.last)).collect()
}

#[test]
fn a_container_that_crashes_and_comes_back() {
    let mut log = EventLog::new(5);
    log.observe(&Arc::new(Snapshot::empty(6)), NOW);
    log.observe(&snapshot(7, &[]), NOW);
    log.observe(&snapshot(8, &[pod("a", 8, json!([]))]), NOW);
    assert_eq!(seen(&log), [("Added".into(), 1, 0)]);
    log.observe(&snapshot(9, &[pod("a", 9, json!([running("1", NOW - 50)]))]), NOW);
    // Between two looks it ended and was started again.
    let mut again = running("2", NOW - 30);
    again["lastState"] = ended("1", NOW - 40, 137, "OOMKilled");
    log.observe(&snapshot(10, &[pod("a", 10, json!([again.clone()]))]), NOW);
    assert_eq!(seen(&log), [("Added".into(), 1, 0), ("OOMKilled".into(), 1, 40), ("Started".into(), 2, 30)]);
    let event = log.events().last().unwrap();
    assert_eq!(
        (event.field_path.as_str(), event.message.as_str()),
        ("spec.containers{main}", "Started container main")
    );
    assert_eq!((event.first, event.warning), (NOW - 50, false));
    // The same status says nothing new.
    let revision = log.revision();
    log.observe(&snapshot(11, &[pod("a", 11, json!([again]))]), NOW);
    assert_eq!((seen(&log).len(), log.revision()), (3, revision.max(11)));
    log.observe(&snapshot(12, &[]), NOW);
    assert_eq!(seen(&log).last(), Some(&("Removed".into(), 1, 0)));
}

#[test]
fn the_first_look_tells_what_the_statuses_remember_of_the_last_hour() {
    let mut log = EventLog::new(1);
    let mut old = running("2", NOW - 4000);
    old["lastState"] = ended("1", NOW - 4100, 1, "Error");
    let mut young = running("4", NOW - 10);
    young["lastState"] = ended("3", NOW - 20, 0, "");
    log.observe(&snapshot(2, &[pod("b", 2, json!([old])), pod("a", 2, json!([young]))]), NOW);
    assert_eq!(seen(&log), [("Completed".into(), 1, 20), ("Started".into(), 1, 10)]);
}

#[test]
fn what_keeps_a_container_from_starting_is_a_warning() {
    let waiting = |reason: &str| json!([{"name": "main", "state": {"waiting": {"reason": reason}}}]);
    let mut log = EventLog::new(1);
    log.observe(&snapshot(2, &[pod("a", 2, waiting("ContainerCreating"))]), NOW);
    log.observe(&snapshot(3, &[pod("a", 3, waiting("ImagePullBackOff"))]), NOW);
    let event = log.events().last().unwrap();
    assert_eq!((event.reason.as_str(), event.warning, log.events().count()), ("ImagePullBackOff", true, 1));
}

#[test]
fn it_is_bounded_in_number_and_time_and_one_pod_pushes_out_its_own_alone() {
    let mut log = EventLog::new(1);
    let quiet = pod("quiet", 1, json!([]));
    log.observe(&snapshot(2, &[]), NOW);
    log.observe(&snapshot(3, &[Arc::clone(&quiet)]), NOW);
    for n in 0..100 {
        let mut crashing = running(&n.to_string(), NOW);
        crashing["lastState"] = ended(&format!("before {n}"), NOW, n, "Error");
        log.observe(&snapshot(4 + n as u64, &[Arc::clone(&quiet), pod("loop", 4, json!([crashing]))]), NOW);
    }
    assert_eq!(log.events().filter(|e| e.pod.name == "loop").count(), MOST_OF_A_POD);
    assert_eq!(log.events().filter(|e| e.pod.name == "quiet").count(), 1);
    let many: Vec<_> = (0..2 * MOST).map(|n| pod(&format!("p{n}"), 1, json!([]))).collect();
    log.observe(&snapshot(1000, &many), NOW);
    assert_eq!(log.events().count(), MOST);
    assert!(log.events().zip(log.events().skip(1)).all(|(a, b)| a.revision < b.revision));
    log.observe(&snapshot(1001, &many), NOW + KEPT);
    assert_eq!(log.events().count(), 0);
}
