//! What is said in which situation: reason words, weights and the facts that a sentence must hold.

use serde_json::{json, Value};

use super::*;
use crate::codec::time::Time;
use crate::pod::observed::RuntimeCondition;
use crate::store::update::HealthState;

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
fn ends_of_containers() {
    let ends = |main: Value, code, reason| World::of(pod(main, json!({"state": ended(code, reason)}))).remarks();
    let probe = json!({"livenessProbe": {"exec": {"command": ["true"]}}});
    let table: [(Value, i64, &str, &str, &str); 10] = [
        (json!({}), 3, "Error", "Error", "exit code 3 (a failure that the program itself reports), 4s ago, after 1s"),
        (json!({}), 126, "Error", "CannotExecute", "exit code 126"),
        (json!({}), 127, "Error", "CommandNotFound", "a command was not found"),
        (json!({}), 137, "Error", "Killed", "SIGKILL"),
        (json!({}), 143, "Error", "Terminated", "SIGTERM"),
        (json!({}), 139, "Error", "Crash", "SIGSEGV"),
        (json!({}), 137, "OOMKilled", "OOMKilled", "more memory than it may"),
        (json!({}), 128, "StartError", "StartError", "could not be started"),
        (json!({}), 137, "ContainerStatusUnknown", "ContainerStatusUnknown", "vanished"),
        (probe, 137, "Error", "ProbeKilled", "exit code 137"),
    ];
    for (main, code, reason, word, words) in table {
        let got = ends(main, code, reason);
        assert_eq!(reasons(&got), format!("Trouble {word}, Fact Restarts"), "{code} {reason}");
        assert!(got[0].what.contains(words), "{code} {reason}: {}", got[0].what);
        assert!(!got[0].advice.is_empty() && got[0].known.starts_with("the container runtime"), "{:?}", got[0]);
    }
    let limited = ends(json!({"resources": {"limits": {"memory": "16Mi"}}}), 137, "OOMKilled");
    assert!(limited[0].advice.contains("16Mi"), "{}", limited[0].advice);
    let success = ends(json!({}), 0, "Completed");
    assert!(success[0].weight == Weight::Trouble && success[0].advice.contains("OnFailure"), "{:?}", success[0]);
}

#[test]
fn restart_policies_decide_whether_an_end_is_trouble() {
    let table = [
        ("Never", 0, "Fact Completed, Fact Succeeded", "Succeeded"),
        ("OnFailure", 0, "Fact Completed, Fact Succeeded", "Succeeded"),
        ("Never", 1, "Trouble Error", "Failed"),
        ("OnFailure", 1, "Trouble Error, Fact Restarts", "Running"),
        ("Always", 0, "Trouble Completed, Fact Restarts", "Running"),
    ];
    for (policy, code, want, phase) in table {
        let mut pod = pod(json!({}), json!({"state": ended(code, "x")}));
        pod["spec"]["restartPolicy"] = policy.into();
        pod["status"]["phase"] = phase.into();
        assert_eq!(reasons(&World::of(pod).remarks()), want, "{policy} {code}");
    }
}

#[test]
fn the_rhythm_of_restarts() {
    let table = [(1, "in 6s"), (2, "in 16s"), (3, "in 36s"), (6, "in 4m56s"), (60, "in 4m56s"), (i64::MAX, "in 4m56s")];
    for (restarts, want) in table {
        let got = World::of(pod(json!({}), json!({"state": ended(1, "Error"), "restartCount": restarts}))).remarks();
        assert!(got[1].what.contains(want), "{restarts}: {}", got[1].what);
    }
    let again = |ran: i64| {
        World::of(pod(
            json!({}),
            json!({"state": running(ran), "lastState": ended(1, "Error"), "restartCount": 2, "ready": true}),
        ))
        .remarks()
    };
    assert_eq!(reasons(&again(20)), "Trouble Restarted, Trouble Error");
    assert!(again(20)[0].what.contains("for 20s, after 2 restarts") && again(20)[1].what.starts_with("last ended"));
    assert_eq!(reasons(&again(4000)), "Fact Restarted, Fact Error", "long enough ago");
}

