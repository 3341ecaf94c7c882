//! Statuses of containers.

use super::*;

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
fn a_count_that_does_not_fit_does_not_cost_the_status() {
    let mut scene = Scene::new(main_only()).with("main", S::Running, 0, 0);
    let count = ("io.kubernetes.container.restartCount".to_owned(), u32::MAX.to_string());
    scene.change("main0", |c| c.annotations.extend([count]));
    let derived = scene.derive();
    assert_eq!(derived.status["containerStatuses"][0]["restartCount"], i32::MAX);
    assert!(derived.to_wire().is_ok());
}

#[test]
fn a_start_of_which_nothing_is_known_was_not_in_1970() {
    let mut scene = Scene::new(main_only()).with("main", S::Running, 0, 0);
    scene.change("main0", |c| c.started_at = 0);
    assert_eq!(scene.status()["containerStatuses"][0]["state"], json!({"running": {"startedAt": null}}));
}

#[test]
fn an_end_of_which_nothing_is_known_is_no_exit_code() {
    let spec = json!({"restartPolicy": "Never", "containers": [{"name": "main"}]});
    let ran = Scene::new(spec.clone()).with("main", S::Running, 0, 0);
    let before = ran.status();
    let mut fresh = Scene::new(spec).with("main", S::Exited, 0, 0);
    fresh.change("main0", |c| c.end_unknown = true);
    assert_eq!(fresh.status()["containerStatuses"][0]["state"], json!({"waiting": {}}));
    assert_eq!(fresh.status()["phase"], "Pending");
    // What was said of it stands, but for its readiness.
    let mut known = fresh.clone();
    known.previous = Some(before.clone());
    let status = known.status();
    assert_eq!(status["containerStatuses"][0]["state"], before["containerStatuses"][0]["state"]);
    assert_eq!((&status["containerStatuses"][0]["ready"], &status["phase"]), (&json!(false), &json!("Running")));
    assert_eq!(condition(&status, "Ready")["status"], "False");
    // And when the runtime tells, it counts.
    known.previous = Some(status);
    known.change("main0", |c| (c.end_unknown, c.exit_code) = (false, 3));
    assert_eq!(known.status()["phase"], "Failed");
    // An older instance says nothing about the last end either.
    let older = fresh.with("main", S::Running, 0, 1).status();
    assert_eq!(older["containerStatuses"][0]["lastState"], json!({}));
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
