//! Watches over HTTP.

use serde_json::{json, Value};

use crate::http_client::{running, snapshot, Client, Server, TABLE};

/// A watch, and what is left of its last chunk.
struct Watch {
    client: Client,
    lines: std::vec::IntoIter<String>,
}

impl Watch {
    fn start(server: &Server, query: &str, fields: &str) -> Self {
        let mut client = server.connect();
        client.ask("GET", &format!("/api/v1/pods?watch=true&{query}"), fields);
        let head = client.head();
        assert_eq!((head.code, head.header("transfer-encoding")), (200, Some("chunked")));
        Self { client, lines: Vec::new().into_iter() }
    }

    /// The next event; `None` at the end.
    fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(line) = self.lines.next() {
                return Some(serde_json::from_str(&line).unwrap());
            }
            let chunk = String::from_utf8(self.client.chunk()?).unwrap();
            self.lines = chunk.lines().map(str::to_owned).collect::<Vec<_>>().into_iter();
        }
    }

    /// The next event in short: its type, the pod's name and its resource version.
    fn line(&mut self) -> String {
        let event = self.next().unwrap();
        let metadata = &event["object"]["metadata"];
        let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text(&event["type"]), text(&metadata["name"]), text(&metadata["resourceVersion"]))
    }

    fn lines(&mut self, n: usize) -> Vec<String> {
        (0..n).map(|_| self.line()).collect()
    }
}

fn web(revision: u64, app: &str) -> std::sync::Arc<nodepods::store::snapshot::PodEntry> {
    running(revision, "default", "web", json!({"app": app}))
}

fn db(revision: u64) -> std::sync::Arc<nodepods::store::snapshot::PodEntry> {
    running(revision, "default", "db", json!({"app": "db"}))
}

#[test]
fn all_pods_then_changes_then_the_last_state_of_a_deleted_pod() {
    let server = Server::new(snapshot(2, &[web(1, "web"), db(2)]));
    let mut watch = Watch::start(&server, "", "");
    assert_eq!(watch.lines(2), ["ADDED db 2", "ADDED web 1"]);
    server.publish(snapshot(3, &[web(3, "web2"), db(2)]));
    let event = watch.next().unwrap();
    assert_eq!((&event["type"], &event["object"]["kind"]), (&json!("MODIFIED"), &json!("Pod")));
    server.publish(snapshot(4, &[db(2)]));
    let event = watch.next().unwrap();
    assert_eq!((&event["type"], &event["object"]["metadata"]["resourceVersion"]), (&json!("DELETED"), &json!("4")));
    assert_eq!(event["object"]["metadata"]["labels"]["app"], "web2");
    assert_eq!(event["object"]["spec"]["nodeName"], "node-1");
}

#[test]
fn a_watch_goes_on_from_a_list() {
    let server = Server::new(snapshot(2, &[web(1, "web"), db(2)]));
    let list = server.json("/api/v1/pods", "");
    assert_eq!(list["metadata"]["resourceVersion"], "2");
    server.publish(snapshot(4, &[web(3, "web"), running(4, "a", "new", json!({}))]));
    let mut watch = Watch::start(&server, "resourceVersion=2", "");
    assert_eq!(watch.lines(3), ["DELETED db 4", "ADDED new 4", "MODIFIED web 3"]);
    let mut half = Watch::start(&server, "resourceVersion=3", "");
    assert_eq!(half.lines(2), ["DELETED db 4", "ADDED new 4"]);
    let mut nothing = Watch::start(&server, "resourceVersion=4&allowWatchBookmarks=true&timeoutSeconds=1", "");
    assert_eq!((nothing.line().as_str(), nothing.next()), ("BOOKMARK - 4", None));
}

#[test]
fn a_revision_that_nobody_was_shown_is_gone() {
    let server = Server::new(snapshot(20, &[web(1, "web")]));
    let gone = server.get("/api/v1/pods?watch=true&resourceVersion=19", "");
    assert_eq!(gone.status(), (410, "Expired".into(), "too old resource version: 19 (20)".into()));
    assert_eq!(server.get("/api/v1/pods?watch=true&resourceVersion=21", "").status().0, 504);
}

