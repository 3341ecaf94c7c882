//! What is to be said of one container.

use serde_json::Value;

use super::case::{list, number, text};
use super::exit_code;
use super::span::{ago, count, span};
use super::subject::Subject;
use super::waiting;
use super::{obstacle, probe, shell, Remark, Weight};

/// A container that has run for this long is taken to be well again: a kubelet forgets its back-off then
/// (`kubernetes/kubernetes pkg/kubelet/kubelet.go`, twice the longest back-off).
const SETTLED: i64 = 600;
/// First and longest wait before another start, in seconds (`kubernetes/kubernetes pkg/kubelet/kubelet.go`).
const BACK_OFF: (i64, i64) = (10, 300);
/// Lines of a termination message that are shown.
const MESSAGE_LINES: usize = 5;

/// All remarks about a container, the most telling first.
#[must_use]
pub fn of(subject: &Subject<'_>) -> Vec<Remark> {
    let state = |name: &str| subject.status.pointer(&format!("/state/{name}")).filter(|v| v.is_object());
    if let Some(ended) = state("terminated") {
        return of_ended(subject, ended);
    }
    if let Some(running) = state("running") {
        return of_running(subject, running);
    }
    of_waiting(subject, state("waiting").unwrap_or(&Value::Null))
}

fn of_ended(subject: &Subject<'_>, ended: &Value) -> Vec<Remark> {
    let code = number(ended, "/exitCode").unwrap_or(0);
    let again = subject.rules.restarts(subject.view, code);
    if subject.comes_first && code == 0 {
        return Vec::new(); // as it should
    }
    let mut first = how_it_ended(subject, ended);
    if subject.going_away() || (code == 0 && !again) {
        first.weight = Weight::Fact;
        return vec![first];
    }
    if code == 0 {
        first.advice =
            "a program that is meant to end wants restartPolicy OnFailure or Never; one that is meant to stay \
                        must not go to the background"
                .into();
    }
    if !again {
        first.what.push_str("; as its restartPolicy says, it is not started again");
        first.known = format!("{}, and {} for the policy", first.known, subject.case.spec_teller());
    }
    let mut out = vec![first];
    if again {
        out.push(rhythm(subject, ended));
    }
    out.extend(log(subject));
    out
}

fn of_running(subject: &Subject<'_>, running: &Value) -> Vec<Remark> {
    let (case, name) = (subject.case, subject.name());
    let for_seconds = case.since(text(running, "/startedAt"));
    let so_far = for_seconds.map_or_else(|| "runs".to_owned(), |s| format!("has run for {}", span(s)));
    let mut out = Vec::new();
    let last = subject.status.pointer("/lastState/terminated").filter(|v| v.is_object());
    if subject.restarts() > 0 || last.is_some() {
        let recent = for_seconds.is_none_or(|s| s < SETTLED) && !subject.going_away();
        let weight = if recent { Weight::Trouble } else { Weight::Fact };
        let times = count(subject.restarts(), "restart");
        let what = format!("{so_far}, after {times}");
        out.push(Remark::new(weight, "Restarted", &name, what, case.teller()));
        if let Some(last) = last {
            let mut ended = how_it_ended(subject, last);
            ended.weight = weight;
            ended.what = format!("last {}", ended.what);
            out.push(ended);
        }
        if recent {
            out.extend(log(subject));
        }
    }
    if subject.comes_first {
        let what = format!("{so_far}; what comes after it waits until it has ended");
        let remark = Remark::trouble("InitRunning", &name, what, case.teller());
        out.push(remark.advise("look at its log for what it waits for"));
        out.extend(log(subject));
    } else {
        out.extend(readiness(subject));
    }
    out
}

