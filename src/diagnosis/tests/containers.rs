//! What is said of containers.

use super::*;

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
fn what_is_to_be_tried_is_one_command_in_a_shell() {
    let advice = |probe: serde_json::Value, ip: &str| {
        let ports = json!([{"name": "web", "containerPort": 8080}]);
        let mut pod = pod(json!({"readinessProbe": probe, "ports": ports}), json!({"state": running(9)}));
        pod["status"]["podIP"] = ip.into();
        World::of(pod).remarks()[0].advice.clone()
    };
    for (probe, ip, want) in [
        (json!({"exec": {"command": ["sh", "-c", "test -f /x || exit 1"]}}), "", "sh -c 'test -f /x || exit 1'"),
        (json!({"exec": {"command": ["true;", "$(reboot)"]}}), "", "'true;' '$(reboot)'"),
        (json!({"httpGet": {"port": "web", "path": "/a?b=1&c"}}), "10.0.0.9", "curl -i 'http://10.0.0.9:8080/a?b=1&c'"),
        (json!({"httpGet": {"port": 1, "scheme": "HTTPS"}}), "fd00::9", "curl -ik 'https://[fd00::9]:1/'"),
        (json!({"httpGet": {"port": 1, "host": "a.b"}}), "10.0.0.9", "curl -i http://a.b:1/"),
        (json!({"tcpSocket": {"port": "web"}}), "fd00::9", "nc -zv fd00::9 8080"),
        (json!({"tcpSocket": {"port": "x;y"}}), "fd00::9", "nc -zv fd00::9 'x;y'"),
    ] {
        let advice = advice(probe, ip);
        assert!(advice.ends_with(want), "{advice}");
    }
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