#[test]
fn a_pod_that_runs_has_nothing_to_be_said_of() {
    assert_eq!(World::of(pod(json!({}), json!({"state": running(9), "ready": true, "started": true}))).remarks(), []);
}

#[test]
fn probes_that_fail_or_cannot_be_seen() {
    let probe = json!({"readinessProbe": {"httpGet": {"port": 8080, "path": "/ready"}, "periodSeconds": 5}});
    let mut unseen = pod(probe.clone(), json!({"state": running(9), "started": true}));
    unseen["status"]["conditions"] =
        json!([{"type": "ContainersReady", "status": "Unknown", "reason": "ProbeResultUnknown"}]);
    let got = World::of(unseen.clone()).remarks();
    assert_eq!(reasons(&got), "Unsure ProbeResultUnknown");
    assert!(got[0].what.contains("GET http://:8080/ready, every 5s"), "{}", got[0].what);
    assert_eq!(got[0].advice, "try it: curl -i http://10.0.0.9:8080/ready");
    // a kubelet told it
    unseen["status"]["conditions"] =
        json!([{"type": "ContainersReady", "status": "False", "reason": "ContainersNotReady"}]);
    unseen["metadata"]["annotations"]["nodepods.io/sources"] = "cri,kubelet".into();
    assert_eq!(reasons(&World::of(unseen).remarks()), "Trouble ProbeFails");
    let startup = json!({"startupProbe": {"tcpSocket": {"port": 1}}, "readinessProbe": {"grpc": {"port": 2}}});
    let got = World::of(pod(startup, json!({"state": running(9), "started": false}))).remarks();
    assert!(got[0].what.contains("startup probe is a connection to port 1"), "{}", got[0].what);
}

#[test]
fn reasons_that_only_a_kubelet_knows() {
    for reason in
        ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"]
    {
        let mut pod = pod(json!({}), json!({"state": {"waiting": {"reason": reason, "message": "why\nexactly"}}}));
        pod["metadata"]["annotations"]["nodepods.io/sources"] = "apiserver".into();
        let got = World::of(pod).remarks();
        assert_eq!(reasons(&got), format!("Trouble {reason}"));
        assert_eq!((got[0].known.as_str(), got[0].lines.len()), ("the API server", 2));
        assert!(!got[0].advice.is_empty());
    }
    let mut pod = pod(
        json!({}),
        json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended(3, "Error"), "restartCount": 2}),
    );
    pod["metadata"]["annotations"]["nodepods.io/sources"] = "cri,kubelet".into();
    assert_eq!(reasons(&World::of(pod).remarks()), "Trouble CrashLoopBackOff, Trouble Error, Fact Restarts");
}

#[test]
fn containers_that_were_never_created() {
    let waiting = json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
    let with_image = |image: &str, policy: &str, fact: Option<ImageFact>| {
        let mut world = World::of(pod(json!({"image": image, "imagePullPolicy": policy}), waiting.clone()));
        world.looked_up.images = fact.map(|fact| (image.to_owned(), fact)).into_iter().collect();
        reasons(&world.remarks())
    };
    assert_eq!(with_image("r/x:1", "Never", Some(ImageFact::Missing)), "Trouble ErrImageNeverPull");
    assert_eq!(with_image("r/x:1", "Always", Some(ImageFact::Missing)), "Trouble ImageMissing");
    assert_eq!(with_image("r/x:1", "Always", Some(ImageFact::Present)), "Trouble NotCreated");
    assert_eq!(with_image("r/x:1", "Always", None), "Trouble NotCreated");
    assert_eq!(with_image("R/X!:1", "Always", None), "Trouble InvalidImageName");
    assert_eq!(with_image("r/x@sha256:00", "Always", None), "Trouble NotCreated");
    let created = json!({"state": {"waiting": {}}, "containerID": "containerd://c"});
    assert_eq!(reasons(&World::of(pod(json!({}), created)).remarks()), "Trouble NotStarted");
}

