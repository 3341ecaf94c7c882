use std::time::UNIX_EPOCH;

use super::super::restore;
use super::*;
use crate::codec::pod_bytes::PodBytes;
use crate::codec::wire::put_bytes;
use crate::store::snapshot::PodId;
use crate::store::update::Health;
use crate::testdir::TestDir;

fn pod(uid: &str, partial: bool) -> Arc<PodEntry> {
    let mut metadata = Vec::new();
    put_bytes(&mut metadata, 5, uid.as_bytes());
    if partial {
        put_bytes(&mut metadata, 12, PARTIAL);
    }
    Arc::new(PodEntry {
        id: Arc::new(PodId { uid: uid.into(), namespace: "default".into(), name: uid.into() }),
        phase: "Running".into(),
        container_ids: Vec::new(),
        ips: Vec::new(),
        revision: 7,
        bytes: PodBytes::from_sections(&metadata, b"\x10\x01", &[], &[]),
    })
}

fn health(state: HealthState, since_ms: u64) -> Health {
    Health { state, since: UNIX_EPOCH + Duration::from_millis(since_ms), error: String::new(), target: String::new() }
}

fn known(sources: Vec<(SourceId, Health)>) -> Arc<Snapshot> {
    let pods = vec![pod("a", false), pod("b", true)];
    Arc::new(Snapshot { initialized: true, pods, sources, ..Snapshot::empty(7) })
}

fn manifest(name: &str) -> Arc<Manifest> {
    Arc::new(Manifest { name: name.into(), namespace: "d".into(), uid: None, metadata: vec![], spec: vec![] })
}

#[test]
fn what_is_known_at_the_stop_is_there_at_the_start() {
    let dir = TestDir::new();
    let mut restored = restore(&dir.path(""));
    assert_eq!((restored.revision, restored.updates().len()), (None, 0));
    let store = Store::new(Snapshot::empty(1));
    let (tx, _updates) = bounded(4);
    let saver = Saver::start(Arc::clone(&store), restored, tx.clone(), &Heartbeats::default()).unwrap();
    let manifest = manifest("m");
    let file = ManifestFile { origin: "/m".into(), pod: Some(manifest.clone()), stale: true, findings: vec![] };
    saver.manifests().note(&Update::Manifests { source: SourceId::File, files: vec![file] });
    store.publish(known(vec![(SourceId::ApiServer, health(HealthState::Down, 5_000))]));
    drop(saver);

    let mut restored = restore(&dir.path(""));
    assert_eq!(restored.revision, Some(7));
    restored.starts_from(9);
    assert_eq!(restore(&dir.path("")).revision, Some(9), "whatever becomes of this run");
    assert_eq!(restored.manifests.files, BTreeMap::from([("/m".to_owned(), manifest)]));
    match restored.updates().as_slice() {
        [Update::Health(SourceId::Checkpoint, h), Update::Pods { source: SourceId::Checkpoint, pods }] => {
            assert_eq!((h.state, unix_ms(h.since)), (HealthState::Down, 5_000));
            assert_eq!(*pods, [pod("a", false).bytes.clone()], "and not the one without a spec");
        }
        other => panic!("{other:?}"),
    }
    std::fs::remove_file(dir.path("checkpoint")).unwrap();
    let store = Store::new(Snapshot::empty(1));
    let saver = Saver::start(Arc::clone(&store), restored, tx, &Heartbeats::default()).unwrap();
    let file = ManifestFile { origin: "/m".into(), pod: None, stale: false, findings: vec![] };
    saver.manifests().note(&Update::Manifests { source: SourceId::File, files: vec![file] });
    drop(saver);
    assert!(!dir.path("checkpoint").exists(), "an unknown node does not replace what is known");
}

#[test]
fn last_good_manifests_outlive_a_run_in_which_their_source_was_silent() {
    let dir = TestDir::new();
    let kept = |source, origin: &str| Kept { source, origin: origin.into(), manifest: manifest(origin) };
    let before = vec![kept(SourceId::File, "/m"), kept(SourceId::Http, "http://m/")];
    let before = Checkpoint { revision: 3, manifests: before, ..Checkpoint::default() };
    restore(&dir.path("")).file.save(&before.encode().bytes).unwrap();
    let run = |sources: &[SourceId], heard: Option<SourceId>| {
        let store = Store::new(Snapshot::empty(1));
        let (tx, _updates) = bounded(4);
        let saver = Saver::start(Arc::clone(&store), restore(&dir.path("")), tx, &Heartbeats::default()).unwrap();
        if let Some(source) = heard {
            saver.manifests().note(&Update::Manifests { source, files: Vec::new() });
        }
        store.publish(known(sources.iter().map(|id| (*id, health(HealthState::Starting, 1))).collect()));
        drop(saver);
        let manifests = restore(&dir.path("")).manifests;
        (manifests.files.len(), manifests.urls.len())
    };
    use SourceId::{File, Http};
    assert_eq!(
        run(&[File, Http], None),
        (1, 1),
        "neither can be read: a directory of another user, a server that is away"
    );
    assert_eq!(run(&[File, Http], Some(File)), (0, 1), "one says that it has none");
    assert_eq!(run(&[File], Some(File)), (0, 0), "one is not asked any more");
}

#[test]
fn restored_pods_step_back_when_a_source_answers() {
    let dir = TestDir::new();
    let empty = restore(&dir.path(""));
    empty.file.save(&Checkpoint { revision: 3, as_of_ms: 9_000, ..Checkpoint::default() }.encode().bytes).unwrap();
    let restored = restore(&dir.path(""));
    let store = Store::new(Snapshot::empty(1));
    store.publish(known(vec![(SourceId::ApiServer, health(HealthState::Up, 10_000))]));
    let (tx, updates) = bounded(1);
    let _saver = Saver::start(store, restored, tx, &Heartbeats::default()).unwrap();
    match updates.recv_timeout(Duration::from_secs(10)) {
        Ok(Update::Health(SourceId::Checkpoint, h)) => {
            assert_eq!((h.state, unix_ms(h.since)), (HealthState::Resting, 9_000));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn ages() {
    use HealthState::{Absent, Down, Resting, Starting, Up};
    use SourceId::{ApiServer, File, Http, Kubelet};
    type Row<'a> = (&'a [(SourceId, HealthState, u64)], u64, u64);
    let table: [Row<'_>; 9] = [
        (&[], 0, 100),
        (&[(File, Up, 1)], 50, 100),
        (&[(Http, Down, 60), (ApiServer, Up, 1)], 50, 60),
        (&[(Http, Up, 60), (ApiServer, Starting, 1)], 50, 50),
        (&[(Http, Up, 60), (Kubelet, Absent, 1)], 50, 100),
        (&[(ApiServer, Starting, 1)], 50, 50),
        (&[(ApiServer, Down, 60)], 50, 60),
        (&[(ApiServer, Resting, 60), (Kubelet, Up, 3)], 50, 100),
        (&[(ApiServer, Down, 60), (Kubelet, Down, 70)], 50, 70),
    ];
    for (sources, restored, want) in table {
        let sources = sources.iter().map(|(id, state, since)| (*id, health(*state, *since))).collect();
        assert_eq!(as_of(&known(sources), restored, 100), want);
    }
}
