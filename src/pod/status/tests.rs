mod conditions;
mod containers;
mod given;
mod properties;

use std::sync::Arc;

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
