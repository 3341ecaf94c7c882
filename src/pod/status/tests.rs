use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{json, Value};

use super::admission::NodeFacts;
use super::{derive, DerivedStatus, PodKind, StatusInput};
use crate::pod::observed::{Container, ContainerState as S, LinuxUser, Mount, Sandbox};
use crate::pod::spec::PodSpecView;

const SECOND: i64 = 1_000_000_000;
const NOW: i64 = 1_700_000_100;

/// A pod and what the runtime shows of it.
#[derive(Clone, Debug)]
struct Scene {
    spec: PodSpecView,
    kind: PodKind,
    sandboxes: Vec<Arc<Sandbox>>,
    containers: Vec<Arc<Container>>,
    runtime_seen: bool,
    held_back: bool,
    terminating: bool,
    base: Option<Value>,
    previous: Option<Value>,
    now: i64,
    node: NodeFacts,
}

impl Scene {
    fn new(spec: Value) -> Self {
        let sandbox = Sandbox { id: "s0".into(), ready: true, ips: vec!["10.0.0.1".into()], ..Sandbox::default() };
        Self {
            spec: PodSpecView::from_json(&json!({}), &spec),
            kind: PodKind::Static,
            sandboxes: vec![Arc::new(sandbox)],
            containers: Vec::new(),
            runtime_seen: true,
            held_back: false,
            terminating: false,
            base: None,
            previous: None,
            now: NOW,
            node: NodeFacts { name: "n".into(), arch: "amd64".into(), cpu_milli: 2000, memory_bytes: 1 << 30 },
        }
    }

    /// Adds an instance that was made `at` seconds into the scene.
    fn with(mut self, name: &str, state: S, exit_code: i32, at: i64) -> Self {
        let made = (NOW - 100 + at) * SECOND;
        let attempt = self.containers.iter().filter(|c| c.name == name).count() as u32;
        self.containers.push(Arc::new(Container {
            id: format!("{name}{attempt}"),
            sandbox_id: "s0".into(),
            name: name.into(),
            attempt,
            state,
            created_at: made,
            started_at: if state == S::Created { 0 } else { made },
            finished_at: if state == S::Exited { made + SECOND } else { 0 },
            exit_code,
            reason: if exit_code == 0 { "Completed" } else { "Error" }.into(),
            image: "img:1".into(),
            image_ref: "img@sha256:1".into(),
            ..Container::default()
        }));
        self
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Container)) {
        let found = self.containers.iter_mut().find(|c| c.id == id).unwrap();
        change(Arc::make_mut(found));
    }

    fn derive(&self) -> DerivedStatus {
        let spec = (self.kind != PodKind::RuntimeOnly).then_some(&self.spec);
        derive(&StatusInput {
            spec,
            kind: self.kind,
            sandboxes: &self.sandboxes,
            containers: &self.containers,
            runtime_name: "containerd",
            runtime_seen: self.runtime_seen,
            base: self.base.as_ref(),
            previous: self.previous.as_ref(),
            terminating: self.terminating,
            held_back: self.held_back,
            node: &self.node,
            now: self.now,
            first_seen: NOW - 50,
        })
    }

    fn status(&self) -> Value {
        self.derive().status
    }
}

fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == kind).unwrap_or(&Value::Null)
}

fn main_only() -> Value {
    json!({"containers": [{"name": "main", "image": "img:1"}]})
}

