//! List and watch tell one story: whatever the sources say in whatever order, a client that reads all events knows
//! exactly what the list shows.

use proptest::prelude::*;

use super::*;

/// Something that happens on a node.
#[derive(Clone, Debug)]
enum Happening {
    /// These versions of the three manifests; 0 is none.
    Manifests([u8; 3]),
    /// Which of the UIDs has a sandbox (1 dead, 2 ready, 3 with a running container, 4 with an ended one).
    Runtime([u8; 4]),
    /// These pods are in the API server.
    Api(u8),
    Time(u64),
    /// The watcher is sent this many events.
    Reads(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|v| Happening::Manifests(v.map(|b| b % 3))),
        any::<[u8; 4]>().prop_map(|v| Happening::Runtime(v.map(|b| b % 5))),
        (0u8..4).prop_map(Happening::Api),
        prop_oneof![Just(1u64), Just(2_000), Just(30_000), Just(61_000)].prop_map(Happening::Time),
        (0usize..4).prop_map(Happening::Reads),
    ]
}

const UIDS: [&str; 4] = ["abc", "api-1", "def", "zzz"];

fn happen(node: &mut Node, what: &Happening, client: &mut Client) {
    match what {
        Happening::Manifests(versions) => {
            let texts: Vec<(String, String)> = (0..3)
                .zip(versions)
                .filter(|(_, version)| **version > 0)
                .map(|(i, version)| (format!("/m/{i}.yaml"), web(&format!("i:{version}")).replace("web", NAMES[i])))
                .collect();
            let texts: Vec<_> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
            node.manifests(&texts);
        }
        Happening::Runtime(states) => {
            let (mut sandboxes, mut containers) = (Vec::new(), Vec::new());
            for (i, state) in states.iter().enumerate().filter(|(_, state)| **state > 0) {
                let source = if UIDS[i] == "api-1" { "api" } else { "file" };
                sandboxes.push(sandbox(UIDS[i], *state > 1, T0 + i as u64, source));
                match state {
                    3 => containers.push(container(UIDS[i], "i:1", RUN)),
                    4 => containers.push(container(UIDS[i], "i:2", END)),
                    _ => {}
                }
            }
            node.runtime(&sandboxes.iter().collect::<Vec<_>>(), &containers.iter().collect::<Vec<_>>());
        }
        Happening::Api(n) => {
            let meta = |n: u8| {
                let meta = serde_json::json!({"name": "p", "namespace": "default", "uid": format!("api-{n}")});
                crate::codec::json::to_wire(crate::codec::schema::id::OBJECT_META, &meta).unwrap().bytes
            };
            let pods = (0..*n).map(|n| PodBytes::from_sections(&meta(n), &[], &[], &[])).collect();
            node.tell(Update::Pods { source: SourceId::ApiServer, pods });
        }
        Happening::Time(ms) => node.wait(*ms),
        Happening::Reads(n) => client.read(node, *n),
    }
}

/// `web` twice: two files may ask for one pod.
const NAMES: [&str; 3] = ["web", "web", "db"];

/// What a client knows from its watch.
#[derive(Default)]
struct Client {
    pods: BTreeMap<String, Arc<PodEntry>>,
    newest: BTreeMap<String, u64>,
    synced: bool,
}

impl Client {
    fn read(&mut self, node: &mut Node, at_most: usize) {
        for _ in 0..at_most {
            let Some(event) = node.watcher.next(&node.last) else { return };
            match event {
                Event::Added(p) => {
                    assert!(self.pods.insert(p.id.uid.clone(), Arc::clone(&p)).is_none(), "ADDED twice");
                    self.note(&p);
                }
                Event::Modified(p) => {
                    assert!(self.pods.insert(p.id.uid.clone(), Arc::clone(&p)).is_some(), "MODIFIED before ADDED");
                    self.note(&p);
                }
                Event::Deleted(id) => assert!(self.pods.remove(&id.uid).is_some(), "DELETED before ADDED"),
                Event::InitialSyncComplete => assert!(!std::mem::replace(&mut self.synced, true), "two markers"),
            }
        }
    }

    fn note(&mut self, pod: &PodEntry) {
        let before = self.newest.insert(pod.id.uid.clone(), pod.revision);
        assert!(before.is_none_or(|b| b < pod.revision), "an older state than one sent before");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn list_and_watch_agree(happenings in proptest::collection::vec(happening(), 1..24)) {
        let (mut node, mut client) = (Node::new(), Client::default());
        for what in &happenings {
            happen(&mut node, what, &mut client);
            let uids: Vec<_> = node.last.pods.iter().map(|p| &p.id.uid).collect();
            prop_assert!(uids.windows(2).all(|w| w[0] < w[1]), "not sorted by UID: {:?}", uids);
            prop_assert!(node.last.pods.iter().all(|p| p.revision <= node.last.revision));
            prop_assert!(node.reconciler.snapshot(node.now).is_none(), "published twice");
        }
        client.read(&mut node, usize::MAX);
        prop_assert!(client.synced);
        let known: Vec<_> = client.pods.values().cloned().collect();
        prop_assert_eq!(&known, &node.last.pods);
    }

    /// The order in which sources speak up at a start does not matter for what is listed in the end.
    #[test]
    fn sources_may_speak_in_any_order(
        manifests in any::<[u8; 3]>(), runtime in any::<[u8; 4]>(), api in 0u8..4, order in 0usize..6,
    ) {
        let said = [
            Happening::Manifests(manifests.map(|b| b % 3)),
            Happening::Runtime(runtime.map(|b| b % 5)),
            Happening::Api(api),
        ];
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let listed = |order: [usize; 3]| {
            let mut node = Node::new();
            for i in order {
                happen(&mut node, &said[i], &mut Client::default());
            }
            node.list()
        };
        prop_assert_eq!(listed(orders[0]), listed(orders[order]));
    }
}
