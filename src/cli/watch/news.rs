//! What has changed between two states of a pod, in words.

use serde_json::Value;

/// A line for a person: what matters most comes first. Both are pods as JSON.
pub fn between(before: &Value, pod: &Value) -> String {
    let mut news = Vec::new();
    changed(&mut news, "", before.pointer("/status/phase"), pod.pointer("/status/phase"));
    if before.pointer("/metadata/deletionTimestamp").is_none() && pod.pointer("/metadata/deletionTimestamp").is_some() {
        news.push("is being deleted".to_string());
    }
    for list in ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"] {
        for status in named(pod, list) {
            let name = text(status, "/name");
            let old = named(before, list).into_iter().find(|old| text(old, "/name") == name);
            container(&mut news, name, old, status);
        }
    }
    for condition in named(pod, "conditions") {
        let kind = text(condition, "/type");
        let old = named(before, "conditions").into_iter().find(|old| text(old, "/type") == kind);
        let status = |c: Option<&Value>| c.map_or_else(String::new, |c| text(c, "/status").to_string());
        if status(old) != status(Some(condition)) {
            news.push(format!("{kind}={}", status(Some(condition))));
        }
    }
    changed(&mut news, "IP ", before.pointer("/status/podIP"), pod.pointer("/status/podIP"));
    for (what, path) in [("labels", "/metadata/labels"), ("annotations", "/metadata/annotations"), ("spec", "/spec")] {
        if before.pointer(path) != pod.pointer(path) {
            news.push(format!("{what} changed"));
        }
    }
    if news.is_empty() {
        news.push("details of the status changed".into());
    }
    news.join(", ")
}

fn changed(news: &mut Vec<String>, what: &str, before: Option<&Value>, now: Option<&Value>) {
    let [before, now] = [before, now].map(|v| v.and_then(Value::as_str).unwrap_or("none"));
    if before != now {
        news.push(format!("{what}{before} -> {now}"));
    }
}

fn named<'a>(pod: &'a Value, list: &str) -> Vec<&'a Value> {
    let list = pod.get("status").and_then(|status| status.get(list)).and_then(Value::as_array);
    list.into_iter().flatten().collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn container(news: &mut Vec<String>, name: &str, before: Option<&Value>, now: &Value) {
    let restarts =
        |status: Option<&Value>| status.and_then(|s| s.get("restartCount")).and_then(Value::as_i64).unwrap_or(0);
    let before_restarts = restarts(before);
    if restarts(Some(now)) > before_restarts {
        let end = now.pointer("/lastState/terminated").map_or_else(String::new, |end| format!(" after {}", ended(end)));
        news.push(format!("{name} restarted{end} ({} times)", restarts(Some(now))));
    }
    let was = before.map_or_else(String::new, state);
    let is = state(now);
    if was != is && !is.is_empty() {
        news.push(format!("{name} {is}"));
    }
    let ready = |status: &Value| status.get("ready").and_then(Value::as_bool).unwrap_or(false);
    match (before.is_some_and(ready), ready(now)) {
        (false, true) => news.push(format!("{name} ready")),
        (true, false) => news.push(format!("{name} not ready")),
        _ => {}
    }
}

/// `running`, `waiting: REASON` or how it ended.
fn state(status: &Value) -> String {
    if status.pointer("/state/running").is_some() {
        return "running".into();
    }
    match status.pointer("/state/terminated") {
        Some(end) => ended(end),
        None => match text(status, "/state/waiting/reason") {
            "" => String::new(),
            reason => format!("waiting: {reason}"),
        },
    }
}

fn ended(end: &Value) -> String {
    let code = end.get("exitCode").and_then(Value::as_i64).unwrap_or(0);
    match text(end, "/reason") {
        "" => format!("exit {code}"),
        reason => format!("exit {code} ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_person_wants_to_know() {
        let running = json!({
            "metadata": {"labels": {"a": "b"}},
            "status": {
                "phase": "Running", "podIP": "10.0.0.1",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "state": {"running": {}}}]
            }
        });
        let with = |pointer: &str, value: Value| {
            let mut pod = running.clone();
            *pod.pointer_mut(pointer).unwrap() = value;
            pod
        };
        let crashed = with(
            "/status/containerStatuses/0",
            json!({
                "name": "main", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 3, "reason": "Error"}}
            }),
        );
        assert_eq!(between(&running, &crashed), "main exit 3 (Error), main not ready");
        let again = with(
            "/status/containerStatuses/0",
            json!({
                "name": "main", "ready": true, "restartCount": 1, "state": {"running": {}},
                "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}
            }),
        );
        assert_eq!(
            between(&crashed, &again),
            "main restarted after exit 3 (Error) (1 times), main running, main ready"
        );
        assert_eq!(between(&running, &with("/status/phase", json!("Failed"))), "Running -> Failed");
        assert_eq!(between(&running, &with("/status/conditions/0/status", json!("False"))), "Ready=False");
        assert_eq!(between(&running, &with("/metadata/labels", json!({}))), "labels changed");
        assert_eq!(between(&running, &with("/status/podIP", json!("10.0.0.2"))), "IP 10.0.0.1 -> 10.0.0.2");
        assert_eq!(between(&running, &running), "details of the status changed");
    }
}