#[test]
fn phases() {
    let policy = |p: &str, containers: &[&str], init: &[(&str, bool)]| {
        let init: Vec<Value> = init
            .iter()
            .map(
                |(n, sidecar)| {
                    if *sidecar {
                        json!({"name": n, "restartPolicy": "Always"})
                    } else {
                        json!({ "name": n })
                    }
                },
            )
            .collect();
        let containers: Vec<Value> = containers.iter().map(|n| json!({ "name": n })).collect();
        Scene::new(json!({"restartPolicy": p, "containers": containers, "initContainers": init}))
    };
    let (run, end, made) = (S::Running, S::Exited, S::Created);
    let table = [
        // 1: a plain init container failed for good
        (policy("Never", &["m"], &[("i", false)]).with("i", end, 1, 0), "Failed"),
        (policy("OnFailure", &["m"], &[("i", false)]).with("i", end, 1, 0), "Pending"),
        // 2: initialisation goes on
        (policy("Always", &["m"], &[("i", false)]), "Pending"),
        (policy("Always", &["m"], &[("i", false)]).with("i", run, 0, 0), "Pending"),
        (policy("Always", &["m"], &[("s", true)]).with("s", run, 0, 0), "Pending"),
        (policy("Always", &["m"], &[("s", true)]).with("s", run, 0, 0).with("m", run, 0, 1), "Running"),
        (policy("Always", &["m"], &[("s", true)]).with("s", end, 1, 0).with("m", run, 0, 1), "Running"),
        // init containers that run again in place of a lost sandbox
        (policy("Always", &["m"], &[("i", false)]).with("m", end, 0, 0).with("i", run, 0, 1), "Pending"),
        // an init container that was cleaned away
        (policy("Always", &["m"], &[("i", false)]).with("m", run, 0, 0), "Running"),
        // 3: something waits for its first start
        (policy("Always", &["m"], &[]), "Pending"),
        (policy("Always", &["m"], &[]).with("m", made, 0, 0), "Pending"),
        (policy("Always", &["a", "b"], &[]).with("a", run, 0, 0), "Pending"),
        // 4: something runs
        (policy("Always", &["a", "b"], &[]).with("a", run, 0, 0).with("b", run, 0, 0), "Running"),
        (policy("Never", &["a", "b"], &[]).with("a", run, 0, 0).with("b", end, 1, 0), "Running"),
        // 5: everything has ended
        (policy("Always", &["m"], &[]).with("m", end, 0, 0), "Running"),
        (policy("OnFailure", &["m"], &[]).with("m", end, 0, 0), "Succeeded"),
        (policy("OnFailure", &["m"], &[]).with("m", end, 3, 0), "Running"),
        (policy("Never", &["m"], &[]).with("m", end, 0, 0), "Succeeded"),
        (policy("Never", &["m"], &[]).with("m", end, 137, 0), "Failed"),
        (policy("Never", &["a", "b"], &[]).with("a", end, 0, 0).with("b", end, 1, 0), "Failed"),
        (policy("OnFailure", &["a", "b"], &[]).with("a", end, 0, 0).with("b", end, 1, 0), "Running"),
        // a sidecar that still runs keeps the pod running
        (policy("Never", &["m"], &[("s", true)]).with("s", run, 0, 0).with("m", end, 0, 1), "Running"),
        (policy("Never", &["m"], &[("s", true)]).with("s", end, 137, 0).with("m", end, 0, 1), "Succeeded"),
    ];
    for (row, (scene, want)) in table.into_iter().enumerate() {
        assert_eq!(scene.derive().phase, want, "row {row}");
    }
}

#[test]
fn a_pod_that_goes_away_ends_for_good_unless_it_is_static() {
    for (kind, code, want) in
        [(PodKind::Static, 0, "Running"), (PodKind::Api, 0, "Succeeded"), (PodKind::Api, 1, "Failed")]
    {
        let scene = Scene { kind, terminating: true, ..Scene::new(main_only()).with("main", S::Exited, code, 0) };
        assert_eq!(scene.derive().phase, want);
    }
}

#[test]
fn container_states() {
    let scene = |state, code| Scene::new(main_only()).with("main", state, code, 0);
    let time = |t: &str| format!("2023-11-14T22:13:{t}Z");
    let ended = json!({"terminated": {"exitCode": 3, "reason": "Error", "startedAt": time("20"), "finishedAt": time("21"),
        "containerID": "containerd://main0"}});
    let table = [
        (Scene::new(main_only()), json!({"waiting": {"reason": "ContainerCreating"}}), false, 0, None),
        (scene(S::Created, 0), json!({"waiting": {}}), false, 0, Some("containerd://main0")),
        (scene(S::Running, 0), json!({"running": {"startedAt": time("20")}}), true, 0, Some("containerd://main0")),
        (scene(S::Exited, 3), ended, false, 0, Some("containerd://main0")),
        (scene(S::Unknown, 0), json!({"waiting": {}}), false, 0, Some("containerd://main0")),
    ];
    for (scene, state, ready, count, id) in table {
        let status = &scene.status()["containerStatuses"][0];
        assert_eq!(status["state"], state);
        assert_eq!((&status["ready"], &status["started"]), (&json!(ready), &json!(ready)));
        assert_eq!((&status["restartCount"], status["containerID"].as_str()), (&json!(count), id));
        assert_eq!(status["image"], "img:1");
    }
}

