use std::collections::BTreeMap;
use std::time::SystemTime;

use super::*;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup;
use crate::pod::manifest;
use crate::pod::observed::{Container, ContainerState, RuntimeState, Sandbox};
use crate::store::update::{Health, HealthState};
use crate::store::watch::{Event, Watcher};

mod ended;
mod identity;
mod others;
mod story;

const T0: u64 = 1_800_000_000_000;
const PATH: &str = "/m/web.yaml";

/// A node whose sources are played by hand, watched by one watcher.
struct Node {
    reconciler: Reconciler,
    now: Now,
    last: Arc<Snapshot>,
    watcher: Watcher,
    published: usize,
}

impl Node {
    fn new() -> Self {
        let now = Now { unix_ms: T0, steady_ms: T0 };
        let config = ReconcilerConfig {
            expectations: Expectations::default(),
            node: NodeFacts::default(),
            revision: Revision::start(None, T0),
        };
        let mut node = Self {
            reconciler: Reconciler::new(config, now),
            now,
            last: Arc::new(Snapshot::empty(0)),
            watcher: Watcher::new(),
            published: 0,
        };
        node.tell(Update::NodeName { name: "Node1".into(), from: "a test".into() });
        node
    }

    fn tell(&mut self, update: Update) {
        self.reconciler.apply(update, self.now);
        self.look();
    }

    fn wait(&mut self, ms: u64) {
        self.now.unix_ms += ms;
        self.now.steady_ms += ms;
        self.reconciler.tick(self.now);
        self.look();
    }

    fn look(&mut self) {
        let before = self.last.revision;
        if let Some(next) = self.reconciler.snapshot(self.now) {
            assert!(next.revision >= before, "revisions never go back");
            self.last = next;
            self.published += 1;
        }
    }

    fn manifests(&mut self, texts: &[(&str, &str)]) {
        let files = texts.iter().map(|(path, text)| manifest::read(path, text.as_bytes())).collect();
        self.tell(Update::Manifests { source: SourceId::File, files });
    }

    fn runtime(&mut self, sandboxes: &[&Arc<Sandbox>], containers: &[&Arc<Container>]) {
        let state = RuntimeState {
            runtime_name: "containerd".into(),
            sandboxes: sandboxes.iter().map(|s| Arc::clone(s)).collect(),
            containers: containers.iter().map(|c| Arc::clone(c)).collect(),
            ..RuntimeState::default()
        };
        self.tell(Update::Runtime(Arc::new(state)));
    }

    /// `name uid phase`, and a mark for what is being deleted.
    fn list(&self) -> Vec<String> {
        let row = |p: &Arc<PodEntry>| {
            let uid = if p.id.uid.starts_with("ffffffff") { "own" } else { &p.id.uid };
            let going = lookup_time(&p.bytes);
            format!("{} {uid} {}{}", p.id.name, p.phase, if going { " deleted" } else { "" })
        };
        self.last.pods.iter().map(row).collect()
    }

    /// What the watcher is sent now.
    fn events(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(event) = self.watcher.next(&self.last) {
            out.push(match event {
                Event::Added(p) => format!("+{}", p.id.uid.get(..3).unwrap_or_default()),
                Event::Modified(p) => format!("~{}", p.id.uid.get(..3).unwrap_or_default()),
                Event::Deleted(id) => format!("-{}", id.uid.get(..3).unwrap_or_default()),
                Event::InitialSyncComplete => "sync".into(),
            });
        }
        out
    }
}

fn lookup_time(pod: &PodBytes) -> bool {
    crate::codec::wire::fields(pod.metadata()).map_while(Result::ok).any(|f| f.number == 9)
}

