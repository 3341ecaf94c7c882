//! The answer of `GetSources`, for people and for programs.

use std::fmt::Write as _;

use protobuf::Enum;
use serde_json::{json, Value};

use crate::cli::grid::{Cell, Grid};
use crate::cli::paragraph::wrap;
use crate::cli::printable::printable;
use crate::cli::screen::{Screen, Tone};
use crate::codec::time::Time;
use crate::pod::columns::age;
use crate::proto::node::{finding, source, Finding, GetSourcesResponse, Source};

/// Where the further lines of a remark begin, if it does not fit into one.
const REMARK: usize = 4;

/// Lines for people.
pub fn text(answer: &GetSourcesResponse, screen: Screen) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let node = &answer.node;
    let _ = writeln!(out, "Node:     {}", explained(&node.name, &node.name_from));
    if !node.distribution.is_empty() {
        let _ = writeln!(out, "System:   {}", explained(&node.distribution, &node.distribution_from));
    }
    let _ = writeln!(out, "Runtime:  {}", runtime(answer));
    let waiting = answer.waiting_for.join(", ");
    let _ = match (answer.initialized, waiting.is_empty()) {
        (false, _) => writeln!(out, "Pods:     none yet, waiting for {waiting}"),
        (true, true) => writeln!(out, "Pods:     {}", answer.pods),
        (true, false) => {
            writeln!(out, "Pods:     {}; some may be missing, because {waiting} has not answered", answer.pods)
        }
    };
    out.push('\n');
    let mut grid = Grid::new(screen);
    grid.row(["SOURCE", "STATE", "SINCE", "ANSWERED", "PODS", "TARGET"]);
    for source in &answer.sources {
        grid.row(row(source, answer.now_unix_ms));
    }
    out.push_str(&grid.take());
    let notes: String = answer.sources.iter().map(|source| notes(source, answer.now_unix_ms, screen)).collect();
    if !notes.is_empty() {
        let _ = write!(out, "\n{notes}");
    }
    if !answer.findings.is_empty() {
        let _ = writeln!(out, "\nManifests:");
        for finding in &answer.findings {
            out.push_str("  ");
            wrap(&mut out, &remark(finding, screen), REMARK, screen.width.unwrap_or(usize::MAX));
        }
    }
    out
}

/// How a source was found, and what goes wrong with it.
fn notes(source: &Source, now: i64, screen: Screen) -> String {
    let mut out = String::new();
    if !source.found.is_empty() {
        let _ = writeln!(out, "{}: {}", source.name, printable(&source.found));
    }
    if !source.error.is_empty() {
        let _ = writeln!(out, "{}: {}", source.name, Tone::Bad.paint(&printable(&source.error), screen));
    } else if !source.last_error.is_empty() {
        let ago = since(source.last_error_unix_ms, now);
        let _ = writeln!(out, "{}: {ago} ago: {}", source.name, printable(&source.last_error));
    }
    out
}

fn explained(what: &str, from: &str) -> String {
    match (what, from) {
        ("", _) => "not known yet".into(),
        (what, "") => what.into(),
        (what, from) => format!("{what} ({from})"),
    }
}

fn runtime(answer: &GetSourcesResponse) -> String {
    let Some(runtime) = answer.runtime.as_ref() else { return "none has answered".into() };
    let mut out = format!("{} {}", runtime.name, runtime.version);
    for condition in runtime.conditions.iter().filter(|c| !c.status) {
        out.push_str(&format!("; {} is false: {} {}", condition.type_, condition.reason, condition.message));
    }
    printable(&out)
}

fn row(source: &Source, now: i64) -> Vec<Cell> {
    let state = source.state.enum_value_or_default();
    let tone = match state {
        source::State::UP => Tone::Good,
        source::State::DOWN => Tone::Bad,
        source::State::STARTING => Tone::Careful,
        _ => Tone::Faint,
    };
    vec![
        source.name.as_str().into(),
        Cell::toned(word(state), tone),
        since(source.since_unix_ms, now).into(),
        since(source.last_success_unix_ms, now).into(),
        source.pods.to_string().into(),
        if source.target.is_empty() { "<none>" } else { &source.target }.into(),
    ]
}

const fn word(state: source::State) -> &'static str {
    match state {
        source::State::UNSPECIFIED => "Unknown",
        source::State::ABSENT => "Absent",
        source::State::STARTING => "Starting",
        source::State::UP => "Up",
        source::State::DOWN => "Down",
        source::State::RESTING => "Resting",
    }
}

fn since(at: i64, now: i64) -> String {
    if at == 0 {
        return "never".into();
    }
    age(now.saturating_sub(at) / 1000)
}

/// `FILE:LINE:COLUMN: error: FIELD: MESSAGE`.
pub fn remark(f: &Finding, screen: Screen) -> String {
    let file = printable(&f.file);
    let place = match (f.line, f.column) {
        (0, _) => file,
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    };
    let severity = match f.severity.enum_value_or_default() {
        finding::Severity::ERROR => Tone::Bad.paint("error", screen),
        _ => Tone::Careful.paint("warning", screen),
    };
    let field = if f.field.is_empty() { String::new() } else { format!("{}: ", f.field) };
    format!("{place}: {severity}: {}", printable(&format!("{field}{}", f.message)))
}

