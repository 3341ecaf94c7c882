//! What the daemon says of itself.

use std::path::PathBuf;

use super::check::Check;
use crate::cli::exit::Failure;
use crate::diagnosis::count;
use crate::proto::node::{finding, source, GetSourcesResponse, Source};

/// What was asked of the daemon behind a socket, or why that was not possible.
pub fn checks(answer: &Result<(PathBuf, GetSourcesResponse), Failure>) -> Vec<Check> {
    let (path, answer) = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            let text = failure.message.trim_start_matches("error: ");
            let (seen, advice) = text.rsplit_once('\n').unwrap_or((text, "start it: systemctl start nodepods"));
            return vec![Check::bad("daemon", seen, advice)];
        }
    };
    let daemon = &answer.daemon;
    let who =
        format!("{} answers: nodepods {} (rev {}), pid {}", path.display(), daemon.version, daemon.commit, daemon.pid);
    let mut checks = vec![match (daemon.version.as_str(), daemon.commit.as_str()) {
        (env!("CARGO_PKG_VERSION"), env!("NODEPODS_COMMIT")) => Check::ok("daemon", who),
        _ => Check::note("daemon", who, "this program is of another version: systemctl restart nodepods"),
    }];
    checks.push(match (answer.initialized, answer.waiting_for.join(", ")) {
        (true, waiting) if waiting.is_empty() => {
            Check::ok("pods", format!("{} served", count(i64::from(answer.pods), "pod")))
        }
        (true, waiting) => Check::note(
            "pods",
            format!(
                "{} served; some may be missing, because {waiting} has not answered",
                count(i64::from(answer.pods), "pod")
            ),
            "see the source below",
        ),
        (false, waiting) => Check::bad(
            "pods",
            format!("none are served yet: {waiting} has not answered"),
            "see the source below; --init-timeout says how long it is waited for",
        ),
    });
    checks.extend(answer.sources.iter().filter_map(of_source));
    for condition in answer.runtime.iter().flat_map(|r| &r.conditions).filter(|c| !c.status) {
        let seen = format!("{} is false: {} {}", condition.type_, condition.reason, condition.message);
        let advice = match condition.type_.as_str() {
            "NetworkReady" => {
                "no pod gets an address: is a network configured in /etc/cni/net.d, and its program in /opt/cni/bin?"
            }
            _ => "no pod can start: see the runtime's log",
        };
        checks.push(Check::bad("runtime", seen.trim_end(), advice));
    }
    let refused = |f: &&finding::Severity| **f == finding::Severity::ERROR;
    let severities: Vec<_> = answer.findings.iter().map(|f| f.severity.enum_value_or_default()).collect();
    match severities.iter().filter(refused).count() {
        0 => {}
        n => checks.push(Check::bad(
            "manifests",
            format!("{} in manifests", count(n as i64, "fault")),
            "nodepods sources lists them",
        )),
    }
    checks
}

fn of_source(source: &Source) -> Option<Check> {
    let what = format!("{} {}", source.name, source.target);
    let seen = |state: &str| format!("{} {state}: {}", what.trim_end(), source.error);
    match source.state.enum_value_or_default() {
        source::State::UP | source::State::RESTING => Some(Check::ok("source", what.trim_end())),
        source::State::DOWN => Some(Check::bad(
            "source",
            seen("does not answer"),
            match source.name.as_str() {
                "cri" => {
                    "is it running? 'systemctl status containerd' (or crio, k3s, rke2-server); its last known pods are \
                     served"
                }
                _ => "its last known pods are served; nodepods sources says more",
            },
        )),
        source::State::STARTING => Some(Check::note(
            "source",
            seen("has not answered yet").trim_end_matches(": "),
            "wait a moment, or see nodepods sources",
        )),
        source::State::ABSENT | source::State::UNSPECIFIED => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Verdict;
    use crate::cli::exit::Exit;
    use crate::proto::node::{Condition, Daemon, Runtime};

    #[test]
    fn what_is_wrong_is_bad_and_has_advice() {
        let source =
            |name: &str, state: source::State| Source { name: name.into(), state: state.into(), ..Source::default() };
        let condition = Condition { type_: "NetworkReady".into(), reason: "NoCNI".into(), ..Condition::default() };
        let answer = GetSourcesResponse {
            daemon: Some(Daemon { version: "0.0.0".into(), ..Daemon::default() }).into(),
            initialized: true,
            sources: vec![
                source("file", source::State::UP),
                source("cri", source::State::DOWN),
                source("http", source::State::ABSENT),
            ],
            runtime: Some(Runtime { conditions: vec![condition], ..Runtime::default() }).into(),
            ..GetSourcesResponse::default()
        };
        let checks = checks(&Ok(("/run/x.sock".into(), answer)));
        let verdicts: Vec<_> = checks.iter().map(|c| (c.subject, c.verdict)).collect();
        assert_eq!(
            verdicts,
            [
                ("daemon", Verdict::Note),
                ("pods", Verdict::Ok),
                ("source", Verdict::Ok),
                ("source", Verdict::Bad),
                ("runtime", Verdict::Bad)
            ]
        );
        assert!(checks.iter().all(|c| c.verdict == Verdict::Ok || !c.advice.is_empty()));
    }

    #[test]
    fn without_a_daemon_the_way_to_start_one() {
        let failure = Failure::new(Exit::Unavailable, "error: no nodepods daemon answers\nStart it.");
        assert_eq!(checks(&Err(failure)), [Check::bad("daemon", "no nodepods daemon answers", "Start it.")]);
    }
}
