//! Pods that a kubelet, the API server or the checkpoint has, and what time does.

use super::*;

fn remote(uid: &str, phase: &str, annotations: serde_json::Value) -> PodBytes {
    let encode = |message, value| crate::codec::json::to_wire(message, &value).unwrap().bytes;
    let meta = serde_json::json!({"name": "web-node1", "namespace": "default", "uid": uid, "annotations": annotations});
    let spec = serde_json::json!({"containers": [{"name": "c", "image": "i:1"}], "nodeName": "Node1"});
    PodBytes::from_sections(
        &encode(crate::codec::schema::id::OBJECT_META, meta),
        &encode(crate::codec::schema::id::POD_SPEC, spec),
        &encode(crate::codec::schema::id::POD_STATUS, serde_json::json!({ "phase": phase })),
        &[],
    )
}

fn api(uid: &str, phase: &str) -> PodBytes {
    remote(uid, phase, serde_json::json!({}))
}

fn known() -> Node {
    let mut node = Node::new();
    node.manifests(&[]);
    node.runtime(&[], &[]);
    node
}

fn say(node: &mut Node, source: SourceId, pods: Vec<PodBytes>) {
    node.tell(Update::Pods { source, pods });
}

fn is(node: &mut Node, source: SourceId, state: HealthState) {
    node.tell(Update::Health(source, Health { state, ..up() }));
}

fn built_from(node: &Node) -> String {
    lookup::annotation(&node.last.pods[0].bytes, "nodepods.io/sources").unwrap_or_default().into_owned()
}

#[test]
fn one_pod_of_several_sources_is_one_pod_by_the_most_trusted() {
    let mut node = known();
    say(&mut node, SourceId::ApiServer, vec![api("u1", "Pending")]);
    assert_eq!((node.list()[0].as_str(), built_from(&node).as_str()), ("web-node1 u1 Pending", "apiserver"));
    say(&mut node, SourceId::Kubelet, vec![api("u1", "Running")]);
    assert_eq!(node.list().len(), 1);
    assert_eq!(built_from(&node), "apiserver,kubelet");
    // A source that is down ranks below one that is up.
    is(&mut node, SourceId::Kubelet, HealthState::Down);
    say(&mut node, SourceId::ApiServer, vec![api("u1", "Succeeded")]);
    assert_eq!(node.list(), ["web-node1 u1 Succeeded"]);
}

#[test]
fn what_a_source_knew_stays_while_it_is_down() {
    let mut node = known();
    say(&mut node, SourceId::ApiServer, vec![api("u1", "Running")]);
    is(&mut node, SourceId::ApiServer, HealthState::Down);
    let (list, revision) = (node.list(), node.last.revision);
    node.wait(3_600_000);
    assert_eq!(node.list(), list);
    assert_eq!(node.last.revision, revision, "and a flapping link rewrites no pod");
    is(&mut node, SourceId::ApiServer, HealthState::Up);
    say(&mut node, SourceId::ApiServer, vec![]);
    assert_eq!(node.list(), [""; 0]);
}

#[test]
fn a_pod_that_ended_while_a_source_was_silent_does_not_come_back_when_the_other_is() {
    for (silent, how, other) in [
        (SourceId::ApiServer, HealthState::Resting, SourceId::Kubelet),
        (SourceId::ApiServer, HealthState::Down, SourceId::Kubelet),
        (SourceId::Kubelet, HealthState::Down, SourceId::ApiServer),
    ] {
        let mut node = known();
        for source in [silent, other] {
            is(&mut node, source, HealthState::Up);
            say(&mut node, source, vec![api("u1", "Running"), api("u2", "Running")]);
            is(&mut node, source, HealthState::Up);
        }
        is(&mut node, silent, how);
        say(&mut node, other, vec![api("u2", "Running")]);
        assert_eq!(node.list(), ["web-node1 u2 Running"]);
        node.events();
        is(&mut node, other, HealthState::Down);
        assert_eq!(node.events(), [""; 0], "{silent} told of u1 long ago");
        is(&mut node, silent, HealthState::Down);
        assert_eq!(node.list(), ["web-node1 u2 Running"]);
        // What it says when it is back counts, and a source that has said the same before does not say it again.
        is(&mut node, silent, HealthState::Up);
        assert_eq!(node.list(), ["web-node1 u1 Running", "web-node1 u2 Running"]);
    }
}