fn web(image: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web, labels: {{app: x}}}}\nspec: {{containers: [{{name: c, image: '{image}'}}]}}\n")
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn sandbox(uid: &str, ready: bool, made_ms: u64, source: &str) -> Arc<Sandbox> {
    Arc::new(Sandbox {
        id: format!("s-{uid}"),
        name: "web-node1".into(),
        namespace: "default".into(),
        uid: uid.into(),
        ready,
        created_at: made_ms as i64 * 1_000_000,
        labels: map(&[
            ("app", "x"),
            ("io.kubernetes.pod.name", "web-node1"),
            ("io.kubernetes.pod.namespace", "default"),
            ("io.kubernetes.pod.uid", uid),
        ]),
        annotations: map(&[
            ("kubernetes.io/config.source", source),
            ("kubernetes.io/config.hash", uid),
            ("kubernetes.io/config.seen", "2026-11-21T00:00:00.000000001Z"),
        ]),
        ips: vec!["10.0.0.9".into()],
        ..Sandbox::default()
    })
}

fn container(uid: &str, image: &str, state: ContainerState) -> Arc<Container> {
    Arc::new(Container {
        id: format!("c-{uid}-{state:?}"),
        sandbox_id: format!("s-{uid}"),
        name: "c".into(),
        state,
        created_at: T0 as i64 * 1_000_000,
        started_at: T0 as i64 * 1_000_000,
        finished_at: if state == ContainerState::Exited { T0 as i64 * 1_000_000 + 1 } else { 0 },
        image: image.into(),
        labels: map(&[
            ("io.kubernetes.pod.name", "web-node1"),
            ("io.kubernetes.pod.namespace", "default"),
            ("io.kubernetes.pod.uid", uid),
            ("io.kubernetes.container.name", "c"),
        ]),
        annotations: map(&[(crate::store::container_hash::ANNOTATION, &crate::store::container_hash::of("c", image))]),
        ..Container::default()
    })
}

fn up() -> Health {
    Health { state: HealthState::Up, since: SystemTime::UNIX_EPOCH, error: String::new(), target: String::new() }
}

const RUN: ContainerState = ContainerState::Running;
const END: ContainerState = ContainerState::Exited;

#[test]
fn a_static_pod_gets_its_real_uid_with_one_deletion_and_one_addition() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    node.runtime(&[], &[]);
    assert!(node.last.initialized);
    assert_eq!(node.list(), ["web-node1 own Pending"]);
    assert_eq!(node.events(), ["+fff", "sync"]);
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 abc Running"]);
    assert_eq!(node.events(), ["-fff", "+abc"]);
}

#[test]
fn a_poll_that_found_nothing_new_publishes_nothing() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    let (s, c) = (sandbox("abc", true, T0, "file"), container("abc", "i:1", RUN));
    node.runtime(&[&s], &[&c]);
    let (before, published) = (Arc::clone(&node.last), node.published);
    node.now.unix_ms += 5000;
    node.now.steady_ms += 5000;
    node.runtime(&[&s], &[&c]);
    node.manifests(&[(PATH, &web("i:1"))]);
    // an equal container in a new allocation is looked at, and found equal
    node.runtime(&[&s], &[&container("abc", "i:1", RUN)]);
    assert_eq!(node.published, published);
    assert_eq!(before.revision, node.last.revision);
    assert!(Arc::ptr_eq(&before.pods[0], &node.last.pods[0]));
}

#[test]
fn an_edit_makes_another_pod_and_the_old_one_goes_with_its_containers() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    let old = sandbox("abc", true, T0, "file");
    node.runtime(&[&old], &[&container("abc", "i:1", RUN)]);
    node.events();
    node.manifests(&[(PATH, &web("i:2"))]);
    assert_eq!(node.list(), ["web-node1 abc Running deleted", "web-node1 own Pending"]);
    let new = sandbox("def", true, T0 + 10_000, "file");
    let stopped = sandbox("abc", false, T0, "file");
    node.runtime(&[&stopped, &new], &[&container("abc", "i:1", END), &container("def", "i:2", RUN)]);
    assert_eq!(node.list(), ["web-node1 def Running"]);
    // the first content again is the first pod again
    node.manifests(&[(PATH, &web("i:1"))]);
    assert_eq!(node.list()[0], "web-node1 abc Running");
}

