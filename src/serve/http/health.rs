//! Whether the daemon lives and whether it can answer, in the text that the API server and the kubelet give.

use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::shared::Shared;
use super::Scope;
use crate::store::snapshot::Snapshot;
use crate::store::update::HealthState;

/// One check: its name, and why it fails.
struct Check {
    name: &'static str,
    problem: Option<String>,
}

/// `/healthz` and `/livez` say that requests are answered; `/readyz` also that the pods are known. One check alone
/// stands beneath its name.
pub(crate) fn answer(
    shared: &Shared,
    request: &Request,
    endpoint: &str,
    check: Option<&str>,
) -> Result<Reply, Refusal> {
    let mut checks = checks(&shared.store.current(), endpoint);
    if let Some(name) = check {
        checks.retain(|c| c.name == name);
        if checks.is_empty() {
            return Err(Refusal::NoSuchPath);
        }
    }
    let failed = checks.iter().any(|c| c.problem.is_some());
    let verbose = request.query.switch("verbose").unwrap_or(false);
    if !failed && !verbose {
        return Ok(Reply::text("ok"));
    }
    let mut text = String::new();
    for check in &checks {
        match &check.problem {
            None => text.push_str(&format!("[+]{} ok\n", check.name)),
            // Reasons may hold addresses and paths, which are not for everybody.
            Some(_) if shared.scope == Scope::Figures => {
                text.push_str(&format!("[-]{} failed: reason withheld\n", check.name));
            }
            Some(problem) => text.push_str(&format!("[-]{} failed: {problem}\n", check.name)),
        }
    }
    text.push_str(&format!("{endpoint} check {}\n", if failed { "failed" } else { "passed" }));
    let reply = Reply::text(&text);
    Ok(if failed { reply.with_code(500) } else { reply })
}

fn checks(snapshot: &Snapshot, endpoint: &str) -> Vec<Check> {
    let mut checks = vec![Check { name: "ping", problem: None }];
    if endpoint == "readyz" {
        let silent = |(id, health): &(_, crate::store::update::Health)| match health.state {
            HealthState::Starting => Some(format!("{id} has not answered yet")),
            HealthState::Down => Some(format!("{id} is down: {}", health.error)),
            _ => None,
        };
        let trouble: Vec<String> = snapshot.sources.iter().filter_map(silent).collect();
        let problem = (!snapshot.initialized).then(|| "the pods of this node are not known yet".to_owned());
        checks.push(Check { name: "pods", problem });
        // A source that is down does not make us unready: its last known state is served, and said to be old.
        let problem = (!snapshot.initialized && !trouble.is_empty()).then(|| trouble.join("; "));
        checks.push(Check { name: "sources", problem });
    }
    checks
}
