//! Ended instances outlive what the runtime keeps of them, but not their pod.

use super::*;

fn ids(node: &Node) -> Vec<&str> {
    node.last.ended("abc").iter().map(|i| i.id.as_str()).collect()
}

#[test]
fn an_instance_that_the_runtime_forgets_is_remembered_while_its_pod_is_listed() {
    let mut node = Node::new();
    node.manifests(&[(PATH, &web("i:1"))]);
    let s = sandbox("abc", true, T0, "file");
    let (first, second) = (container("abc", "i:1", END), container("abc", "i:1", RUN));
    node.runtime(&[&s], &[&first]);
    assert_eq!(ids(&node), ["containerd://c-abc-Exited"]);
    node.runtime(&[&s], &[&first, &second]);
    node.runtime(&[&s], &[&second]);
    assert_eq!(ids(&node), ["containerd://c-abc-Exited"]);
    node.manifests(&[]);
    node.runtime(&[], &[]);
    node.wait(70_000);
    assert_eq!((node.list(), ids(&node)), (vec![], vec![]));
}

#[test]
fn what_a_checkpoint_kept_waits_for_its_pod_until_the_node_is_known() {
    let mut node = Node::new();
    let instance = crate::pod::instance::Instance { container: "c".into(), id: "x://old".into(), ..Default::default() };
    let kept = ["abc", "gone"].map(|uid| (uid.to_owned(), vec![instance.clone()].into()));
    node.reconciler.remember(Arc::new(kept.into()));
    node.manifests(&[(PATH, &web("i:1"))]);
    assert!(!node.last.initialized);
    let s = sandbox("abc", true, T0, "file");
    node.runtime(&[&s], &[&container("abc", "i:1", RUN)]);
    assert_eq!(ids(&node), ["x://old"]);
    // The next look at the list forgets what belongs to no pod.
    node.runtime(&[&s], &[&container("abc", "i:1", RUN), &container("abc", "i:1", END)]);
    assert_eq!(ids(&node), ["x://old", "containerd://c-abc-Exited"]);
    assert!(node.last.ended("gone").is_empty());
}