#[test]
fn a_pod_deleted_in_the_api_is_listed_as_long_as_its_containers_run() {
    let mut node = known();
    say(&mut node, SourceId::ApiServer, vec![api("u1", "Running")]);
    node.runtime(&[&sandbox("u1", true, T0, "api")], &[&container("u1", "i:1", RUN)]);
    assert_eq!(built_from(&node), "apiserver,cri");
    say(&mut node, SourceId::ApiServer, vec![]);
    assert_eq!(node.list(), ["web-node1 u1 Running deleted"]);
    let spec = lookup::annotation(&node.last.pods[0].bytes, "nodepods.io/spec");
    assert_eq!(spec.as_deref(), Some("complete"), "its spec is not forgotten");
    node.runtime(&[&sandbox("u1", false, T0, "api")], &[&container("u1", "i:1", END)]);
    assert_eq!(node.list(), [""; 0]);
}

#[test]
fn the_checkpoint_stands_in_until_its_source_answers() {
    let mut node = known();
    let kept = vec![api("u1", "Running"), remote("u2", "Running", serde_json::json!({"nodepods.io/spec": "partial"}))];
    say(&mut node, SourceId::Checkpoint, kept);
    assert_eq!(node.list(), [""; 0], "nobody is there who could have such pods");
    is(&mut node, SourceId::ApiServer, HealthState::Starting);
    assert_eq!(node.list().len(), 1);
    assert_eq!(built_from(&node), "checkpoint");
    say(&mut node, SourceId::ApiServer, vec![]);
    assert_eq!(node.list(), [""; 0]);
    // A container that runs still has the spec out of the checkpoint.
    is(&mut node, SourceId::ApiServer, HealthState::Down);
    node.runtime(&[&sandbox("u1", true, T0, "api")], &[&container("u1", "i:1", RUN)]);
    assert_eq!(built_from(&node), "checkpoint,cri");
}

#[test]
fn the_checkpoint_knows_the_uid_of_a_static_pod_that_is_not_running() {
    let mut first = Node::new();
    first.manifests(&[(PATH, &web("i:1"))]);
    first.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    let kept = first.last.pods[0].bytes.clone();
    for (text, want) in [(web("i:1"), "abc"), (web("i:2"), "own")] {
        let mut node = Node::new();
        say(&mut node, SourceId::Checkpoint, vec![kept.clone()]);
        node.manifests(&[(PATH, &text)]);
        node.runtime(&[], &[]);
        assert_eq!(node.list().len(), 1);
        assert!(node.list()[0].starts_with(&format!("web-node1 {want} ")), "{:?}", node.list());
    }
}

#[test]
fn a_pod_that_was_quiet_for_long_lingers_all_the_same() {
    let mut node = known();
    node.runtime(&[&sandbox("u1", true, T0, "api")], &[]);
    node.wait(3_600_000);
    node.runtime(&[&sandbox("u1", false, T0, "api")], &[]);
    assert_eq!(node.list().len(), 1, "it was alive until now, though nobody had reason to look");
    node.wait(60_000);
    assert_eq!(node.list(), [""; 0]);
}

#[test]
fn a_given_status_gets_one_second_look_and_then_rest() {
    let mut node = known();
    say(&mut node, SourceId::Kubelet, vec![api("u1", "Running")]);
    let looks = node.reconciler.deadline().unwrap();
    node.wait(looks - node.now.steady_ms);
    assert_eq!(node.reconciler.deadline(), None);
}

#[test]
fn a_broken_manifest_that_never_ran_or_has_no_kubelet_stays() {
    let broken = || {
        let mut file = manifest::read(PATH, b"not: [a pod");
        file.pod = manifest::read(PATH, web("i:1").as_bytes()).pod;
        file.stale = true;
        Update::Manifests { source: SourceId::File, files: vec![file] }
    };
    let mut never_ran = Node::new();
    never_ran.runtime(&[], &[]);
    never_ran.tell(broken());
    assert_eq!(never_ran.list(), ["web-node1 own Pending"]);
    let mut no_runtime = Node::new();
    is(&mut no_runtime, SourceId::Runtime, HealthState::Absent);
    no_runtime.tell(broken());
    assert_eq!(no_runtime.list(), ["web-node1 own Pending"]);
}

#[test]
fn a_kubelet_that_has_not_heard_of_the_api_server_takes_no_pod_away() {
    let mut node = known();
    let of_file = || remote("s1", "Running", serde_json::json!({"kubernetes.io/config.source": "file"}));
    is(&mut node, SourceId::Kubelet, HealthState::Up);
    say(&mut node, SourceId::Kubelet, vec![api("u1", "Running"), of_file()]);
    node.runtime(&[&sandbox("u1", true, T0, "api")], &[&container("u1", "i:1", RUN)]);
    assert_eq!(node.list().len(), 2);
    // It is started anew, offline.
    is(&mut node, SourceId::Kubelet, HealthState::Down);
    say(&mut node, SourceId::Kubelet, vec![of_file()]);
    is(&mut node, SourceId::Kubelet, HealthState::Up);
    assert_eq!(node.list(), ["web-node1 s1 Running", "web-node1 u1 Running"]);
    // It has heard, and that pod is gone.
    say(&mut node, SourceId::Kubelet, vec![of_file(), api("u2", "Pending")]);
    assert_eq!(node.list(), ["web-node1 s1 Running", "web-node1 u1 Running deleted", "web-node1 u2 Pending"]);
    // Once it has, no pods means no pods.
    node.runtime(&[], &[]);
    say(&mut node, SourceId::Kubelet, vec![of_file()]);
    assert_eq!(node.list(), ["web-node1 s1 Running"]);
}

