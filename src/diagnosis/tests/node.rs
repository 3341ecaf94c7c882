//! What is said of the node.

use super::*;

#[test]
fn the_node() {
    let well = NodeFacts {
        memory_available: Some(1 << 30),
        disks: vec![Disk {
            path: "/".into(),
            holds: "pods",
            available: 20,
            total: 100,
            inodes_free: 10,
            inodes: 100,
            limit_percent: 10,
        }],
        runtime: vec![RuntimeCondition { kind: "RuntimeReady".into(), status: true, ..RuntimeCondition::default() }],
        sources: vec![source("cri", HealthState::Up), source("checkpoint", HealthState::Absent)],
        ..NodeFacts::default()
    };
    assert_eq!(of_node(&well, NOW), []);
    let mut ill = well.clone();
    ill.kubelet_runs = Some(false);
    ill.memory_available = Some(50 << 20);
    ill.disks[0].available = 9;
    ill.disks.push(Disk { inodes_free: 4, ..well.disks[0].clone() });
    ill.runtime[0] =
        RuntimeCondition { kind: "NetworkReady".into(), reason: "X".into(), message: "no cni".into(), status: false };
    ill.sources = vec![
        source("cri", HealthState::Down),
        source("apiserver", HealthState::Starting),
        source("file", HealthState::Resting),
    ];
    let got = of_node(&ill, NOW);
    let want = "Unsure NoKubelet, Trouble SourceDown, Trouble SourceStarting, Trouble NetworkReady, Trouble MemoryPressure, Trouble \
                DiskPressure, Trouble DiskPressure";
    assert_eq!(reasons(&got), want);
    assert_eq!(got[3].lines, ["no cni"]);
    let unseen = NodeFacts { sources: vec![source("cri", HealthState::Absent)], ..NodeFacts::default() };
    assert_eq!(reasons(&of_node(&unseen, NOW)), "Unsure NoRuntime");
}

fn source(name: &str, state: HealthState) -> SourceFact {
    SourceFact { name: name.into(), state, target: "/t".into(), error: String::new(), since: NOW - 9 }
}
