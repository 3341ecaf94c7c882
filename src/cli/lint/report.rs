//! What was found, for people, programs and workflows.

use std::fmt::Write as _;

use serde_json::{json, Value};

use super::files::Linted;
use super::{hint, outcome};
use crate::cli::exit::Failure;
use crate::cli::printable::printable;
use crate::codec::yaml_print;
use crate::pod::finding::{Finding, Severity};
use crate::pod::manifest::ManifestFile;

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people: `FILE:LINE:COLUMN: error: FIELD: MESSAGE [REASON]`, as compilers do.
    Text,
    /// One object, for programs.
    Json,
    /// Workflow commands of GitHub, which other forges read too.
    Github,
    /// The pods as they would be; the findings are not in it.
    Yaml,
}

/// Prints all of it. `node` is the node's name, empty where it is not known.
///
/// # Errors
/// None in practice: what was read from a manifest can be printed.
pub fn render(linted: &Linted, node: &str, form: Form) -> Result<String, Failure> {
    Ok(match form {
        Form::Text => text(linted, node),
        Form::Json => format!("{:#}\n", json(linted, node)),
        Form::Github => findings(linted).map(github).collect(),
        Form::Yaml => pods(linted, node)?,
    })
}

fn findings(linted: &Linted) -> impl Iterator<Item = &Finding> {
    linted.files.iter().flat_map(|f| &f.findings)
}

/// A kubelet would take this file.
fn accepted(file: &ManifestFile) -> bool {
    file.pod.is_some() && file.findings.iter().all(|f| f.severity < Severity::Error)
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn text(linted: &Linted, node: &str) -> String {
    let mut out = String::new();
    for file in &linted.files {
        for finding in &file.findings {
            let _ = write!(out, "{}", printable(&place(finding)));
            let field = if finding.field.is_empty() { String::new() } else { format!("{}: ", finding.field) };
            let Finding { severity, reason, message, .. } = finding;
            let _ = writeln!(out, "{}: {}{} [{reason}]", word(*severity), printable(&field), printable(message));
            let hint = hint::of(finding);
            if hint::is_news(finding, &hint) {
                let _ = writeln!(out, "    hint: {}", printable(&hint));
            }
        }
        if let Some(pod) = file.pod.as_deref().filter(|_| accepted(file)) {
            let pod = outcome::Outcome::of(pod, node);
            let _ = writeln!(out, "{}: good: becomes pod {}/{}", printable(&file.origin), pod.namespace, pod.name);
        }
    }
    for path in &linted.passed_over {
        let _ = writeln!(
            out,
            "{}: not read: a kubelet reads regular files alone, and none whose name begins with a dot",
            printable(path)
        );
    }
    let _ = writeln!(out, "{}", summary(linted));
    out
}

/// `FILE:LINE:COLUMN: `, as far as they are known.
fn place(finding: &Finding) -> String {
    match (finding.line, finding.column) {
        (0, _) => format!("{}: ", finding.file),
        (line, 0) => format!("{}:{line}: ", finding.file),
        (line, column) => format!("{}:{line}:{column}: ", finding.file),
    }
}

fn summary(linted: &Linted) -> String {
    let good = linted.files.iter().filter(|f| accepted(f)).count();
    let warnings = findings(linted).filter(|f| f.severity == Severity::Warning).count();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!(
        "{}: {good} good, {} refused; {}",
        count(linted.files.len(), "file"),
        linted.files.len() - good,
        count(warnings, "warning")
    )
}

fn json(linted: &Linted, node: &str) -> Value {
    let files: Vec<Value> = linted.files.iter().map(|file| json_of(file, node)).collect();
    let errors = findings(linted).filter(|f| f.severity == Severity::Error).count();
    let warnings = findings(linted).count() - errors;
    json!({ "files": files, "passedOver": linted.passed_over, "errors": errors, "warnings": warnings })
}

fn json_of(file: &ManifestFile, node: &str) -> Value {
    let pod = file.pod.as_deref().filter(|_| accepted(file)).map(|pod| outcome::Outcome::of(pod, node));
    let findings: Vec<Value> = file
        .findings
        .iter()
        .map(|f| {
            json!({
                "severity": word(f.severity), "reason": f.reason, "line": f.line, "column": f.column,
                "field": f.field, "message": f.message, "hint": hint::of(f),
            })
        })
        .collect();
    json!({
        "file": file.origin,
        "accepted": accepted(file),
        "pod": pod.map(|p| json!({ "namespace": p.namespace, "name": p.name })),
        "findings": findings,
    })
}

/// A workflow command. Escapes: `actions/toolkit packages/core/src/command.ts`.
fn github(finding: &Finding) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut line = format!("::{} file={}", word(finding.severity), property(&finding.file));
    if finding.line > 0 {
        let _ = write!(line, ",line={},col={}", finding.line, finding.column.max(1));
    }
    let field = if finding.field.is_empty() { String::new() } else { format!("{}: ", finding.field) };
    let hint = hint::of(finding);
    let hint = if hint::is_news(finding, &hint) { format!(" ({hint})") } else { String::new() };
    let _ = writeln!(line, ",title={}::{}", finding.reason, data(&format!("{field}{}{hint}", finding.message)));
    line
}

/// The pods that would be, one document each.
fn pods(linted: &Linted, node: &str) -> Result<String, Failure> {
    let mut out = String::new();
    for manifest in linted.files.iter().filter(|f| accepted(f)).filter_map(|f| f.pod.as_deref()) {
        out.push_str(if out.is_empty() { "" } else { "---\n" });
        out.push_str(&yaml_print::print(&outcome::pod(manifest, node)?));
    }
    Ok(out)
}