#[test]
fn init_containers_hold_up_what_comes_after_them() {
    let mut pod = pod(json!({}), json!({"state": {"waiting": {"reason": "PodInitializing"}}}));
    pod["spec"]["initContainers"] = json!([{"name": "one", "image": "i"}, {"name": "two", "image": "i"}]);
    let statuses = |one: Value| {
        json!([
            {"name": "one", "restartCount": 0, "state": one, "containerID": "c://1"},
            {"name": "two", "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}},
        ])
    };
    pod["status"]["phase"] = "Pending".into();
    pod["status"]["initContainerStatuses"] = statuses(running(60));
    let got = World::of(pod.clone()).remarks();
    assert_eq!(reasons(&got), "Trouble InitRunning");
    assert!(got[0].headline().starts_with("init container one has run for 60s"), "{}", got[0].headline());
    pod["status"]["initContainerStatuses"] = statuses(ended(1, "Error"));
    assert_eq!(reasons(&World::of(pod.clone()).remarks()), "Trouble Error, Fact Restarts");
    pod["status"]["initContainerStatuses"] = statuses(ended(0, "Completed"));
    let got = World::of(pod).remarks();
    assert_eq!(reasons(&got), "Trouble NotCreated");
    assert!(got[0].about.ends_with("two"), "{}", got[0].about);
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
    let going = |ago: i64| {
        let mut pod = pod(json!({}), json!({"state": ended(143, "Error")}));
        pod["metadata"]["deletionTimestamp"] = at(ago).into();
        pod["spec"]["terminationGracePeriodSeconds"] = 10.into();
        reasons(&World::of(pod).remarks())
    };
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
fn the_end_of_a_log_belongs_to_what_failed() {
    let mut world = World::of(pod(json!({}), json!({"state": ended(1, "Error")})));
    let tail =
        LogTail { container: "main".into(), path: "/l/0.log".into(), lines: vec!["no".into()], error: String::new() };
    world.looked_up.logs = vec![LogTail { container: "other".into(), ..tail.clone() }, tail.clone()];
    let got = world.remarks();
    assert_eq!(reasons(&got), "Trouble Error, Fact Restarts, Fact Log");
    assert_eq!((got[2].lines.as_slice(), got[2].known.as_str()), (&["no".to_owned()][..], "/l/0.log"));
    world.looked_up.logs = vec![LogTail { lines: Vec::new(), error: "permission denied".into(), ..tail }];
    assert!(world.remarks()[2].what.ends_with("cannot be read: permission denied"));
}

#[test]
fn the_node() {
    let well = NodeFacts {
        memory_available: Some(1 << 30),
        disks: vec![Disk {
            path: "/".into(),
            holds: "pods",
            available: 20,
            total: 100,
            inodes_free: 10,
            inodes: 100,
            limit_percent: 10,
        }],
        runtime: vec![RuntimeCondition { kind: "RuntimeReady".into(), status: true, ..RuntimeCondition::default() }],
        sources: vec![source("cri", HealthState::Up), source("checkpoint", HealthState::Absent)],
        ..NodeFacts::default()
    };
    assert_eq!(of_node(&well, NOW), []);
    let mut ill = well.clone();
    ill.kubelet_runs = Some(false);
    ill.memory_available = Some(50 << 20);
    ill.disks[0].available = 9;
    ill.disks.push(Disk { inodes_free: 4, ..well.disks[0].clone() });
    ill.runtime[0] =
        RuntimeCondition { kind: "NetworkReady".into(), reason: "X".into(), message: "no cni".into(), status: false };
    ill.sources = vec![
        source("cri", HealthState::Down),
        source("apiserver", HealthState::Starting),
        source("file", HealthState::Resting),
    ];
    let got = of_node(&ill, NOW);
    let want = "Unsure NoKubelet, Trouble SourceDown, Trouble SourceStarting, Trouble NetworkReady, Trouble MemoryPressure, Trouble \
                DiskPressure, Trouble DiskPressure";
    assert_eq!(reasons(&got), want);
    assert_eq!(got[3].lines, ["no cni"]);
    let unseen = NodeFacts { sources: vec![source("cri", HealthState::Absent)], ..NodeFacts::default() };
    assert_eq!(reasons(&of_node(&unseen, NOW)), "Unsure NoRuntime");
}

fn source(name: &str, state: HealthState) -> SourceFact {
    SourceFact { name: name.into(), state, target: "/t".into(), error: String::new(), since: NOW - 9 }
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