#[test]
fn entering_a_selection_is_added_and_leaving_it_deleted() {
    let server = Server::new(snapshot(2, &[web(1, "other"), db(2)]));
    let mut watch = Watch::start(&server, "labelSelector=app%3Dweb", "");
    server.publish(snapshot(3, &[web(3, "web"), db(2)]));
    assert_eq!(watch.line(), "ADDED web 3");
    server.publish(snapshot(4, &[web(4, "other"), db(2)]));
    let event = watch.next().unwrap();
    assert_eq!((&event["type"], &event["object"]["metadata"]["labels"]["app"]), (&json!("DELETED"), &json!("web")));
}

#[test]
fn an_informer_is_told_when_it_has_everything() {
    let server = Server::new(snapshot(1, &[web(1, "web")]));
    let options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = Watch::start(&server, options, "");
    assert_eq!(watch.line(), "ADDED web 1");
    let mark = watch.next().unwrap();
    let want = json!({
        "kind": "Pod", "apiVersion": "v1", "spec": {"containers": null}, "status": {},
        "metadata": {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}},
    });
    assert_eq!((&mark["type"], &mark["object"]), (&json!("BOOKMARK"), &want));
    let refused = server.get("/api/v1/pods?watch=true&sendInitialEvents=true", "");
    let message = "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: \
                   sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    assert_eq!(refused.status(), (422, "Invalid".into(), message.into()));
}

#[test]
fn a_watch_of_a_table_tells_the_columns_once() {
    let server = Server::new(snapshot(2, &[web(1, "web"), db(2)]));
    let mut watch = Watch::start(&server, "", TABLE);
    let (first, second) = (watch.next().unwrap(), watch.next().unwrap());
    assert_eq!(first["object"]["columnDefinitions"].as_array().unwrap().len(), 9);
    assert_eq!(second["object"]["columnDefinitions"], Value::Null);
    assert_eq!(second["object"]["rows"][0]["cells"][0], "web");
}

#[test]
fn frames_of_protobuf() {
    use nodepods::codec::wire::{fields, Value as Wire};
    let server = Server::new(snapshot(1, &[web(1, "web")]));
    let mut client = server.connect();
    client.ask("GET", "/api/v1/pods?watch=1", "Accept: application/vnd.kubernetes.protobuf;stream=watch\r\n");
    let head = client.head();
    assert_eq!(head.header("content-type"), Some("application/vnd.kubernetes.protobuf;stream=watch"));
    let chunk = client.chunk().unwrap();
    let (length, event) = chunk.split_at(4);
    assert_eq!(u32::from_be_bytes(length.try_into().unwrap()) as usize, event.len());
    let parts: Vec<_> = fields(event).map(|f| f.unwrap().value).collect();
    let [Wire::Bytes(b"ADDED"), Wire::Bytes(raw)] = parts[..] else { panic!("{parts:?}") };
    let Some(Ok(object)) = fields(raw).next() else { panic!("no object") };
    let Wire::Bytes(object) = object.value else { panic!("no object") };
    assert!(object.starts_with(b"k8s\0") && object.ends_with(b"\x1a\0\x22\0"));
}

#[test]
fn watches_end_with_their_time_with_their_client_and_with_the_daemon() {
    let server = Server::new(snapshot(1, &[web(1, "web")]));
    let mut timed = Watch::start(&server, "timeoutSeconds=1", "");
    assert_eq!(timed.line(), "ADDED web 1");
    assert_eq!(timed.next(), None);
    timed.client.ask("GET", "/healthz", "");
    assert_eq!(timed.client.answer().text(), "ok", "the connection can be used again");
    let mut dropped = Watch::start(&server, "", "");
    assert_eq!(dropped.line(), "ADDED web 1");
    drop(dropped);
    while server.http().streams() > 0 {
        std::thread::yield_now();
    }
    let mut last = Watch::start(&server, "", "");
    assert_eq!(last.line(), "ADDED web 1");
    drop(server);
    assert_eq!(last.next(), None);
}
