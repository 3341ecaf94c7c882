//! What the daemon says beside the pods: sources, runtime conditions, findings.

use protobuf::Message;

use crate::cli::client::PodsClient;
use crate::cli::exit::{Exit, Failure};
use crate::diagnosis::{NodeFacts, PodFinding, SourceFact};
use crate::pod::observed::RuntimeCondition;
use crate::proto::node as api;
use crate::store::update::HealthState;

const GET_SOURCES: &str = "/nodepods.v1.Node/GetSources";

/// What a daemon said.
#[derive(Debug, Default)]
pub struct Told {
    /// About the node.
    pub facts: NodeFacts,
    /// About the manifests.
    pub findings: Vec<PodFinding>,
}

/// Asks the daemon. A kubelet, which has no such service, says nothing.
///
/// # Errors
/// Nobody answers, or not in this form.
pub fn ask(client: &PodsClient) -> Result<Told, Failure> {
    let answer = match client.ask(GET_SOURCES, &Vec::new()) {
        Ok((answer, _)) => answer,
        Err(failure) if failure.exit == Exit::Failure => return Ok(Told::default()), // it has no such method
        Err(failure) => return Err(failure),
    };
    let answer = api::GetSourcesResponse::parse_from_bytes(&answer)
        .map_err(|e| Failure::new(Exit::Failure, format!("error: the daemon's answer cannot be read: {e}")))?;
    Ok(told(answer))
}

fn told(answer: api::GetSourcesResponse) -> Told {
    let runtime = answer.runtime.conditions.iter().map(|c| RuntimeCondition {
        kind: c.type_.clone(),
        status: c.status,
        reason: c.reason.clone(),
        message: c.message.clone(),
    });
    let facts = NodeFacts {
        name: answer.node.name.clone(),
        runtime: runtime.collect(),
        sources: answer.sources.into_iter().filter_map(source).collect(),
        ..NodeFacts::default()
    };
    Told { facts, findings: answer.findings.into_iter().map(finding).collect() }
}

fn source(source: api::Source) -> Option<SourceFact> {
    use api::source::State;
    let state = match source.state.enum_value().ok()? {
        State::UNSPECIFIED => return None,
        State::ABSENT => HealthState::Absent,
        State::STARTING => HealthState::Starting,
        State::UP => HealthState::Up,
        State::DOWN => HealthState::Down,
        State::RESTING => HealthState::Resting,
    };
    let since = source.since_unix_ms / 1000;
    Some(SourceFact { name: source.name, state, target: source.target, error: source.error, since })
}

fn finding(finding: api::Finding) -> PodFinding {
    PodFinding {
        refuses: finding.severity.enum_value() == Ok(api::finding::Severity::ERROR),
        namespace: finding.pod.namespace.clone(),
        name: finding.pod.name.clone(),
        file: finding.file,
        line: finding.line,
        column: finding.column,
        field: finding.field,
        reason: finding.reason,
        message: finding.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_daemon_says_in_plain_values() {
        let pod = api::PodName { namespace: "default".into(), name: "web-n1".into(), ..Default::default() };
        let finding = api::Finding {
            severity: api::finding::Severity::ERROR.into(),
            file: "/m/web.yaml".into(),
            pod: Some(pod).into(),
            ..Default::default()
        };
        let source = |state: api::source::State| api::Source {
            name: "cri".into(),
            state: state.into(),
            since_unix_ms: 1500,
            ..Default::default()
        };
        let condition = api::Condition { type_: "NetworkReady".into(), ..Default::default() };
        let runtime = api::Runtime { conditions: vec![condition], ..Default::default() };
        let answer = api::GetSourcesResponse {
            findings: vec![finding],
            sources: vec![source(api::source::State::DOWN), source(api::source::State::UNSPECIFIED)],
            runtime: Some(runtime).into(),
            ..Default::default()
        };
        let told = told(answer);
        assert_eq!((told.findings[0].name.as_str(), told.findings[0].refuses), ("web-n1", true));
        assert_eq!(told.facts.sources.len(), 1);
        assert_eq!((told.facts.sources[0].state, told.facts.sources[0].since), (HealthState::Down, 1));
        assert_eq!((told.facts.runtime[0].kind.as_str(), told.facts.runtime[0].status), ("NetworkReady", false));
    }
}