#[test]
fn a_kubelet_that_comes_back_with_the_same_pods_knows_those_of_the_api_server() {
    let mut node = known();
    say(&mut node, SourceId::Kubelet, vec![api("u1", "Running")]);
    is(&mut node, SourceId::Kubelet, HealthState::Up);
    node.runtime(&[&sandbox("u1", true, T0, "api")], &[&container("u1", "i:1", RUN)]);
    is(&mut node, SourceId::Kubelet, HealthState::Down);
    // Its list is the one that was sent last, which the source does not send again.
    is(&mut node, SourceId::Kubelet, HealthState::Up);
    say(&mut node, SourceId::Kubelet, vec![]);
    assert_eq!(node.list(), ["web-node1 u1 Running deleted"]);
}

#[test]
fn the_checkpoint_outlasts_a_kubelet_that_has_not_heard_of_the_api_server() {
    let mut node = known();
    say(&mut node, SourceId::Checkpoint, vec![api("u1", "Running"), api("u2", "Succeeded")]);
    is(&mut node, SourceId::Kubelet, HealthState::Absent);
    assert_eq!(node.list().len(), 2, "the kubelet may come later than we do");
    node.runtime(&[&sandbox("u1", true, T0, "api")], &[&container("u1", "i:1", RUN)]);
    say(&mut node, SourceId::Kubelet, vec![]);
    is(&mut node, SourceId::Kubelet, HealthState::Up);
    assert_eq!(node.list(), ["web-node1 u1 Running"], "what runs is not gone");
    assert_eq!(built_from(&node), "checkpoint,cri");
}

#[test]
fn pods_of_a_url_come_out_of_the_checkpoint_until_it_answers() {
    let of_url = || remote("u1", "Running", serde_json::json!({"kubernetes.io/config.source": "http"}));
    let mut node = known();
    say(&mut node, SourceId::Checkpoint, vec![of_url()]);
    assert_eq!(node.list(), [""; 0], "no URL is asked any more");
    is(&mut node, SourceId::Http, HealthState::Starting);
    assert_eq!((node.list().len(), built_from(&node).as_str()), (1, "checkpoint"));
    assert_eq!(node.last.held.get(&SourceId::Checkpoint), Some(&1));
    node.tell(Update::Manifests { source: SourceId::Http, files: Vec::new() });
    is(&mut node, SourceId::Http, HealthState::Up);
    assert_eq!(node.list(), [""; 0]);
    assert_eq!(node.last.held.get(&SourceId::Checkpoint), Some(&0));
}

#[test]
fn a_place_without_manifests_gives_no_pod_up_that_was_never_declared() {
    let mut node = known();
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    node.wait(60_000);
    assert_eq!(node.list(), ["web-node1 abc Running"], "the path may be wrong");
    node.manifests(&[("/m/other.yaml", &web("i:1").replace("web", "other"))]);
    assert_eq!(node.list(), ["web-node1 abc Running deleted", "other-node1 own Pending"]);
}

#[test]
fn a_pod_out_of_the_checkpoint_is_the_one_that_was_served() {
    let runs = |node: &mut Node| node.runtime(&[&sandbox("u1", true, T0, "api")], &[&container("u1", "i:1", RUN)]);
    let mut before = known();
    say(&mut before, SourceId::ApiServer, vec![api("u1", "Running"), api("u2", "Succeeded")]);
    runs(&mut before);
    let kept: Vec<_> = before.last.pods.iter().map(|p| p.bytes.clone()).collect();
    let mut node = Node::new();
    say(&mut node, SourceId::Checkpoint, kept.clone());
    is(&mut node, SourceId::ApiServer, HealthState::Starting);
    node.manifests(&[]);
    runs(&mut node);
    let now: Vec<_> = node.last.pods.iter().map(|p| p.bytes.clone()).collect();
    assert_eq!(now, kept);
    node.events();
    say(&mut node, SourceId::ApiServer, vec![api("u1", "Running"), api("u2", "Succeeded")]);
    is(&mut node, SourceId::ApiServer, HealthState::Up);
    assert_eq!(node.events(), [""; 0], "its return is no change");
}
