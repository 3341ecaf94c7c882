//! Everything that is to be said of one pod, the cause before its effects.

use serde_json::Value;

use super::case::{has, number, text, Case};
use super::container;
use super::span::{ago, span};
use super::subject::Subject;
use super::{manifest, obstacle, Remark, Weight};
use crate::pod::spec::{ContainerView, PodSpecView};

/// Seconds beyond its grace period after which a pod that stops should have stopped.
const SLACK: i64 = 30;
const THE_POD: &str = "the pod";

/// All remarks about a pod. None means that it runs as it should.
#[must_use]
pub fn of_pod(case: &Case<'_>) -> Vec<Remark> {
    let mut out = findings(case);
    out.extend(decision(case));
    out.extend(deletion(case));
    let is_done = text(case.pod, "/status/phase") == "Succeeded";
    let containers = containers(case);
    let going_away = has(case.pod, "/metadata/deletionTimestamp");
    if !is_done && !going_away {
        out.extend(sandbox(case, &containers));
    }
    out.extend(
        anew(case).filter(|_| containers.iter().any(|r| r.reason == "Restarted" && r.weight == Weight::Trouble)),
    );
    out.extend(containers);
    if !is_done && !going_away {
        out.extend(not_seen(case));
        out.extend(gates(case));
    }
    if is_done && out.iter().all(|r| r.weight < Weight::Trouble) {
        out.push(Remark::fact("Succeeded", THE_POD, "has done what it should and ended".into(), case.teller()));
    }
    out
}

fn findings(case: &Case<'_>) -> Vec<Remark> {
    let (namespace, name) = (case.text("/metadata/namespace"), case.text("/metadata/name"));
    let mine = case.findings.iter().filter(|f| f.namespace == namespace && f.name == name);
    let mut out: Vec<Remark> = mine.map(manifest::of_finding).collect();
    if case.mark("manifest") == "broken" {
        let what = "is what the manifest asked for when it was last good".to_owned();
        let known = "the manifest does not parse now; a kubelet drops the pod at its next full read (20s)";
        out.push(Remark::trouble("BrokenManifest", THE_POD, what, known).advise("correct the manifest"));
    }
    out
}

/// What a kubelet decided about the pod as a whole: refused, evicted, past its deadline.
fn decision(case: &Case<'_>) -> Option<Remark> {
    let (reason, message) = (case.text("/status/reason"), case.text("/status/message"));
    if reason.is_empty() || reason == "RestartPolicyUnknown" {
        return None;
    }
    let what = match case.text("/status/phase") {
        "Failed" => format!("was refused or ended by the kubelet: {reason}"),
        _ => format!("is {reason}"),
    };
    let mut remark = Remark::trouble(reason, THE_POD, what, "the pod's status, as the kubelet wrote it");
    remark.lines = message.lines().map(str::to_owned).collect();
    remark.advice = match reason {
        "NodeAffinity" => "correct spec.nodeSelector or spec.affinity: the node lacks what they ask for",
        "Evicted" => "the node ran short of memory or disk: see the node's own lines, and give the pod requests",
        "DeadlineExceeded" => "it ran longer than spec.activeDeadlineSeconds",
        r if r.starts_with("OutOf") => "ask for less, or free the node of other pods",
        _ => "",
    }
    .to_owned();
    Some(remark)
}

fn deletion(case: &Case<'_>) -> Option<Remark> {
    let since = case.since(case.text("/metadata/deletionTimestamp"))?;
    let grace = number(case.pod, "/metadata/deletionGracePeriodSeconds")
        .or_else(|| number(case.pod, "/spec/terminationGracePeriodSeconds"))
        .unwrap_or(30);
    let known =
        if case.is_from("file") || case.is_from("cri") { "its manifest is gone" } else { "its deletionTimestamp" };
    let what = format!("was told to stop {}, and has {} for it", ago(since), span(grace));
    if since <= grace.saturating_add(SLACK) {
        return Some(Remark::fact("Terminating", THE_POD, what, known));
    }
    let what = format!("was told to stop {}, and is still there although it had {} for it", ago(since), span(grace));
    let advice = "a mount that hangs, a process in uninterruptible sleep, or no kubelet running can be why";
    Some(Remark::trouble("StuckTerminating", THE_POD, what, known).advise(advice))
}

