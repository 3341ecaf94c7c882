//! What is said in which situation: reason words, weights and the facts that a sentence must hold.

mod containers;
mod node;

use serde_json::{json, Value};

use super::*;
use crate::codec::time::Time;
use crate::pod::observed::RuntimeCondition;
use crate::pod::source::HealthState;

/// Seconds since the epoch at which everything here is looked at.
const NOW: i64 = 1_800_000_000;

fn at(seconds_ago: i64) -> String {
    Time::from_unix(NOW - seconds_ago).to_string()
}

/// A pod of one container, `main`, with this in its spec and this status; the runtime has it.
fn pod(main: Value, status: Value) -> Value {
    let mut container = json!({"name": "main", "image": "i:1"});
    merge(&mut container, main);
    let mut of_main = json!({"name": "main", "ready": false, "started": false, "restartCount": 0});
    merge(&mut of_main, status);
    json!({
        "metadata": {"name": "p-n1", "namespace": "default",
            "annotations": {"nodepods.io/sources": "cri,file", "nodepods.io/spec": "complete"}},
        "spec": {"restartPolicy": "Always", "containers": [container]},
        "status": {"phase": "Running", "podIP": "10.0.0.9", "containerStatuses": [of_main]},
    })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn ended(code: i64, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": at(5), "finishedAt": at(4)}})
}

fn running(seconds: i64) -> Value {
    json!({"running": {"startedAt": at(seconds)}})
}

struct World {
    pod: Value,
    findings: Vec<PodFinding>,
    node: NodeFacts,
    looked_up: PodFacts,
}

impl World {
    fn of(pod: Value) -> Self {
        let node = NodeFacts {
            name: "n1".into(),
            cpus: Some(4),
            memory_total: Some(8 << 30),
            architecture: "amd64",
            ..NodeFacts::default()
        };
        Self { pod, findings: Vec::new(), node, looked_up: PodFacts::default() }
    }

    fn remarks(&self) -> Vec<Remark> {
        let Self { pod, findings, node, looked_up } = self;
        of_pod(&Case { pod, findings, node, looked_up, now: NOW })
    }
}

/// `Trouble OOMKilled, Fact Restarts`.
fn reasons(remarks: &[Remark]) -> String {
    let words: Vec<_> = remarks.iter().map(|r| format!("{:?} {}", r.weight, r.reason)).collect();
    words.join(", ")
}

#[test]
fn a_pod_that_runs_has_nothing_to_be_said_of() {
    assert_eq!(World::of(pod(json!({}), json!({"state": running(9), "ready": true, "started": true}))).remarks(), []);
}

#[test]
fn a_pod_that_was_started_anew() {
    let again = json!({"state": running(9), "lastState": ended(0, "Completed"), "restartCount": 1, "ready": true});
    let mut pod = pod(json!({}), again);
    pod["spec"]["initContainers"] = json!([{"name": "one", "image": "i"}]);
    pod["status"]["initContainerStatuses"] =
        json!([{"name": "one", "restartCount": 1, "state": ended(0, "Completed"), "containerID": "c://1"}]);
    let got = reasons(&World::of(pod).remarks());
    assert_eq!(got, "Trouble SandboxChanged, Trouble Restarted, Trouble Completed");
}

/// A pod that only its manifest knows.
fn not_begun(spec: Value) -> World {
    let mut pod = pod(spec, json!({}));
    pod["metadata"]["annotations"]["nodepods.io/sources"] = "file".into();
    pod["status"] = json!({"phase": "Pending"});
    World::of(pod)
}

#[test]
fn pods_that_nobody_began() {
    assert_eq!(reasons(&not_begun(json!({})).remarks()), "Trouble NoSandbox");
    let greedy = |resources: Value| reasons(&not_begun(json!({"resources": {"requests": resources}})).remarks());
    assert_eq!(greedy(json!({"cpu": "1000"})), "Trouble OutOfcpu, Fact NoSandbox");
    assert_eq!(greedy(json!({"cpu": "4", "memory": "8Gi"})), "Trouble NoSandbox");
    assert_eq!(greedy(json!({"memory": "9Gi"})), "Trouble OutOfmemory, Fact NoSandbox");
    let selects = |labels: Value| {
        let mut world = not_begun(json!({}));
        world.pod["spec"]["nodeSelector"] = labels;
        reasons(&world.remarks())
    };
    assert_eq!(selects(json!({"kubernetes.io/hostname": "n1", "kubernetes.io/os": "linux"})), "Trouble NoSandbox");
    assert_eq!(selects(json!({"kubernetes.io/hostname": "n2"})), "Trouble NodeAffinity, Fact NoSandbox");
    assert_eq!(selects(json!({"kubernetes.io/arch": "arm64"})), "Trouble NodeAffinity, Fact NoSandbox");
    assert_eq!(selects(json!({"disk": "ssd"})), "Unsure NodeSelector, Trouble NoSandbox");
}

#[test]
fn paths_on_the_node_that_are_not_what_the_pod_wants() {
    let mounts = |kind: &str, found: FileKind| {
        let mut world = not_begun(json!({}));
        world.pod["spec"]["volumes"] = json!([{"name": "v", "hostPath": {"path": "/x", "type": kind}}]);
        world.looked_up.host_paths = [("/x".to_owned(), found)].into();
        reasons(&world.remarks()).contains("HostPathMismatch")
    };
    use FileKind::{BlockDevice, CharDevice, Directory, File, Missing, Socket};
    let good = [
        ("", Missing),
        ("Directory", Directory),
        ("DirectoryOrCreate", Missing),
        ("FileOrCreate", File),
        ("File", File),
        ("Socket", Socket),
        ("CharDevice", CharDevice),
        ("BlockDevice", BlockDevice),
    ];
    for (kind, found) in good {
        assert!(!mounts(kind, found), "{kind} {found:?}");
    }
    let bad =
        [("Directory", Missing), ("Directory", File), ("DirectoryOrCreate", File), ("File", Missing), ("Socket", File)];
    for (kind, found) in bad {
        assert!(mounts(kind, found), "{kind} {found:?}");
    }
}

#[test]
fn sandboxes_without_a_network() {
    let mut pod = pod(json!({}), json!({"state": {"waiting": {"reason": "ContainerCreating"}}}));
    pod["status"]["containerStatuses"] = json!([]);
    pod["status"]["conditions"] = json!([{"type": "PodReadyToStartContainers", "status": "False"}]);
    assert_eq!(reasons(&World::of(pod).remarks()), "Trouble SandboxNotReady");
}

#[test]
fn decisions_of_a_kubelet() {
    let mut pod = pod(json!({}), json!({}));
    pod["status"] = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."});
    let got = World::of(pod).remarks();
    assert_eq!(got[0].reason, "Evicted");
    assert_eq!(got[0].lines, ["The node was low on resource: memory."]);
    assert!(got[0].headline().contains("refused or ended by the kubelet: Evicted"));
}

#[test]
fn pods_that_go() {
    let going_with = |ago: i64, grace: i64| {
        let mut pod = pod(json!({}), json!({"state": ended(143, "Error")}));
        pod["metadata"]["deletionTimestamp"] = at(ago).into();
        pod["spec"]["terminationGracePeriodSeconds"] = grace.into();
        reasons(&World::of(pod).remarks())
    };
    let going = |ago| going_with(ago, 10);
    assert_eq!(going_with(100, i64::MAX), "Fact Terminating, Fact Terminated", "it may take for ever");
    assert_eq!(going(5), "Fact Terminating, Fact Terminated");
    assert_eq!(going(100), "Trouble StuckTerminating, Fact Terminated");
}

#[test]
fn manifests_come_first() {
    let mut world = World::of(pod(json!({}), json!({"state": running(9), "ready": true})));
    let finding = |name: &str, refuses| PodFinding {
        file: "/m/p.yaml".into(),
        line: 7,
        refuses,
        reason: "UnknownField".into(),
        namespace: "default".into(),
        name: name.into(),
        ..PodFinding::default()
    };
    world.findings = vec![finding("other-n1", true), finding("p-n1", false)];
    assert_eq!(reasons(&world.remarks()), "Fact UnknownField");
    world.findings = vec![finding("p-n1", true)];
    world.pod["metadata"]["annotations"]["nodepods.io/manifest"] = "broken".into();
    assert_eq!(reasons(&world.remarks()), "Trouble UnknownField, Trouble BrokenManifest");
}

#[test]
fn a_pod_of_any_shape_does_no_harm() {
    for odd in [
        json!(null),
        json!({}),
        json!([]),
        json!({"spec": {"containers": [1, null, {}]}, "status": {"containerStatuses": 5}}),
    ] {
        let _ = World::of(odd).remarks();
    }
}