#[test]
fn last_state_is_the_second_newest_instance() {
    let scene = Scene::new(main_only());
    let scene = scene.with("main", S::Exited, 1, 0).with("main", S::Exited, 2, 1).with("main", S::Running, 0, 2);
    let derived = scene.derive();
    let status = &derived.status["containerStatuses"][0];
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 2);
    assert_eq!(status["restartCount"], 2);
    assert_eq!(derived.container_ids, ["main2", "main1", "main0"]);
}

#[test]
fn user_and_volume_mounts() {
    let mounts = json!([
        {"name": "d", "mountPath": "/d"},
        {"name": "r", "mountPath": "/r", "readOnly": true},
        {"name": "rr", "mountPath": "/rr", "readOnly": true, "recursiveReadOnly": "IfPossible"},
    ]);
    let mut scene = Scene::new(json!({"containers": [{"name": "main", "volumeMounts": mounts}]}));
    let before = scene.status()["containerStatuses"][0]["volumeMounts"].clone();
    assert_eq!(before[1], json!({"name": "r", "mountPath": "/r", "readOnly": true, "recursiveReadOnly": "Disabled"}));
    assert_eq!(before[2], json!({"name": "rr", "mountPath": "/rr", "readOnly": true}));
    scene = scene.with("main", S::Running, 0, 0);
    scene.change("main0", |c| {
        c.user = Some(LinuxUser { uid: 1000, gid: 0, supplemental_groups: vec![0, 3000] });
        c.mounts = vec![Mount { container_path: "/rr".into(), recursive_read_only: true, ..Mount::default() }];
    });
    let status = scene.status();
    let status = &status["containerStatuses"][0];
    assert_eq!(status["volumeMounts"][2]["recursiveReadOnly"], "Enabled");
    assert_eq!(status["volumeMounts"][0], json!({"name": "d", "mountPath": "/d"}));
    assert_eq!(status["user"], json!({"linux": {"uid": 1000, "gid": 0, "supplementalGroups": [0, 3000]}}));
    assert_eq!(status["resources"], json!({}));
}