/// Whether it is ready, where a probe decides that.
fn readiness(subject: &Subject<'_>) -> Option<Remark> {
    let case = subject.case;
    if subject.status.get("ready") == Some(&Value::Bool(true)) || subject.going_away() {
        return None;
    }
    let unknown = case.condition("ContainersReady").is_some_and(|c| text(c, "/status") == "Unknown");
    let not_started = subject.status.get("started") != Some(&Value::Bool(true));
    let (kind, probe) = [("startupProbe", "startup probe"), ("readinessProbe", "readiness probe")]
        .into_iter()
        .filter(|(key, _)| *key != "startupProbe" || not_started)
        .find_map(|(key, words)| Some((words, probe::of(subject.spec, key)?)))?;
    let asked = format!("its {kind} is {}, {}", probe::action(probe), probe::rhythm(probe));
    let remark = if unknown {
        let what = format!("may be ready or not, only a kubelet knows: {asked}");
        Remark::unsure("ProbeResultUnknown", &subject.name(), what, case.spec_teller())
    } else {
        let what = format!("is not ready, so that probe must be failing: {asked}");
        Remark::trouble("ProbeFails", &subject.name(), what, "its readiness, and its spec")
    };
    Some(remark.advise(try_probe(subject, probe)))
}

/// How a person tries a probe by hand. The parts are a stranger's words, and the line is pasted into a shell.
fn try_probe(subject: &Subject<'_>, probe: &Value) -> String {
    let id = text(subject.status, "/containerID").rsplit('/').next().unwrap_or_default();
    let id = id.get(..13).unwrap_or(id);
    let host = |at: &str| match text(probe, at) {
        "" => subject.case.text("/status/podIP"),
        host => host,
    };
    if probe.get("exec").is_some() {
        let command = list(probe, "/exec/command").iter().filter_map(Value::as_str);
        let words: Vec<String> = std::iter::once(id).chain(command).map(shell::word).collect();
        return format!("try it: crictl exec {}", words.join(" "));
    }
    if probe.get("httpGet").is_some() {
        // Like a kubelet, it does not ask who signed the certificate.
        let options = if text(probe, "/httpGet/scheme") == "HTTPS" { "-ik" } else { "-i" };
        let host = match host("/httpGet/host") {
            ip if ip.contains(':') => format!("[{ip}]"),
            host => host.to_owned(),
        };
        let url = probe::url(probe, &host, &port(subject, probe, "/httpGet/port"));
        return format!("try it: curl {options} {}", shell::word(&url));
    }
    if probe.get("tcpSocket").is_some() {
        let (host, port) = (host("/tcpSocket/host"), port(subject, probe, "/tcpSocket/port"));
        return format!("try it: nc -zv {} {}", shell::word(host), shell::word(&port));
    }
    "try it from the node".to_owned()
}

/// The port of a probe: its number, or that of the container's port which has its name.
fn port(subject: &Subject<'_>, probe: &Value, at: &str) -> String {
    let port = probe::port(probe, at);
    let named = list(subject.spec, "/ports").iter().find(|p| text(p, "/name") == port && !port.is_empty());
    named.and_then(|p| number(p, "/containerPort")).map_or(port, |number| number.to_string())
}

fn of_waiting(subject: &Subject<'_>, waiting: &Value) -> Vec<Remark> {
    let (case, name) = (subject.case, subject.name());
    let reason = text(waiting, "/reason");
    if waiting::is_not_yet(reason) {
        return obstacle::of_container(subject);
    }
    let (what, advice) = waiting::meaning(reason).unwrap_or(("waits", ""));
    let teller = if case.is_from("kubelet") { "the kubelet" } else { "the API server" };
    let mut first = Remark::trouble(reason, &name, what.to_owned(), teller).advise(advice);
    first.lines = lines(text(waiting, "/message"));
    let mut out = vec![first];
    if let Some(last) = subject.status.pointer("/lastState/terminated").filter(|v| v.is_object()) {
        let mut ended = how_it_ended(subject, last);
        ended.what = format!("last {}", ended.what);
        out.push(ended);
        out.push(rhythm(subject, last));
        out.extend(log(subject));
    }
    out
}

