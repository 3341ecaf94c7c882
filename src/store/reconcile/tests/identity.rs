//! Which UID, when the runtime and the manifests do not change at the same moment.

use super::*;

/// A second version that looks the same in the runtime: only the command differs.
fn other_command() -> String {
    web("i:1").replace("image: 'i:1'", "image: 'i:1', command: [other]")
}

#[test]
fn labels_annotations_images_and_containers_tell_an_old_sandbox_from_a_new_one() {
    let cases: [(&str, &str, &str); 4] = [
        ("label", "app: x", "app: z"),
        ("annotation", "labels: {app: x}", "labels: {app: x}, annotations: {a: b}"),
        ("image", "i:1", "i:2"),
        ("container", "name: c,", "name: d,"),
    ];
    for (what, old, new) in cases {
        let mut node = Node::new();
        node.runtime(&[&sandbox("abc", true, T0, "file")], &[&container("abc", "i:1", RUN)]);
        node.manifests(&[(PATH, &web("i:1").replace(old, new))]);
        assert_eq!(node.list(), ["web-node1 abc Running deleted", "web-node1 own Pending"], "{what}");
    }
}

#[test]
fn a_sandbox_of_another_source_or_name_is_not_adopted() {
    let renamed = |mut s: Sandbox| {
        s.name = "web-node2".into();
        s
    };
    let of_the_api = sandbox("abc", true, T0, "api");
    let of_another = Arc::new(renamed(Sandbox::clone(&sandbox("abc", true, T0, "file"))));
    for theirs in [of_the_api, of_another] {
        let mut node = Node::new();
        node.manifests(&[(PATH, &web("i:1"))]);
        node.runtime(&[&theirs], &[&container("abc", "i:1", RUN)]);
        assert_eq!(node.list().iter().filter(|l| l.contains(" own ")).count(), 1, "{theirs:?}");
    }
}

#[test]
fn the_uid_stays_when_the_dead_sandbox_is_cleaned_up() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    node.runtime(&[&sandbox("abc", true, T0 + 1, "file")], &[&container("abc", "i:1", RUN)]);
    node.runtime(&[], &[]);
    assert_eq!(node.list().len(), 1);
    assert!(node.list()[0].contains(" abc "), "{:?}", node.list());
    assert_eq!(
        lookup::annotation(&node.last.pods[0].bytes, "kubernetes.io/config.seen").as_deref(),
        Some("2026-11-21T00:00:00.000000001Z"),
        "nor does the time change at which it was seen"
    );
}

