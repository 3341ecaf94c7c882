//! A status that a kubelet or the API server gave, and a runtime that shows more.

use super::*;

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
fn an_instance_that_was_followed_within_the_second_is_not_the_newest() {
    let ended = Scene::new(main_only()).with("main", S::Exited, 1, 0);
    let mut given = by_kubelet(&ended);
    given["phase"] = json!("Pending");
    given["reason"] = json!("Waiting");
    let status = Scene { base: Some(given), ..ended.with("main", S::Running, 0, 1) }.status();
    assert_eq!(status["containerStatuses"][0]["containerID"], "containerd://main1");
    assert_eq!((&status["phase"], status.get("reason")), (&json!("Running"), None));
}
