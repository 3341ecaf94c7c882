//! `nodepods.v1.Node`: the sources, the runtime and the manifests' findings, for people and for `nodepods sources`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use grpcio::{Service, ServiceBuilder};
use protobuf::Message;

use super::refusal::Refusal;
use super::reply;
use super::service::{answer, Answer, Shared};
use crate::pod::finding::{Finding, Severity};
use crate::pod::static_pod::pod_name;
use crate::proto::node as api;
use crate::serve::connections::Kind;
use crate::serve::metrics::Own;
use crate::store::contacts::Contacts;
use crate::store::snapshot::{RuntimeFacts, Snapshot};
use crate::store::update::{Health, HealthState, SourceId};

/// The service. It answers before the node is known too: what is missing then is just what one wants to know.
pub(crate) fn service(shared: &Arc<Shared>) -> Service {
    let shared = Arc::clone(shared);
    ServiceBuilder::new()
        .add_unary_handler(&reply::GET_SOURCES, move |ctx, _, sink| {
            let reply = shared.admitted(&ctx, Kind::Unary).and_then(|()| encoded(&shared));
            shared.count_own(Own::GetSources, &reply);
            answer(&ctx, sink, reply);
        })
        .build()
}

fn encoded(shared: &Shared) -> Result<Answer, Refusal> {
    let (snapshot, contacts) = (shared.store.current(), shared.store.contacts());
    let mut answer = told(&snapshot, contacts);
    answer.now_unix_ms = unix_ms(SystemTime::now());
    answer.daemon = Some(api::Daemon {
        version: env!("CARGO_PKG_VERSION").into(),
        commit: env!("NODEPODS_COMMIT").into(),
        target: env!("NODEPODS_TARGET").into(),
        started_unix_ms: unix_ms(shared.started),
        pid: std::process::id(),
        ..Default::default()
    })
    .into();
    let bytes = answer.write_to_bytes();
    let reply = bytes.map_err(|e| Refusal::Unencodable(e.to_string()))?.into();
    Ok(Answer { reply, headers: None })
}

/// All that comes out of the snapshot and the contacts.
fn told(snapshot: &Snapshot, contacts: &Contacts) -> api::GetSourcesResponse {
    let waited_for = |health: &Health| matches!(health.state, HealthState::Starting | HealthState::Down);
    let waiting_for: Vec<_> = match snapshot.initialized {
        true => snapshot.incomplete.clone(),
        false => snapshot.sources.iter().filter(|(_, h)| waited_for(h)).map(|(id, _)| *id).collect(),
    };
    let (distribution, distribution_from) = contacts.distribution();
    let node = api::NodeInfo {
        name: snapshot.node_name.clone(),
        name_from: snapshot.node_name_from.clone(),
        distribution,
        distribution_from,
        ..Default::default()
    };
    api::GetSourcesResponse {
        node: Some(node).into(),
        initialized: snapshot.initialized,
        waiting_for: waiting_for.iter().map(SourceId::to_string).collect(),
        revision: snapshot.revision,
        pods: count(snapshot.pods.len()),
        sources: snapshot.sources.iter().map(|(id, health)| source(snapshot, contacts, *id, health)).collect(),
        runtime: snapshot.runtime.as_deref().map(runtime).into(),
        findings: snapshot.findings.iter().map(|f| finding(snapshot, f)).collect(),
        ..Default::default()
    }
}

fn source(snapshot: &Snapshot, contacts: &Contacts, id: SourceId, health: &Health) -> api::Source {
    use api::source::State;
    let state = match health.state {
        HealthState::Absent => State::ABSENT,
        HealthState::Starting => State::STARTING,
        HealthState::Up => State::UP,
        HealthState::Down => State::DOWN,
        HealthState::Resting => State::RESTING,
    };
    let since_unix_ms = unix_ms(health.since);
    let last_success = match id {
        SourceId::Checkpoint => since_unix_ms,
        _ => signed(contacts.heard_ms(id)),
    };
    let trouble = contacts.trouble(id).unwrap_or_default();
    api::Source {
        name: id.to_string(),
        state: state.into(),
        target: health.target.clone(),
        found: contacts.how(id),
        since_unix_ms,
        last_success_unix_ms: last_success,
        error: health.error.clone(),
        last_error: trouble.error,
        last_error_unix_ms: signed(trouble.at_ms),
        pods: count(snapshot.held.get(&id).copied().unwrap_or_default()),
        ..Default::default()
    }
}