#[test]
fn a_restart_recognises_a_sandbox_of_an_older_content() {
    let mut node = Node::new();
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    node.manifests(&[(PATH, &web("i:2"))]);
    assert_eq!(node.list(), ["web-node1 abc Running deleted", "web-node1 own Pending"]);
}

#[test]
fn an_edit_under_a_fixed_uid_is_a_modification() {
    let mut node = Node::new();
    let fixed = |image: &str| web(image).replace("name: web,", "name: web, uid: fixed-1,");
    node.manifests(&[(PATH, &fixed("i:1"))]);
    node.runtime(&[], &[]);
    assert_eq!(node.events(), ["+fix", "sync"]);
    node.manifests(&[(PATH, &fixed("i:2"))]);
    assert_eq!(node.events(), ["~fix"]);
}

#[test]
fn a_removed_manifest_is_listed_as_long_as_a_container_runs() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    node.events();
    node.manifests(&[]);
    assert_eq!(node.list(), ["web-node1 abc Running deleted"]);
    assert_eq!(node.events(), ["~abc"]);
    node.runtime(&[&sandbox("abc", false, T0, "file")], &[&container("abc", "i:1", END)]);
    assert_eq!(node.list(), [""; 0]);
    assert_eq!(node.events(), ["-abc"]);
    // nor does a dead sandbox bring it back after a restart
    let mut again = Node::new();
    again.manifests(&[]);
    again.runtime(&[&sandbox("abc", false, T0, "file")], &[&container("abc", "i:1", END)]);
    assert_eq!(again.list(), [""; 0]);
}

#[test]
fn a_broken_manifest_keeps_its_last_good_pod_and_says_so() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    let mut file = manifest::read(PATH, b"not: [a pod");
    file.pod = manifest::read(PATH, web("i:1").as_bytes()).pod;
    file.stale = true;
    node.tell(Update::Manifests { source: SourceId::File, files: vec![file] });
    assert_eq!(node.list(), ["web-node1 abc Running"]);
    let pod = &node.last.pods[0].bytes;
    assert_eq!(lookup::annotation(pod, "nodepods.io/manifest").as_deref(), Some("broken"));
    assert_eq!(node.last.findings.len(), 1);
    node.runtime(&[&sandbox("abc", false, T0, "file")], &[&container("abc", "i:1", END)]);
    assert_eq!(node.list(), [""; 0], "the kubelet has given it up");
}

#[test]
fn the_last_of_two_files_with_the_same_pod_wins() {
    let mut node = Node::new();
    node.manifests(&[("/m/a.yaml", &web("i:1")), ("/m/b.yaml", &web("i:2"))]);
    node.runtime(&[], &[]);
    assert_eq!(node.list().len(), 1);
    let spec = String::from_utf8_lossy(node.last.pods[0].bytes.spec()).into_owned();
    assert!(spec.contains("i:2") && !spec.contains("i:1"));
}