#[test]
fn order_of_statuses() {
    let spec = json!({
        "initContainers": [{"name": "z"}, {"name": "a"}], "containers": [{"name": "z2"}, {"name": "a2"}],
        "ephemeralContainers": [{"name": "z3"}, {"name": "a3"}],
    });
    let status = Scene::new(spec).status();
    let names = |key: &str| status[key].as_array().unwrap().iter().map(|s| s["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names("initContainerStatuses"), ["z", "a"]);
    assert_eq!(names("containerStatuses"), ["a2", "z2"]);
    assert_eq!(names("ephemeralContainerStatuses"), ["a3", "z3"]);
    assert_eq!(status["containerStatuses"][0]["state"], json!({"waiting": {"reason": "PodInitializing"}}));
}

#[test]
fn conditions_in_order_with_reasons() {
    let scene =
        Scene::new(json!({"containers": [{"name": "main"}], "initContainers": [{"name": "i1"}, {"name": "i2"}]}));
    let status = scene.with("i1", S::Running, 0, 0).status();
    let row = |c: &Value| {
        let text = |key: &str| c[key].as_str().unwrap_or_default().to_string();
        (text("type"), text("status"), text("reason"), text("message"))
    };
    let rows: Vec<_> = status["conditions"].as_array().unwrap().iter().map(row).collect();
    let want = [
        ("PodReadyToStartContainers", "True", "", ""),
        ("Initialized", "False", "ContainersNotInitialized", "containers with incomplete status: [i1 i2]"),
        ("Ready", "False", "ContainersNotReady", "containers with unready status: [main]"),
        ("ContainersReady", "False", "ContainersNotReady", "containers with unready status: [main]"),
        ("PodScheduled", "True", "", ""),
    ];
    let want: Vec<_> =
        want.iter().map(|(a, b, c, d)| (a.to_string(), b.to_string(), c.to_string(), d.to_string())).collect();
    assert_eq!(rows, want);
}

#[test]
fn terminal_phases_name_themselves() {
    for (code, reason, initialized) in [(0, "PodCompleted", "PodCompleted"), (1, "PodFailed", "")] {
        let scene = Scene::new(json!({"restartPolicy": "Never", "containers": [{"name": "main"}]}));
        let status = scene.with("main", S::Exited, code, 0).status();
        for kind in ["Ready", "ContainersReady"] {
            assert_eq!(condition(&status, kind)["reason"], reason);
        }
        assert_eq!(condition(&status, "Initialized")["reason"].as_str().unwrap_or_default(), initialized);
    }
}

#[test]
fn one_ready_sandbox_with_an_address_in_the_right_network() {
    let sandbox = |attempt, ready, ips: &[&str], host_network| {
        Arc::new(Sandbox {
            id: format!("s{attempt}"),
            attempt,
            ready,
            ips: ips.iter().map(ToString::to_string).collect(),
            host_network,
            ..Sandbox::default()
        })
    };
    let table = [
        (false, vec![], "False"),
        (false, vec![sandbox(0, true, &["10.0.0.1"], false)], "True"),
        (false, vec![sandbox(0, true, &[], false)], "False"),
        (false, vec![sandbox(0, false, &["10.0.0.1"], false)], "False"),
        (false, vec![sandbox(0, true, &["10.0.0.1"], true)], "False"),
        (true, vec![sandbox(0, true, &[], true)], "True"),
        (false, vec![sandbox(0, false, &[], false), sandbox(1, true, &["10.0.0.2"], false)], "True"),
        (false, vec![sandbox(0, true, &["10.0.0.1"], false), sandbox(1, false, &[], false)], "False"),
        (false, vec![sandbox(0, true, &["10.0.0.1"], false), sandbox(1, true, &["10.0.0.2"], false)], "False"),
    ];
    for (row, (host_network, sandboxes, want)) in table.into_iter().enumerate() {
        let mut spec = main_only();
        spec["hostNetwork"] = host_network.into();
        let status = Scene { sandboxes, ..Scene::new(spec) }.status();
        assert_eq!(condition(&status, "PodReadyToStartContainers")["status"], want, "row {row}");
    }
}

#[test]
fn what_probes_decide_is_not_claimed() {
    let with = |extra: Value| {
        let mut container = json!({"name": "main"});
        container.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"containers": [container]})
    };
    let table = [
        (with(json!({"livenessProbe": {}})), json!(true), json!(true), "True", ""),
        (with(json!({"readinessProbe": {}})), json!(true), json!(false), "Unknown", "ProbeResultUnknown"),
        (with(json!({"startupProbe": {}})), Value::Null, json!(false), "Unknown", "ProbeResultUnknown"),
        (with(json!({"lifecycle": {"postStart": {}}})), Value::Null, json!(false), "Unknown", "ProbeResultUnknown"),
    ];
    for (spec, started, ready, want, reason) in table {
        let status = Scene::new(spec.clone()).with("main", S::Running, 0, 0).status();
        let container = &status["containerStatuses"][0];
        assert_eq!((&container["started"], &container["ready"]), (&started, &ready), "{spec}");
        for kind in ["Ready", "ContainersReady"] {
            let got = condition(&status, kind);
            assert_eq!((&got["status"], got["reason"].as_str().unwrap_or_default()), (&json!(want), reason), "{spec}");
        }
        assert_eq!(status["phase"], "Running");
    }
    // something that can be seen makes it False, whatever the probe says
    let two = json!({"containers": [{"name": "a", "readinessProbe": {}}, {"name": "b"}]});
    let status = Scene::new(two).with("a", S::Running, 0, 0).with("b", S::Exited, 1, 0).status();
    assert_eq!(condition(&status, "Ready")["message"], "containers with unready status: [b]");
}

