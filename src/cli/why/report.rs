//! The answer for people and for programs.

use serde_json::{json, Value};

use super::answer::{AboutPod, Answer};
use crate::cli::paragraph::wrap;
use crate::cli::printable::printable;
use crate::diagnosis::{self, count, worst, NodeFacts, Remark, Weight};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Where the words of a remark begin.
const INDENT: usize = 2;
/// Where what belongs to it begins.
const DETAIL: usize = 4;

/// What stands in front of a command in an advice.
const TRY: &str = "try it: ";

/// For people.
#[must_use]
pub fn text(answer: &Answer) -> String {
    let mut out = String::new();
    let node: Vec<_> = answer.node.iter().filter(|r| !answer.named || r.weight == Weight::Trouble).collect();
    // What is wrong with the node may be what is wrong with its pods, and how far these can be seen.
    let node_first = node.iter().any(|r| r.weight == Weight::Trouble);
    if node_first {
        section(&mut out, "The node", node.iter().copied());
    }
    if answer.named {
        answer.pods.iter().for_each(|pod| about_pod(&mut out, pod, Weight::Fact));
    } else {
        let wrong: Vec<_> = answer.pods.iter().filter(|p| worst(&p.remarks) == Weight::Trouble).collect();
        if !wrong.is_empty() {
            let all = answer.pods.len();
            let are = if wrong.len() == 1 { "is not as it should be" } else { "are not as they should be" };
            out.push_str(&format!("{} of {} {are}.\n\n", wrong.len(), count(all as i64, "pod")));
        }
        wrong.into_iter().for_each(|pod| about_pod(&mut out, pod, Weight::Unsure));
    }
    section(&mut out, "Manifests", answer.manifests.iter());
    section(&mut out, "Manifests that are taken with a loss", answer.losses.iter());
    if !node_first {
        section(&mut out, "The node", node.iter().copied());
    }
    if !answer.named {
        unsure(&mut out, answer);
    }
    ending(&mut out, answer);
    out.truncate(out.trim_end().len());
    match out.as_str() {
        "" => out, // what was asked for does not exist
        _ => out + "\n",
    }
}

/// What is wrong with the node, where pods cannot be asked for.
#[must_use]
pub fn node_alone(facts: &NodeFacts, now: i64) -> String {
    let mut out = String::new();
    section(&mut out, "The node", diagnosis::of_node(facts, now).iter());
    out
}

fn ending(out: &mut String, answer: &Answer) {
    if answer.named {
        return;
    }
    if out.is_empty() {
        let n = answer.pods.len();
        let pods = if n == 1 { "The one pod".to_owned() } else { format!("All {n} pods") };
        out.push_str(&format!("{pods} and the node are as they should be.\n"));
    } else if answer.pods.iter().any(|p| worst(&p.remarks) == Weight::Trouble) {
        out.push_str("'nodepods why NAME' says more about one of them, with the end of its log.\n");
    }
}

/// Pods of which nothing is wrong as far as can be seen, which is not all.
fn unsure(out: &mut String, answer: &Answer) {
    let is_unsure = |pod: &&AboutPod| worst(&pod.remarks) == Weight::Unsure;
    let names: Vec<_> =
        answer.pods.iter().filter(is_unsure).map(|p| format!("{}/{}", p.columns.namespace, p.columns.name)).collect();
    if !names.is_empty() {
        let sentence =
            "Whether these are as they should be cannot be told from here; 'nodepods why NAME' says what to try:";
        wrap(out, &clean(&format!("{sentence} {}.", names.join(", "))), 0, WIDTH);
        out.push('\n');
    }
}

fn about_pod(out: &mut String, pod: &AboutPod, from: Weight) {
    let c = &pod.columns;
    out.push_str(&clean(&format!("{}/{}: {}, {} ready", c.namespace, c.name, c.status, c.ready)));
    if c.restarts != "0" {
        out.push_str(&format!(", restarts {}", c.restarts));
    }
    out.push('\n');
    let told: Vec<_> = pod.remarks.iter().filter(|r| r.weight >= from).collect();
    match worst(&pod.remarks) {
        _ if pod.remarks.is_empty() => out.push_str("- runs as it should, as far as can be seen\n"),
        Weight::Fact if from == Weight::Fact => out.push_str("- nothing is wrong with it now\n"),
        _ => {}
    }
    told.iter().for_each(|r| remark(out, r));
    out.push('\n');
}

fn section<'a>(out: &mut String, title: &str, remarks: impl Iterator<Item = &'a Remark>) {
    let remarks: Vec<_> = remarks.collect();
    if remarks.is_empty() {
        return;
    }
    out.push_str(&format!("{title}:\n"));
    remarks.into_iter().for_each(|r| remark(out, r));
    out.push('\n');
}

fn remark(out: &mut String, remark: &Remark) {
    let sign = match remark.weight {
        Weight::Trouble => "! ",
        Weight::Unsure => "? ",
        Weight::Fact => "- ",
    };
    out.push_str(sign);
    wrap(out, &clean(&remark.headline()), INDENT, WIDTH);
    for line in &remark.lines {
        out.push_str(&format!("    | {}\n", clean(line)));
    }
    detail(out, "to do: ", &remark.advice);
    detail(out, "known from: ", &remark.known);
}

fn detail(out: &mut String, label: &str, text: &str) {
    if text.starts_with(TRY) {
        // It is copied into a shell, where what stands in a second line would be a command of its own.
        out.push_str(&format!("{}{}\n", " ".repeat(DETAIL), clean(&format!("{label}{text}"))));
    } else if !text.is_empty() {
        out.push_str(&" ".repeat(DETAIL));
        wrap(out, &clean(&format!("{label}{text}")), DETAIL, WIDTH);
    }
}

/// Logs and messages come from containers; a terminal must not obey them.
fn clean(text: &str) -> String {
    text.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

/// For programs: everything, whatever it weighs.
#[must_use]
pub fn json(answer: &Answer) -> String {
    let pods: Vec<Value> = answer
        .pods
        .iter()
        .map(|pod| {
            json!({
                "namespace": pod.columns.namespace, "name": pod.columns.name, "uid": pod.uid,
                "status": pod.columns.status, "ready": pod.columns.ready, "restarts": pod.columns.restarts,
                "verdict": verdict(&pod.remarks), "remarks": remarks(&pod.remarks),
            })
        })
        .collect();
    let value = json!({
        "pods": pods, "manifests": remarks(&answer.manifests),
        "losses": remarks(&answer.losses), "node": remarks(&answer.node),
        "trouble": answer.has_trouble(),
    });
    format!("{value:#}\n")
}

fn verdict(remarks: &[Remark]) -> &'static str {
    match worst(remarks) {
        Weight::Fact => "ok",
        weight => weight.word(),
    }
}

fn remarks(remarks: &[Remark]) -> Vec<Value> {
    let value = |r: &Remark| {
        json!({
            "weight": r.weight.word(), "reason": r.reason, "about": r.about, "what": r.what, "known": r.known,
            "advice": r.advice, "lines": r.lines,
        })
    };
    remarks.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_to_try_stays_in_one_line() {
        let told = |advice: &str| {
            let mut out = String::new();
            detail(&mut out, "to do: ", advice);
            out
        };
        let long = format!("crictl exec 0123456789abc '/bin/{}  x' reboot\n", "x".repeat(60));
        assert_eq!(told(&format!("try it: {long}")), format!("    to do: try it: {}\u{fffd}\n", long.trim_end()));
        assert!(told(&long.repeat(2)).lines().count() > 1, "other advice is wrapped");
        assert_eq!(told(""), "");
    }
}
