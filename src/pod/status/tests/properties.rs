//! What holds for every scene.

use proptest::prelude::*;

use super::*;

fn any_scene() -> impl Strategy<Value = Scene> {
    let state = prop_oneof![Just(S::Created), Just(S::Running), Just(S::Exited), Just(S::Unknown)];
    let instances =
        prop::collection::vec((prop::sample::select(vec!["i", "s", "a", "b"]), state, 0..3, 0..90i64), 0..8);
    let policy = prop::sample::select(vec!["Always", "OnFailure", "Never"]);
    let kind = prop::sample::select(vec![PodKind::Static, PodKind::Api, PodKind::RuntimeOnly]);
    (instances, policy, kind, any::<[bool; 4]>()).prop_map(
        |(instances, policy, kind, [ready, probe, seen, terminating])| {
            let mut a = json!({"name": "a"});
            if probe {
                a["readinessProbe"] = json!({});
            }
            let init = json!([{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]);
            let spec = json!({"restartPolicy": policy, "initContainers": init, "containers": [a, {"name": "b"}]});
            let mut scene = Scene { kind, runtime_seen: seen, terminating, ..Scene::new(spec) };
            Arc::make_mut(&mut scene.sandboxes[0]).ready = ready;
            instances.into_iter().fold(scene, |scene, (name, state, code, at)| scene.with(name, state, code, at))
        },
    )
}

proptest! {
    /// A pod's life: whatever the runtime shows in turn, a terminal phase stays, and times only grow.
    #[test]
    fn phases_settle_and_times_are_monotonic(scenes in prop::collection::vec(any_scene(), 1..6)) {
        let kind = scenes[0].kind;
        let mut previous: Option<Value> = None;
        for (step, scene) in scenes.into_iter().enumerate() {
            let scene = Scene { kind, previous: previous.clone(), now: NOW + step as i64, ..scene };
            let status = scene.status();
            if let Some(before) = &previous {
                if before["phase"] == "Succeeded" || before["phase"] == "Failed" {
                    prop_assert_eq!(&before["phase"], &status["phase"]);
                }
                prop_assert_eq!(&before["startTime"], &status["startTime"]);
                for c in status["conditions"].as_array().into_iter().flatten() {
                    let old = before["conditions"].as_array().into_iter().flatten().find(|o| o["type"] == c["type"]);
                    if let Some(old) = old {
                        let (was, is) = (old["lastTransitionTime"].as_str(), c["lastTransitionTime"].as_str());
                        prop_assert!(was <= is);
                        prop_assert_eq!(old["status"] == c["status"], was == is);
                    }
                }
            }
            previous = Some(status);
        }
    }

    /// The same input gives the same bytes, in whatever order the runtime lists things; and what was served last,
    /// given as what was served last, changes nothing.
    #[test]
    fn same_input_same_bytes(scene in any_scene()) {
        let first = scene.derive();
        let mut turned = scene.clone();
        turned.containers.reverse();
        turned.sandboxes.reverse();
        prop_assert_eq!(first.to_wire().unwrap(), turned.derive().to_wire().unwrap());
    }

    /// Nobody is called ready who does not run.
    #[test]
    fn ready_means_running(scene in any_scene()) {
        let status = scene.status();
        for c in status["containerStatuses"].as_array().into_iter().flatten() {
            prop_assert!(c["ready"] == false || c.pointer("/state/running").is_some());
        }
    }
}
