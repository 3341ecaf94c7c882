//! Logs over HTTP.

use std::fs;

use nodepods::serve::http::HttpOptions;
use serde_json::{json, Value};

use crate::daemon::Scratch;
use crate::http_client::{pod, running, snapshot, Server};

fn server(scratch: &Scratch) -> Server {
    let two = json!({
        "metadata": {"name": "two", "namespace": "default", "uid": "uid-two"},
        "spec": {
            "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}],
            "initContainers": [{"name": "i", "image": "x"}],
        },
        "status": {"phase": "Pending", "containerStatuses": [{
            "name": "b", "ready": false, "restartCount": 0, "image": "x", "imageID": "",
            "state": {"waiting": {"reason": "ContainerCreating"}},
        }]},
    });
    let options = HttpOptions { log_root: scratch.path().to_path_buf(), ..HttpOptions::default() };
    let dir = scratch.path().join("default_web_uid-web/main");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("0.log"), "2024-01-02T03:04:05Z stdout F before\n").unwrap();
    let lines =
        "2024-01-02T03:04:05.5Z stdout F one\n2024-01-02T03:04:06Z stderr P tw\n2024-01-02T03:04:06Z stderr F o\n";
    fs::write(dir.join("1.log"), lines).unwrap();
    Server::with_options(snapshot(2, &[running(1, "default", "web", json!({})), pod(2, two)]), options)
}

#[test]
fn what_kubectl_logs_asks_for() {
    let scratch = Scratch::new();
    let server = server(&scratch);
    for (query, want) in [
        ("", "one\ntwo\n"),
        ("container=main", "one\ntwo\n"),
        ("previous=true", "before\n"),
        ("tailLines=2", "two\n"),
        ("tailLines=0", ""),
        ("limitBytes=5", "one\nt"),
        ("timestamps=true&limitBytes=26", "2024-01-02T03:04:05.5Z one"),
        ("sinceTime=2024-01-02T03:04:06Z", "two\n"),
        ("sinceSeconds=60", ""),
        ("stream=Stdout", "one\n"),
    ] {
        let answer = server.get(&format!("/api/v1/namespaces/default/pods/web/log?{query}"), "");
        assert_eq!(
            (answer.code, answer.text(), answer.header("content-type")),
            (200, want, Some("text/plain")),
            "{query}"
        );
    }
}

#[test]
fn logs_that_there_are_not() {
    let scratch = Scratch::new();
    let server = server(&scratch);
    for (target, code, message) in [
        ("nope/log", 404, "pods \"nope\" not found"),
        ("web/log?container=x", 400, "container x is not valid for pod web"),
        ("web/log?tailLines=-1", 400, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("web/log?tailLines=1&stream=Stderr", 400, "`tailLines` and specific `stream` are mutually exclusive for now"),
        (
            "web/log?sinceTime=2024-01-02T03:04:06Z&sinceSeconds=5",
            400,
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        (
            "two/log",
            400,
            "a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]",
        ),
        ("two/log?container=b", 400, "container \"b\" in pod \"two\" is waiting to start: ContainerCreating"),
        ("two/log?container=b&previous=1", 400, "previous terminated container \"b\" in pod \"two\" not found"),
        ("two/log?container=..%2f..%2fetc", 400, "container ../../etc is not valid for pod two"),
    ] {
        let (got, _, text) = server.get(&format!("/api/v1/namespaces/default/pods/{target}"), "").status();
        assert_eq!((got, text.as_str()), (code, message), "{target}");
    }
}

#[test]
fn a_followed_log_ends_with_its_container() {
    let scratch = Scratch::new();
    let server = server(&scratch);
    let mut client = server.connect();
    client.ask("GET", "/api/v1/namespaces/default/pods/web/log?follow=true&tailLines=2", "");
    assert_eq!(client.head().code, 200);
    assert_eq!(client.chunk().as_deref(), Some(&b"two\n"[..]));
    let file = scratch.path().join("default_web_uid-web/main/1.log");
    let mut log = fs::OpenOptions::new().append(true).open(file).unwrap();
    std::io::Write::write_all(&mut log, b"2024-01-02T03:04:07Z stdout F three\n").unwrap();
    assert_eq!(client.chunk().as_deref(), Some(&b"three\n"[..]));
    let ended = json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "uid-web"},
        "spec": {"containers": [{"name": "main", "image": "x"}]},
        "status": {"phase": "Failed", "containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 1}}}]},
    });
    server.publish(snapshot(3, &[pod(3, ended)]));
    assert_eq!(client.chunk(), None);
    client.ask("GET", "/api/v1/pods", "");
    assert_ne!(client.answer().json()["items"], Value::Null);
}
