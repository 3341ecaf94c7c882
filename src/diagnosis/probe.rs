//! Probes in words.

use serde_json::Value;

use super::case::{list, number, text};

/// What a probe does: `the command cat /tmp/ready`, `GET http://:8080/healthz`.
pub fn action(probe: &Value) -> String {
    if probe.get("exec").is_some() {
        let words: Vec<&str> = list(probe, "/exec/command").iter().filter_map(Value::as_str).collect();
        return format!("the command {}", words.join(" "));
    }
    if probe.get("httpGet").is_some() {
        return format!("GET {}", url(probe, text(probe, "/httpGet/host"), &port(probe, "/httpGet/port")));
    }
    if probe.get("tcpSocket").is_some() {
        return format!("a connection to port {}", port(probe, "/tcpSocket/port"));
    }
    if probe.get("grpc").is_some() {
        return format!("a gRPC health check on port {}", port(probe, "/grpc/port"));
    }
    "what it asks for".to_owned()
}

/// The port at `at`, a number or a name, as it stands there.
pub fn port(probe: &Value, at: &str) -> String {
    match probe.pointer(at) {
        Some(Value::String(name)) => name.clone(),
        Some(value) => value.to_string(),
        None => "?".to_owned(),
    }
}

/// What an `httpGet` probe asks for at this host and port.
pub fn url(probe: &Value, host: &str, port: &str) -> String {
    let scheme = text(probe, "/httpGet/scheme").to_lowercase();
    let scheme = if scheme.is_empty() { "http" } else { &scheme };
    let path = text(probe, "/httpGet/path");
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{host}:{port}{slash}{path}")
}

/// How often it may fail and how long that takes: `every 10s, 3 failures count`.
pub fn rhythm(probe: &Value) -> String {
    let or = |at: &str, default: i64| number(probe, at).filter(|n| *n > 0).unwrap_or(default);
    let (period, failures) = (or("/periodSeconds", 10), or("/failureThreshold", 3));
    let after = match or("/initialDelaySeconds", 0) {
        0 => String::new(),
        delay => format!(", after {delay}s"),
    };
    format!("every {period}s{after}, until it fails {failures} in a row")
}

/// A probe by its name in the container's spec.
pub fn of<'a>(container: &'a Value, name: &str) -> Option<&'a Value> {
    container.get(name).filter(|p| p.is_object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_in_words() {
        let table = [
            (json!({"exec": {"command": ["cat", "/tmp/ready"]}}), "the command cat /tmp/ready"),
            (json!({"httpGet": {"port": 8080, "path": "/healthz", "scheme": "HTTPS"}}), "GET https://:8080/healthz"),
            (json!({"httpGet": {"port": "web", "host": "h"}}), "GET http://h:web/"),
            (json!({"tcpSocket": {"port": 80}}), "a connection to port 80"),
            (json!({"grpc": {"port": 9}}), "a gRPC health check on port 9"),
            (json!({}), "what it asks for"),
        ];
        for (probe, want) in table {
            assert_eq!(action(&probe), want);
        }
        assert_eq!(rhythm(&json!({})), "every 10s, until it fails 3 in a row");
        let slow = json!({"periodSeconds": 1, "failureThreshold": 2, "initialDelaySeconds": 5});
        assert_eq!(rhythm(&slow), "every 1s, after 5s, until it fails 2 in a row");
    }
}