/// The pod's sandbox, where the containers cannot start for want of one.
fn sandbox(case: &Case<'_>, containers: &[Remark]) -> Vec<Remark> {
    let begun = |list: &str| case.list(list).iter().any(|s| !text(s, "/containerID").is_empty());
    if begun("/status/containerStatuses") || begun("/status/initContainerStatuses") {
        return Vec::new();
    }
    let told = containers.iter().chain(&decision(case)).any(|r| r.weight == Weight::Trouble);
    if told || case.condition("ContainersReady").is_some_and(|c| text(c, "/reason") == "ContainersNotSeen") {
        return Vec::new();
    }
    if !obstacle::has_sandbox(case) {
        let mut out = obstacle::of_pod(case);
        let known = "the manifest asks for it, and the container runtime has no sandbox for it";
        let what = "was not begun: no sandbox was made for it".to_owned();
        let mut remark = Remark::trouble("NoSandbox", THE_POD, what, known);
        if out.iter().any(|r| r.weight == Weight::Trouble) {
            remark.weight = Weight::Fact;
            out.push(remark);
            return out;
        }
        remark.advice =
            "either no kubelet reads this manifest ('systemctl status kubelet'), or it refused the pod, or waits \
                         for its volumes or for the runtime: 'journalctl -u kubelet' says which"
                .into();
        // What may have been the reason comes first, though it cannot be told.
        out.push(remark);
        return out;
    }
    if obstacle::sandbox_is_not_ready(case) {
        let what = "has no sandbox that is ready".to_owned();
        let known = format!("{}: PodReadyToStartContainers is False", case.teller());
        let advice = "mostly the network (CNI) could not be set up for it: the runtime's log says why ('journalctl -u \
                      containerd' or crio)";
        return vec![Remark::trouble("SandboxNotReady", THE_POD, what, &known).advise(advice)];
    }
    Vec::new()
}

/// Init containers that ran again although they had ended well: the pod as a whole was started again.
fn anew(case: &Case<'_>) -> Option<Remark> {
    let again = |s: &&Value| {
        number(s, "/restartCount").is_some_and(|n| n > 0) && number(s, "/state/terminated/exitCode") == Some(0)
    };
    let init = case.list("/status/initContainerStatuses").iter().find(again)?;
    let what = "was started anew as a whole".to_owned();
    let known = format!(
        "{}: init container {} ran again, which it does only in a new sandbox",
        case.teller(),
        text(init, "/name")
    );
    let advice =
        "its sandbox was lost: its pause process was killed, the node or the runtime was restarted, or its network \
                  changed";
    Some(Remark::trouble("SandboxChanged", THE_POD, what, &known).advise(advice))
}

fn containers(case: &Case<'_>) -> Vec<Remark> {
    let null = Value::Null;
    let (metadata, spec) = (case.pod.get("metadata").unwrap_or(&null), case.pod.get("spec").unwrap_or(&null));
    let rules = PodSpecView::from_json(metadata, spec);
    let mut out = Vec::new();
    let lists: [(&str, &str, &[ContainerView]); 2] = [
        ("/spec/initContainers", "/status/initContainerStatuses", &rules.init_containers),
        ("/spec/containers", "/status/containerStatuses", &rules.containers),
    ];
    for (specs, statuses, views) in lists {
        let statuses = case.list(statuses);
        for (spec, view) in case.list(specs).iter().zip(views) {
            let status = statuses.iter().find(|s| text(s, "/name") == view.name).unwrap_or(&null);
            let comes_first = specs == "/spec/initContainers" && !view.is_sidecar();
            out.extend(container::of(&Subject { case, spec, status, comes_first, rules: &rules, view }));
        }
    }
    out
}

/// Containers that nobody can see.
fn not_seen(case: &Case<'_>) -> Option<Remark> {
    let condition = case.condition("ContainersReady")?;
    (text(condition, "/reason") == "ContainersNotSeen").then(|| {
        let what = "has containers that nobody can see now".to_owned();
        let advice = "the container runtime does not answer: see the node's own lines";
        Remark::unsure("ContainersNotSeen", THE_POD, what, "the container runtime has not answered").advise(advice)
    })
}

/// Readiness gates, which others set.
fn gates(case: &Case<'_>) -> Option<Remark> {
    let ready = case.condition("Ready")?;
    let message = text(ready, "/message").to_owned();
    match text(ready, "/reason") {
        "ReadinessGatesNotReady" => {
            let what = "waits for its readiness gates".to_owned();
            let mut remark = Remark::trouble("ReadinessGatesNotReady", THE_POD, what, "the condition Ready");
            remark.lines = vec![message];
            Some(remark.advise("the controller that sets them has not: it needs the API server"))
        }
        "ReadinessGatesUnknown" => {
            let what = "has readiness gates, which are set through the API server".to_owned();
            Some(Remark::unsure("ReadinessGatesUnknown", THE_POD, what, "the pod's spec; they cannot be seen here"))
        }
        _ => None,
    }
}