#[test]
fn pods_of_the_runtime_alone_linger_for_a_minute() {
    let mut node = Node::new();
    node.manifests(&[]);
    let up = |ready| sandbox("api-1", ready, T0, "api");
    node.runtime(&[&up(true)], &[&container("api-1", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 api-1 Running"]);
    let pod = &node.last.pods[0].bytes;
    assert_eq!(lookup::annotation(pod, "nodepods.io/spec").as_deref(), Some("partial"));
    assert_eq!(lookup::annotation(pod, "nodepods.io/sources").as_deref(), Some("cri"));
    node.runtime(&[&up(false)], &[&container("api-1", "i:1", END)]);
    assert_eq!(node.list().len(), 1);
    node.wait(59_000);
    assert_eq!(node.list().len(), 1);
    assert!(node.reconciler.deadline().is_some());
    node.wait(1_001);
    assert_eq!(node.list(), [""; 0]);
}

#[test]
fn a_silent_runtime_is_waited_for_and_then_named() {
    let mut node = Node::new();
    let health = |state| Health { state, since: SystemTime::UNIX_EPOCH, error: String::new(), target: String::new() };
    node.tell(Update::Health(SourceId::Runtime, health(HealthState::Starting)));
    node.manifests(&[(PATH, &web("i:1"))]);
    assert!(!node.last.initialized);
    assert_eq!(node.reconciler.deadline(), Some(T0 + 15_000));
    node.wait(15_000);
    assert!(node.last.initialized);
    assert_eq!(node.last.incomplete, [SourceId::Runtime]);
    let ready = crate::codec::json::from_wire(crate::codec::schema::id::POD_STATUS, node.last.pods[0].bytes.status());
    assert!(!ready.unwrap().to_string().contains("\"True\",\"type\":\"Ready\""));
    node.runtime(&[], &[]);
    assert_eq!(node.last.incomplete, []);
}

#[test]
fn a_clock_that_is_put_right_moves_no_deadline() {
    const YEAR: u64 = 365 * 86_400_000;
    for wall in [T0 - YEAR, T0 + YEAR] {
        // The wait for a silent runtime.
        let mut node = Node::new();
        node.manifests(&[]);
        node.now.unix_ms = wall;
        node.wait(14_999);
        assert!(!node.last.initialized);
        node.wait(1);
        assert!(node.last.initialized);
        // The time for which a pod that only the runtime knows stays.
        let mut node = Node::new();
        node.manifests(&[]);
        let api = |ready| sandbox("api-1", ready, T0, "api");
        node.runtime(&[&api(true)], &[&container("api-1", "i:1", RUN)]);
        node.now.unix_ms = wall;
        node.runtime(&[&api(false)], &[&container("api-1", "i:1", END)]);
        node.wait(59_999);
        assert_eq!(node.list().len(), 1);
        node.wait(1);
        assert_eq!(node.list(), [""; 0]);
        node.now.unix_ms = T0 - YEAR;
        node.runtime(&[&api(false)], &[&container("api-1", "i:1", END)]);
        assert_eq!(node.list(), [""; 0], "an end in the future brings nothing back");
    }
}

#[test]
fn a_directory_that_is_there_again_and_empty_is_proof() {
    let mut node = Node::new();
    node.tell(Update::Health(SourceId::File, Health { error: "/m does not exist".into(), ..up() }));
    node.manifests(&[]);
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 abc Running"], "it may be the wrong place");
    node.tell(Update::Health(SourceId::File, up()));
    assert_eq!(node.list(), ["web-node1 abc Running deleted"]);
}

#[test]
fn a_node_without_a_runtime_needs_none() {
    let mut node = Node::new();
    let absent = Health {
        state: HealthState::Absent,
        since: SystemTime::UNIX_EPOCH,
        error: String::new(),
        target: String::new(),
    };
    node.tell(Update::Health(SourceId::Runtime, absent));
    node.manifests(&[(PATH, &web("i:1"))]);
    assert!(node.last.initialized);
    assert_eq!(node.list(), ["web-node1 own Pending"]);
}

#[test]
fn mirror_pods_are_folded_into_their_static_pods() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
    let meta = serde_json::json!({
        "name": "web-node1", "namespace": "default", "uid": "mirror-uid",
        "annotations": {"kubernetes.io/config.mirror": "abc", "kubernetes.io/config.source": "api"},
    });
    let meta = crate::codec::json::to_wire(crate::codec::schema::id::OBJECT_META, &meta).unwrap().bytes;
    let mirror = PodBytes::from_sections(&meta, &[], &[], &[]);
    node.tell(Update::Pods { source: SourceId::ApiServer, pods: vec![mirror] });
    assert_eq!(node.list(), ["web-node1 abc Running"]);
    let sources = lookup::annotation(&node.last.pods[0].bytes, "nodepods.io/sources").map(|s| s.into_owned());
    assert_eq!(sources.as_deref(), Some("apiserver,cri,file"));
    node.manifests(&[]);
    node.runtime(&[], &[]);
    assert_eq!(node.list(), [""; 0], "a mirror pod keeps nothing listed");
}