fn runtime(facts: &RuntimeFacts) -> api::Runtime {
    let conditions = facts.conditions.iter().map(|c| api::Condition {
        type_: c.kind.clone(),
        status: c.status,
        reason: c.reason.clone(),
        message: c.message.clone(),
        ..Default::default()
    });
    api::Runtime {
        name: facts.name.clone(),
        version: facts.version.clone(),
        conditions: conditions.collect(),
        ..Default::default()
    }
}

fn finding(snapshot: &Snapshot, finding: &Finding) -> api::Finding {
    use api::finding::Severity as Told;
    let severity = match finding.severity {
        Severity::Warning => Told::WARNING,
        Severity::Error => Told::ERROR,
    };
    let pod = finding.pod.as_ref().map(|(namespace, name)| {
        let name = pod_name(name, &snapshot.node_name);
        let served = snapshot.pods.iter().find(|p| (&p.id.namespace, &p.id.name) == (namespace, &name));
        let uid = served.map(|p| p.id.uid.clone()).unwrap_or_default();
        api::PodName { namespace: namespace.clone(), name, uid, ..Default::default() }
    });
    api::Finding {
        file: finding.file.clone(),
        line: finding.line,
        column: finding.column,
        field: finding.field.clone(),
        severity: severity.into(),
        reason: finding.reason.into(),
        message: finding.message.clone(),
        pod: pod.into(),
        ..Default::default()
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn unix_ms(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::observed::RuntimeCondition;
    use crate::serve::grpc::testing::entry;
    use std::time::Duration;

    #[test]
    fn what_is_known_is_told() {
        let mut snapshot = Snapshot::empty(5);
        let health = |state, error: &str| Health {
            state,
            since: UNIX_EPOCH + Duration::from_millis(9),
            error: error.into(),
            target: "/etc/kubernetes/manifests".into(),
        };
        snapshot.node_name = "node-1".into();
        snapshot.sources =
            vec![(SourceId::File, health(HealthState::Up, "")), (SourceId::Checkpoint, health(HealthState::Down, "x"))];
        snapshot.held = [(SourceId::File, 3)].into();
        snapshot.pods = vec![entry("web-node-1", 5)];
        let not_ready = RuntimeCondition { kind: "NetworkReady".into(), reason: "NoCNI".into(), ..Default::default() };
        let facts = RuntimeFacts { name: "containerd".into(), version: "2.1".into(), conditions: vec![not_ready] };
        snapshot.runtime = Some(facts.into());
        let of_web = Finding::duplicate_pod("a.yaml", "default", "web", "b.yaml");
        snapshot.findings = vec![of_web, Finding::unreadable("c.yaml", &"gone")].into();
        let contacts = Contacts::default();
        contacts.heard(SourceId::File, 12);
        contacts.failed(SourceId::File, "was away", 11);
        contacts.found(SourceId::File, "named by --pod-manifest-path");

        let told = told(&snapshot, &contacts);
        let told = api::GetSourcesResponse::parse_from_bytes(&told.write_to_bytes().unwrap()).unwrap();
        assert_eq!((told.initialized, told.waiting_for.as_slice()), (false, &["checkpoint".to_string()][..]));
        let [file, checkpoint] = told.sources.as_slice() else { panic!("{told}") };
        assert_eq!((file.name.as_str(), file.pods, file.last_success_unix_ms), ("file", 3, 12));
        assert_eq!((file.error.as_str(), file.last_error.as_str(), file.last_error_unix_ms), ("", "was away", 11));
        assert_eq!(file.found, "named by --pod-manifest-path");
        assert_eq!((checkpoint.last_success_unix_ms, checkpoint.error.as_str()), (9, "x"));
        assert_eq!(told.runtime.conditions[0].reason, "NoCNI");
        assert_eq!(told.findings[0].pod.uid, "web-node-1");
        assert_eq!(told.findings[0].pod.name, "web-node-1");
        assert!(told.findings[1].pod.is_none());
    }
}