#[test]
fn an_edit_that_shows_first_in_the_runtime_ends_well() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    let old = sandbox("abc", true, T0 + 1, "file");
    node.runtime(&[&old], &[&container("abc", "i:1", RUN)]);
    // The kubelet has read the edit, we have not: the new sandbox looks like the old content.
    node.wait(100_000);
    let new = sandbox("def", true, node.now.unix_ms, "file");
    let stopped = sandbox("abc", false, T0 + 1, "file");
    node.runtime(&[&stopped, &new], &[&container("abc", "i:1", END), &container("def", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 def Running"]);
    node.wait(5_000);
    node.manifests(&[(PATH, &other_command())]);
    assert_eq!(node.list(), ["web-node1 def Running"]);
    // And each content has its own UID again.
    node.manifests(&[(PATH, &web("i:1"))]);
    assert!(node.list()[0].starts_with("web-node1 abc "), "{:?}", node.list());
}

#[test]
fn a_guess_at_the_start_is_corrected_by_the_next_sandbox() {
    // The manifest was edited just before our start; the sandbox is still that of the content before.
    let mut node = Node::new();
    let old = sandbox("abc", true, T0 - 50_000, "file");
    node.runtime(&[&old], &[&container("abc", "i:1", RUN)]);
    node.manifests(&[(PATH, &other_command())]);
    assert_eq!(node.list(), ["web-node1 abc Running"]);
    node.wait(10_000);
    let new = sandbox("def", true, node.now.unix_ms, "file");
    let stopped = sandbox("abc", false, T0 - 50_000, "file");
    node.runtime(&[&stopped, &new], &[&container("abc", "i:1", END), &container("def", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 def Running"]);
    node.manifests(&[(PATH, &web("i:1"))]);
    let running: Vec<_> = node.list().into_iter().filter(|l| !l.ends_with("deleted")).collect();
    assert!(running[0].starts_with("web-node1 abc "), "{running:?}");
}

#[test]
fn a_pod_whose_manifest_is_late_is_not_called_deleted() {
    let mut node = Node::new();
    node.manifests(&[]);
    node.tell(Update::Health(SourceId::File, up()));
    node.runtime(&[], &[]);
    node.wait(60_000);
    // A kubelet has found the manifest behind a link that was swapped; we find it at the next full read.
    let new = sandbox("abc", true, node.now.unix_ms, "file");
    node.runtime(&[&new], &[&container("abc", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 abc Running"]);
    let mut other = Node::new();
    std::mem::swap(&mut node, &mut other);
    other.wait(20_000);
    other.manifests(&[(PATH, &web("i:1"))]);
    assert_eq!(other.list(), ["web-node1 abc Running"]);
    let sources = lookup::annotation(&other.last.pods[0].bytes, "nodepods.io/sources").map(|s| s.into_owned());
    assert_eq!(sources.as_deref(), Some("cri,file"));
    // Removed and never seen by us: after a while it is clear that no manifest comes.
    other.manifests(&[("/m/z.yaml", &web("i:1").replace("name: web,", "name: z,"))]);
    assert_eq!(other.list(), ["web-node1 abc Running deleted", "z-node1 own Pending"]);
}

#[test]
fn a_manifest_that_never_comes_makes_the_pod_a_going_one() {
    let mut node = Node::new();
    node.manifests(&[("/m/z.yaml", &web("i:1").replace("name: web,", "name: z,"))]);
    node.runtime(&[], &[]);
    node.wait(60_000);
    let new = sandbox("abc", true, node.now.unix_ms, "file");
    node.runtime(&[&new], &[&container("abc", "i:1", RUN)]);
    assert_eq!(node.list(), ["web-node1 abc Running", "z-node1 own Pending"]);
    let deadline = node.reconciler.deadline().unwrap();
    node.wait(deadline - node.now.steady_ms);
    assert_eq!(node.list(), ["web-node1 abc Running deleted", "z-node1 own Pending"]);
}

#[test]
fn two_manifests_with_one_uid_are_served_once_and_reported() {
    let fixed = |name: &str| web("i:1").replace("name: web,", &format!("name: {name}, uid: same-uid,"));
    let mut node = Node::new();
    node.manifests(&[("/m/a.yaml", &fixed("a")), ("/m/b.yaml", &fixed("b"))]);
    assert_eq!(node.list().len(), 1);
    let found: Vec<_> = node.last.findings.iter().map(|f| (f.reason, f.field.as_str())).collect();
    assert_eq!(found, [("DuplicateUID", "metadata.uid")]);
    node.manifests(&[("/m/a.yaml", &fixed("a"))]);
    assert!(node.last.findings.is_empty());
}

#[test]
fn another_node_name_renames_static_pods() {
    let mut node = Node::new();
    let fixed = web("i:1").replace("name: web,", "name: web, uid: fixed-1,");
    node.manifests(&[(PATH, &fixed)]);
    node.tell(Update::NodeName { name: "edge-7".into(), from: "a certificate".into() });
    assert_eq!(node.list(), ["web-edge-7 fixed-1 Pending"]);
    assert_eq!(node.last.node_name_from, "a certificate");
}

#[test]
fn many_manifests_keep_their_uids_without_their_sandboxes() {
    const MANY: usize = 540; // more than the bindings that are kept for edits
    let mut node = Node::new();
    let file = |n| (format!("/m/{n}.yaml"), web("i:1").replace("name: web", &format!("name: web{n}")));
    let files: Vec<(String, String)> = (0..MANY).map(file).collect();
    node.manifests(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>());
    let made = |n| {
        let one = sandbox(&format!("u{n}"), true, T0, "file");
        Arc::new(Sandbox { name: format!("web{n}-node1"), ..(*one).clone() })
    };
    let sandboxes: Vec<Arc<Sandbox>> = (0..MANY).map(made).collect();
    node.runtime(&sandboxes.iter().collect::<Vec<_>>(), &[]);
    node.runtime(&[], &[]);
    let real = node.last.pods.iter().filter(|p| p.id.uid.starts_with('u')).count();
    assert_eq!((node.last.pods.len(), real), (MANY, MANY));
}