/// `ended with exit code 3, 4s ago, after running for 1s`.
fn how_it_ended(subject: &Subject<'_>, ended: &Value) -> Remark {
    let case = subject.case;
    let code = number(ended, "/exitCode").unwrap_or(0);
    let reason = text(ended, "/reason");
    let meaning = exit_code::meaning(code);
    let mut what = format!("ended with exit code {code} ({})", meaning.what);
    let (mut word, mut advice) = (meaning.reason, meaning.advice.to_owned());
    match reason {
        "OOMKilled" => {
            word = "OOMKilled";
            what = format!("was killed for using more memory than it may (exit code {code}, OOMKilled)");
            advice = match text(subject.spec, "/resources/limits/memory") {
                "" => {
                    "a limit above it (of the pod or the node) was reached: give it more, or find the leak".to_owned()
                }
                limit => format!("its limit is {limit}: give it more, or find the leak"),
            };
        }
        "StartError" => {
            word = "StartError";
            what = format!("could not be started (exit code {code})");
            advice =
                "the command does not exist in the image or cannot be executed, or a mount failed: the message says \
                      which"
                    .to_owned();
        }
        "ContainerStatusUnknown" => {
            word = "ContainerStatusUnknown";
            what = "vanished: nobody knows how it ended".to_owned();
            advice = "the runtime was restarted or cleaned while it ran".to_owned();
        }
        _ => {}
    }
    if let Some(seconds) = case.since(text(ended, "/finishedAt")) {
        what.push_str(&format!(", {}", ago(seconds)));
        if let Some(ran) = case.since(text(ended, "/startedAt")) {
            what.push_str(&format!(", after {}", span(ran - seconds)));
        }
    }
    let mut known = case.teller().to_owned();
    if let Some(probe) = killed_by_probe(subject, code, reason) {
        word = "ProbeKilled";
        advice = format!("its {probe} must be failing");
        known =
            format!("{known}; that the probe did it is concluded: it has one, and was killed without using up memory");
    }
    let mut remark = Remark::trouble(word, &subject.name(), what, &known).advise(advice);
    remark.lines = lines(text(ended, "/message"));
    remark
}

/// The probe for which a kubelet must have killed it.
fn killed_by_probe(subject: &Subject<'_>, code: i64, reason: &str) -> Option<String> {
    if !matches!(code, 137 | 143) || reason == "OOMKilled" || reason == "ContainerStatusUnknown" || subject.going_away()
    {
        return None;
    }
    [("livenessProbe", "liveness probe"), ("startupProbe", "startup probe")].into_iter().find_map(|(key, words)| {
        let probe = probe::of(subject.spec, key)?;
        Some(format!("{words} ({}, {})", probe::action(probe), probe::rhythm(probe)))
    })
}

/// How often it was started and when it will be again.
fn rhythm(subject: &Subject<'_>, ended: &Value) -> Remark {
    let restarts = subject.restarts();
    let (first, most) = BACK_OFF;
    let wait = match restarts {
        ..=0 => 0,
        n => first.saturating_mul(1_i64.checked_shl(u32::try_from(n - 1).unwrap_or(31).min(30)).unwrap_or(1)).min(most),
    };
    let mut what = match restarts {
        0 => "was not started again yet".to_owned(),
        n => format!("had {} and waits for the next", count(n, "restart")),
    };
    if let Some(left) = subject.case.since(text(ended, "/finishedAt")).map(|since| wait - since) {
        match left {
            1.. => what.push_str(&format!(", in {}", span(left))),
            _ if wait == 0 => {}
            _ => what.push_str(", which is due"),
        }
    }
    let known = "the restart count, and a kubelet's back-off of 10s, 20s, 40s and so on up to 5m";
    Remark::fact("Restarts", &subject.name(), what, known)
}

/// The end of its log.
fn log(subject: &Subject<'_>) -> Option<Remark> {
    let tail = subject.case.looked_up.logs.iter().find(|l| l.container == subject.view.name)?;
    let name = subject.name();
    if !tail.error.is_empty() {
        let what = format!("has a log that cannot be read: {}", tail.error);
        return Some(Remark::fact("Log", &name, what, &tail.path));
    }
    if tail.lines.is_empty() {
        return Some(Remark::fact("Log", &name, "wrote nothing to its log".to_owned(), &tail.path));
    }
    let mut remark = Remark::fact("Log", &name, "wrote at last:".to_owned(), &tail.path);
    remark.lines.clone_from(&tail.lines);
    Some(remark)
}

/// The last lines of a message.
fn lines(message: &str) -> Vec<String> {
    let all: Vec<&str> = message.lines().filter(|l| !l.trim().is_empty()).collect();
    let from = all.len().saturating_sub(MESSAGE_LINES);
    all.into_iter().skip(from).map(str::to_owned).collect()
}
