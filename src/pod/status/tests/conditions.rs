//! Conditions, and the times that move with them.

use super::*;

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