#[test]
fn a_successor_proves_hook_and_sidecar() {
    let spec = json!({
        "initContainers": [{"name": "s", "restartPolicy": "Always", "startupProbe": {}}],
        "containers": [{"name": "a", "lifecycle": {"postStart": {}}}, {"name": "b"}],
    });
    let scene = Scene::new(spec).with("s", S::Running, 0, 0);
    let status = scene.status();
    assert_eq!(status["initContainerStatuses"][0]["started"], Value::Null);
    assert_eq!(condition(&status, "Initialized")["reason"], "ProbeResultUnknown");
    let scene = scene.with("a", S::Running, 0, 1);
    let status = scene.status();
    assert_eq!(status["initContainerStatuses"][0]["started"], true);
    assert_eq!(status["containerStatuses"][0]["started"], Value::Null);
    let status = scene.with("b", S::Running, 0, 2).status();
    assert_eq!(status["containerStatuses"][0]["started"], true);
    assert_eq!(condition(&status, "Ready")["status"], "True");
}

#[test]
fn readiness_gates() {
    let spec = json!({"containers": [{"name": "main"}], "readinessGates": [{"conditionType": "example.com/up"}]});
    let scene = Scene::new(spec).with("main", S::Running, 0, 0);
    let status = scene.status();
    let ready = condition(&status, "Ready");
    assert_eq!(ready["reason"], "ReadinessGatesNotReady");
    assert_eq!(ready["message"], "corresponding condition of pod readiness gate \"example.com/up\" does not exist.");
    assert_eq!(condition(&status, "ContainersReady")["status"], "True");
    let status = Scene { kind: PodKind::Api, ..scene }.status();
    let ready = condition(&status, "Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("Unknown"), &json!("ReadinessGatesUnknown")));
}

#[test]
fn addresses_and_start_time_are_remembered() {
    let mut scene = Scene::new(main_only()).with("main", S::Running, 0, 0);
    let first = scene.derive();
    assert_eq!(first.ips, ["10.0.0.1"]);
    assert_eq!(first.status["startTime"], "2023-11-14T22:14:10Z");
    scene.previous = Some(first.status);
    scene.sandboxes = vec![Arc::new(Sandbox { id: "s0".into(), ..Sandbox::default() })];
    let status = scene.status();
    assert_eq!(status["podIP"], "10.0.0.1");
    assert!(status.get("hostIP").is_none());
    scene.previous = None;
    assert_eq!(scene.status().get("podIP"), None);
}

#[test]
fn transition_times_move_with_the_status_alone() {
    let mut scene = Scene::new(main_only()).with("main", S::Running, 0, 0);
    scene.previous = Some(scene.status());
    scene.now += 10;
    assert_eq!(Some(&scene.status()), scene.previous.as_ref());
    scene.change("main0", |c| c.state = S::Exited);
    let status = scene.status();
    let time = |kind| condition(&status, kind)["lastTransitionTime"].as_str().unwrap();
    assert_eq!((time("Ready"), time("Initialized")), ("2023-11-14T22:15:10Z", "2023-11-14T22:15:00Z"));
}

#[test]
fn a_container_that_vanished_had_run() {
    let mut scene = Scene::new(main_only()).with("main", S::Running, 0, 0);
    scene.previous = Some(scene.status());
    scene.containers.clear();
    let derived = scene.derive();
    let status = &derived.status["containerStatuses"][0];
    assert_eq!(status["lastState"]["terminated"]["reason"], "ContainerStatusUnknown");
    assert_eq!((&status["restartCount"], derived.phase.as_str()), (&json!(1), "Running"));
    scene = scene.with("main", S::Unknown, 0, 0);
    let status = scene.status();
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137);
}