/// The answer as JSON; keys are those of `nodepods/v1/node.proto`, in camel case, times in RFC 3339.
pub fn json(answer: &GetSourcesResponse) -> String {
    let source = |s: &Source| {
        json!({
            "name": s.name,
            "state": word(s.state.enum_value_or_default()),
            "target": s.target,
            "found": s.found,
            "since": time(s.since_unix_ms),
            "lastSuccess": time(s.last_success_unix_ms),
            "error": s.error,
            "lastError": s.last_error,
            "lastErrorTime": time(s.last_error_unix_ms),
            "pods": s.pods,
        })
    };
    let finding = |f: &Finding| {
        json!({
            "file": f.file, "line": f.line, "column": f.column, "field": f.field,
            "severity": if f.severity.value() == finding::Severity::ERROR.value() { "error" } else { "warning" },
            "reason": f.reason, "message": f.message,
            "pod": f.pod.as_ref().map(|p| json!({ "namespace": p.namespace, "name": p.name, "uid": p.uid })),
        })
    };
    let runtime = answer.runtime.as_ref().map(|r| {
        let condition = |c: &crate::proto::node::Condition| {
            json!({ "type": c.type_, "status": c.status, "reason": c.reason, "message": c.message })
        };
        json!({ "name": r.name, "version": r.version, "conditions": r.conditions.iter().map(condition).collect::<Vec<_>>() })
    });
    let (node, daemon) = (&answer.node, &answer.daemon);
    let value = json!({
        "daemon": {
            "version": daemon.version, "commit": daemon.commit, "target": daemon.target,
            "started": time(daemon.started_unix_ms), "pid": daemon.pid,
        },
        "node": {
            "name": node.name, "nameFrom": node.name_from,
            "distribution": node.distribution, "distributionFrom": node.distribution_from,
        },
        "initialized": answer.initialized,
        "waitingFor": answer.waiting_for,
        "revision": answer.revision,
        "pods": answer.pods,
        "sources": answer.sources.iter().map(source).collect::<Vec<_>>(),
        "runtime": runtime,
        "findings": answer.findings.iter().map(finding).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn time(unix_ms: i64) -> Value {
    if unix_ms == 0 {
        return Value::Null;
    }
    Time::from_unix(unix_ms / 1000).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::node::{NodeInfo, Runtime};

    fn answer() -> GetSourcesResponse {
        let source = |name: &str, state: source::State, target: &str| Source {
            name: name.into(),
            state: state.into(),
            target: target.into(),
            since_unix_ms: 1_000_000,
            ..Source::default()
        };
        let mut down = source("cri", source::State::DOWN, "unix:///run/containerd/containerd.sock");
        down.error = "connection refused".into();
        GetSourcesResponse {
            node: Some(NodeInfo { name: "n1".into(), name_from: "host name".into(), ..NodeInfo::default() }).into(),
            initialized: true,
            waiting_for: vec!["cri".into()],
            pods: 2,
            now_unix_ms: 1_065_000,
            sources: vec![source("file", source::State::UP, "/etc/kubernetes/manifests"), down],
            runtime: Some(Runtime { name: "containerd".into(), version: "1.6".into(), ..Runtime::default() }).into(),
            findings: vec![Finding {
                file: "/m/a.yaml".into(),
                line: 3,
                column: 5,
                field: "spec".into(),
                severity: finding::Severity::ERROR.into(),
                message: "wrong".into(),
                ..Finding::default()
            }],
            ..GetSourcesResponse::default()
        }
    }

    #[test]
    fn everything_on_one_screen() {
        assert_eq!(
            text(&answer(), Screen::default()),
            "Node:     n1 (host name)\n\
             Runtime:  containerd 1.6\n\
             Pods:     2; some may be missing, because cri has not answered\n\
             \n\
             SOURCE   STATE   SINCE   ANSWERED   PODS   TARGET\n\
             file     Up      65s     never      0      /etc/kubernetes/manifests\n\
             cri      Down    65s     never      0      unix:///run/containerd/containerd.sock\n\
             \n\
             cri: connection refused\n\
             \n\
             Manifests:\n  \
               /m/a.yaml:3:5: error: spec: wrong\n"
        );
    }

    #[test]
    fn programs_get_the_same() {
        let value: Value = serde_json::from_str(&json(&answer())).unwrap();
        assert_eq!(value["sources"][1]["state"], "Down");
        assert_eq!(value["sources"][0]["since"], "1970-01-01T00:16:40Z");
        assert_eq!(value["sources"][0]["lastSuccess"], Value::Null);
        assert_eq!(value["findings"][0]["severity"], "error");
        assert_eq!(value["runtime"]["name"], "containerd");
    }
}