#[test]
fn pods_that_never_started() {
    let none = |spec| Scene { sandboxes: Vec::new(), ..Scene::new(spec) };
    let status = none(main_only()).status();
    assert_eq!(status["phase"], "Pending");
    assert_eq!(condition(&status, "PodReadyToStartContainers")["status"], "False");
    assert_eq!(condition(&status, "Initialized")["status"], "True");
    let held = Scene { held_back: true, ..none(main_only()) };
    assert_eq!(held.status(), json!({"phase": "Pending"}));
    let mut refused = main_only();
    refused["nodeSelector"] = json!({"disk": "ssd"});
    let status = none(refused).status();
    assert_eq!((&status["phase"], status.get("conditions")), (&json!("Pending"), None));
    assert_eq!(status["qosClass"], "BestEffort");
}

#[test]
fn without_the_runtime_nothing_is_ready() {
    let mut scene = Scene::new(main_only()).with("main", S::Running, 0, 0);
    scene.previous = Some(scene.status());
    (scene.runtime_seen, scene.containers, scene.sandboxes) = (false, Vec::new(), Vec::new());
    let status = scene.status();
    assert_eq!((&status["phase"], &status["podIP"]), (&json!("Running"), &json!("10.0.0.1")));
    assert_eq!(status["containerStatuses"][0]["ready"], false);
    assert_eq!(condition(&status, "Ready")["reason"], "ContainersNotSeen");
    assert_eq!(condition(&status, "PodScheduled")["status"], "True");
    scene.previous = None;
    let status = scene.status();
    assert_eq!((&status["phase"], &condition(&status, "Ready")["status"]), (&json!("Pending"), &json!("Unknown")));
}

/// A status such as a kubelet gives for the scene: with probe results.
fn by_kubelet(scene: &Scene) -> Value {
    let mut status = scene.status();
    status["hostIP"] = json!("192.0.2.1");
    for container in status["containerStatuses"].as_array_mut().unwrap() {
        let running = container.pointer("/state/running").is_some();
        container["ready"] = running.into();
        container["started"] = running.into();
    }
    for c in status["conditions"].as_array_mut().unwrap() {
        if c["status"] == "Unknown" {
            *c = json!({"type": c["type"], "status": "True", "lastProbeTime": null, "lastTransitionTime": "2023-11-14T22:14:00Z"});
        }
    }
    status
}

#[test]
fn a_given_status_stands_until_the_runtime_shows_more() {
    let spec = json!({"containers": [{"name": "main", "readinessProbe": {}}]});
    let mut scene = Scene::new(spec).with("main", S::Running, 0, 0);
    scene.kind = PodKind::Api;
    let given = by_kubelet(&scene);
    scene.base = Some(given.clone());
    assert_eq!(scene.status(), given);
    // it ended: no longer ready, everything else as given
    scene.change("main0", |c| (c.state, c.exit_code) = (S::Exited, 7));
    let status = scene.status();
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 7);
    assert_eq!(status["containerStatuses"][0]["ready"], false);
    assert_eq!(condition(&status, "Ready")["status"], "False");
    assert_eq!(condition(&status, "PodScheduled"), condition(&given, "PodScheduled"));
    assert_eq!(status["hostIP"], "192.0.2.1");
    // it was started again: only a probe says whether it is ready
    let again = scene.clone().with("main", S::Running, 0, 60).status();
    assert_eq!(again["containerStatuses"][0]["restartCount"], 1);
    assert_eq!(again["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 7);
    assert_eq!(condition(&again, "Ready")["reason"], "ProbeResultUnknown");
    // in back-off the given status knows more than the runtime
    let mut waiting = status.clone();
    waiting["containerStatuses"][0]["lastState"] = waiting["containerStatuses"][0]["state"].take();
    waiting["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    scene.base = Some(waiting.clone());
    assert_eq!(scene.status(), waiting);
}

#[test]
fn a_given_status_is_not_outrun_by_an_old_poll() {
    let mut scene = Scene::new(main_only()).with("main", S::Exited, 1, 0);
    let newer = scene.clone().with("main", S::Running, 0, 95);
    scene.base = Some(by_kubelet(&newer));
    assert_eq!(Some(&scene.status()), scene.base.as_ref());
    // the runtime has lost a container that is said to have run for long
    let old = Scene::new(main_only()).with("main", S::Running, 0, 0);
    let lost = Scene { base: Some(by_kubelet(&old)), containers: Vec::new(), ..old };
    assert_eq!(lost.status()["containerStatuses"][0]["ready"], false);
    assert_eq!(lost.status()["phase"], "Running");
}

#[test]
fn conditions_of_others_are_kept_in_front() {
    let spec = json!({"containers": [{"name": "main"}], "readinessGates": [{"conditionType": "example.com/up"}]});
    let mut scene = Scene { kind: PodKind::Api, ..Scene::new(spec).with("main", S::Running, 0, 0) };
    let mut given = by_kubelet(&scene);
    let gate = json!({"type": "example.com/up", "status": "True", "lastProbeTime": null, "lastTransitionTime": null});
    given["conditions"].as_array_mut().unwrap().insert(0, gate.clone());
    scene.base = Some(given);
    scene.change("main0", |c| c.state = S::Exited);
    scene = scene.with("main", S::Running, 0, 60);
    let status = scene.status();
    assert_eq!(status["conditions"][0], gate);
    assert_eq!(condition(&status, "Ready")["status"], "True");
}

#[test]
fn pods_known_from_the_runtime_alone() {
    let scene = Scene { kind: PodKind::RuntimeOnly, ..Scene::new(json!({})) };
    let table = [
        (scene.clone(), "Pending"),
        (scene.clone().with("a", S::Created, 0, 0), "Pending"),
        (scene.clone().with("a", S::Running, 0, 0), "Running"),
        (scene.clone().with("a", S::Exited, 0, 0), "Unknown"),
        (scene.clone().with("a", S::Exited, 1, 0), "Unknown"),
        (scene.clone().with("a", S::Exited, 1, 0).with("a", S::Exited, 1, 1), "Running"),
    ];
    for (row, (scene, want)) in table.into_iter().enumerate() {
        assert_eq!(scene.derive().phase, want, "row {row}");
    }
    let status = scene.with("a", S::Running, 0, 0).status();
    assert_eq!(status["conditions"].as_array().unwrap().len(), 1);
    assert!(status.get("qosClass").is_none());
    let container = &status["containerStatuses"][0];
    assert_eq!(
        (&container["ready"], container.get("started"), container.get("resources")),
        (&json!(false), None, None)
    );
}

#[test]
fn a_new_sandbox_begins_anew() {
    let sidecar = json!({"name": "s", "restartPolicy": "Always", "startupProbe": {}});
    let spec = json!({"initContainers": [sidecar], "containers": [{"name": "main"}]});
    let mut scene = Scene::new(spec).with("s", S::Exited, 137, 0).with("main", S::Exited, 137, 1);
    assert_eq!(scene.derive().phase, "Running");
    let new = Sandbox { id: "s1".into(), attempt: 1, ready: true, ips: vec!["10.0.0.2".into()], ..Sandbox::default() };
    scene.sandboxes = vec![Arc::new(Sandbox { id: "s0".into(), ..Sandbox::default() }), Arc::new(new)];
    scene = scene.with("s", S::Running, 0, 9);
    scene.change("s1", |c| c.sandbox_id = "s1".into());
    assert_eq!((scene.derive().phase.as_str(), scene.derive().ips), ("Pending", vec!["10.0.0.2".to_string()]));
}

#[test]
fn the_restart_count_never_falls() {
    let mut scene = Scene::new(main_only()).with("main", S::Exited, 1, 0);
    scene.change("main0", |c| c.attempt = 4);
    scene.previous = Some(scene.status());
    // the kubelet counts anew where it has lost the instances before
    let mut scene = Scene { containers: Vec::new(), ..scene }.with("main", S::Running, 0, 9);
    scene.change("main0", |c| c.id = "other".into());
    let status = scene.status();
    assert_eq!(status["containerStatuses"][0]["restartCount"], 5);
    assert_eq!(status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
    scene.previous = Some(status);
    assert_eq!(scene.status()["containerStatuses"][0]["restartCount"], 5);
    // what had ended and is gone stays as it was
    scene.change("other", |c| (c.state, c.exit_code) = (S::Exited, 6));
    scene.previous = Some(scene.status());
    scene.containers.clear();
    let kept = scene.status();
    assert_eq!(kept["containerStatuses"], scene.previous.unwrap()["containerStatuses"]);
}

#[test]
fn an_instance_that_was_followed_within_the_second_is_not_the_newest() {
    let ended = Scene::new(main_only()).with("main", S::Exited, 1, 0);
    let mut given = by_kubelet(&ended);
    given["phase"] = json!("Pending");
    given["reason"] = json!("Waiting");
    let status = Scene { base: Some(given), ..ended.with("main", S::Running, 0, 1) }.status();
    assert_eq!(status["containerStatuses"][0]["containerID"], "containerd://main1");
    assert_eq!((&status["phase"], status.get("reason")), (&json!("Running"), None));
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let state = prop_oneof![Just(S::Created), Just(S::Running), Just(S::Exited), Just(S::Unknown)];
    let instances =
        prop::collection::vec((prop::sample::select(vec!["i", "s", "a", "b"]), state, 0..3, 0..90i64), 0..8);
    let policy = prop::sample::select(vec!["Always", "OnFailure", "Never"]);
    let kind = prop::sample::select(vec![PodKind::Static, PodKind::Api, PodKind::RuntimeOnly]);
    (instances, policy, kind, any::<[bool; 4]>()).prop_map(
        |(instances, policy, kind, [ready, probe, seen, terminating])| {
            let mut a = json!({"name": "a"});
            if probe {
                a["readinessProbe"] = json!({});
            }
            let init = json!([{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]);
            let spec = json!({"restartPolicy": policy, "initContainers": init, "containers": [a, {"name": "b"}]});
            let mut scene = Scene { kind, runtime_seen: seen, terminating, ..Scene::new(spec) };
            Arc::make_mut(&mut scene.sandboxes[0]).ready = ready;
            instances.into_iter().fold(scene, |scene, (name, state, code, at)| scene.with(name, state, code, at))
        },
    )
}

proptest! {
    /// A pod's life: whatever the runtime shows in turn, a terminal phase stays, and times only grow.
    #[test]
    fn phases_settle_and_times_are_monotonic(scenes in prop::collection::vec(any_scene(), 1..6)) {
        let kind = scenes[0].kind;
        let mut previous: Option<Value> = None;
        for (step, scene) in scenes.into_iter().enumerate() {
            let scene = Scene { kind, previous: previous.clone(), now: NOW + step as i64, ..scene };
            let status = scene.status();
            if let Some(before) = &previous {
                if before["phase"] == "Succeeded" || before["phase"] == "Failed" {
                    prop_assert_eq!(&before["phase"], &status["phase"]);
                }
                prop_assert_eq!(&before["startTime"], &status["startTime"]);
                for c in status["conditions"].as_array().into_iter().flatten() {
                    let old = before["conditions"].as_array().into_iter().flatten().find(|o| o["type"] == c["type"]);
                    if let Some(old) = old {
                        let (was, is) = (old["lastTransitionTime"].as_str(), c["lastTransitionTime"].as_str());
                        prop_assert!(was <= is);
                        prop_assert_eq!(old["status"] == c["status"], was == is);
                    }
                }
            }
            previous = Some(status);
        }
    }

    /// The same input gives the same bytes, in whatever order the runtime lists things; and what was served last,
    /// given as what was served last, changes nothing.
    #[test]
    fn same_input_same_bytes(scene in any_scene()) {
        let first = scene.derive();
        let mut turned = scene.clone();
        turned.containers.reverse();
        turned.sandboxes.reverse();
        prop_assert_eq!(first.to_wire().unwrap(), turned.derive().to_wire().unwrap());
    }

    /// Nobody is called ready who does not run.
    #[test]
    fn ready_means_running(scene in any_scene()) {
        let status = scene.status();
        for c in status["containerStatuses"].as_array().into_iter().flatten() {
            prop_assert!(c["ready"] == false || c.pointer("/state/running").is_some());
        }
    }
}
