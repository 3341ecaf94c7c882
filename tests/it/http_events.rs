//! Events of our own observations: lists, selectors, tables, watches.

use std::sync::Arc;

use nodepods::store::events::MOST;
use serde_json::{json, Value};

use crate::http_client::{running, snapshot, Client, Server, TABLE};

/// Makes the server see these pods: they have just appeared.
fn see(server: &Server, revision: u64, names: &[String]) {
    let pods: Vec<_> = names.iter().map(|name| running(revision, "default", name, json!({}))).collect();
    let now = Arc::new(snapshot(revision, &pods));
    server.events.observe(&now, 1_704_164_700); // an hour before, their containers had started
    server.store.publish(now);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn two() -> Server {
    let server = Server::new(snapshot(2, &[]));
    see(&server, 3, &[]);
    see(&server, 4, &names(&["web", "db"]));
    server
}

fn seen(list: &Value) -> Vec<(&str, &str)> {
    let text = |e: &'_ Value, path: &str| e.pointer(path).and_then(Value::as_str).unwrap().to_owned();
    let items = list["items"].as_array().unwrap();
    let pairs = items.iter().map(|e| (text(e, "/involvedObject/name"), text(e, "/reason")));
    pairs.map(|(name, reason)| (&*name.leak(), &*reason.leak())).collect()
}

#[test]
fn lists_by_pod_as_kubectl_describe_asks() {
    let server = two();
    let all = server.json("/api/v1/events", "");
    assert_eq!((all["kind"].as_str(), seen(&all).len()), (Some("EventList"), 4));
    let selector = "involvedObject.name%3Dweb,involvedObject.namespace%3Ddefault,involvedObject.uid%3Duid-web";
    let of_web = server.json(&format!("/api/v1/namespaces/default/events?fieldSelector={selector}&limit=500"), "");
    assert_eq!(seen(&of_web), [("web", "Added"), ("web", "Started")]);
    let event = &of_web["items"][1];
    assert_eq!(event["involvedObject"]["fieldPath"], "spec.containers{main}");
    assert_eq!((event["count"].as_u64(), event["type"].as_str()), (Some(1), Some("Normal")));
    assert_eq!(
        (event["lastTimestamp"].as_str(), event["source"]["host"].as_str()),
        (Some("2024-01-02T03:04:06Z"), Some("node-1"))
    );
    for (target, reasons) in [
        ("/api/v1/events?fieldSelector=reason!%3DAdded,type%3DNormal", 2),
        ("/api/v1/namespaces/other/events", 0),
        ("/api/v1/events?labelSelector=a%3Db", 0),
        ("/api/v1/events?labelSelector=a!%3Db", 4),
    ] {
        assert_eq!(seen(&server.json(target, "")).len(), reasons, "{target}");
    }
    let name = event["metadata"]["name"].as_str().unwrap();
    let one = server.json(&format!("/api/v1/namespaces/default/events/{name}"), "");
    assert_eq!((one["kind"].as_str(), &one["message"]), (Some("Event"), &event["message"]));
    assert_eq!(server.get("/api/v1/namespaces/default/events/web.0", "").status().0, 404);
    let (code, _, message) = server.get("/api/v1/events?fieldSelector=status.phase%3DRunning", "").status();
    assert_eq!((code, message.as_str()), (400, "field label not supported: status.phase"));
}

#[test]
fn a_table_has_the_columns_of_an_api_server() {
    let table = two().json("/api/v1/events", TABLE);
    let columns: Vec<_> =
        table["columnDefinitions"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let want =
        ["Last Seen", "Type", "Reason", "Object", "Subobject", "Source", "Message", "First Seen", "Count", "Name"];
    assert_eq!(columns, want);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!((cells[3].as_str(), cells[5].as_str()), (Some("pod/db"), Some("nodepods, node-1")));
}

fn next(client: &mut Client) -> (String, String, Value) {
    let line = client.chunk().expect("an event");
    let event: Value = serde_json::from_slice(&line).unwrap();
    let object = &event["object"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&event["type"]), text(&object["involvedObject"]["name"]) + "/" + &text(&object["reason"]), object.clone())
}

/// All events of a chunk, which may hold several.
fn all(client: &mut Client) -> Vec<(String, String)> {
    let chunk = client.chunk().expect("events");
    let lines = chunk.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let event: Value = serde_json::from_slice(line).unwrap();
            let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("/type"), text("/object/involvedObject/name") + "/" + &text("/object/reason"))
        })
        .collect()
}

#[test]
fn a_watch_tells_what_happens() {
    let server = two();
    let mut client = server.connect();
    client.ask(
        "GET",
        "/api/v1/events?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
        "",
    );
    assert_eq!(client.head().code, 200);
    let pair = |kind: &str, what: &str| (kind.to_owned(), what.to_owned());
    let added = |what| pair("ADDED", what);
    let first = all(&mut client);
    assert_eq!(
        first,
        [added("db/Added"), added("db/Started"), added("web/Added"), added("web/Started"), pair("BOOKMARK", "/")]
    );
    see(&server, 5, &names(&["web"]));
    let (kind, what, object) = next(&mut client);
    assert_eq!((kind.as_str(), what.as_str()), ("ADDED", "db/Removed"));
    // Another client goes on from here.
    let revision = object["metadata"]["resourceVersion"].as_str().unwrap();
    let mut later = server.connect();
    later.ask("GET", &format!("/api/v1/namespaces/default/events?watch=1&resourceVersion={revision}"), TABLE);
    assert_eq!(later.head().code, 200);
    see(&server, 6, &names(&["web", "db"]));
    assert_eq!(all(&mut client), [pair("MODIFIED", "db/Added"), pair("MODIFIED", "db/Started")]);
    let chunk = later.chunk().unwrap();
    let tables: Vec<Value> =
        chunk.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect();
    assert_eq!((tables.len(), tables[0]["type"].as_str()), (2, Some("MODIFIED")));
    assert!(tables[0]["object"]["columnDefinitions"].is_array() && tables[1]["object"]["columnDefinitions"].is_null());
    // Nobody is kept waiting for events that were pushed out.
    see(&server, 7, &(0..MOST).map(|n| format!("p{n}")).collect::<Vec<_>>());
    let answer = server.get(&format!("/api/v1/events?watch=1&resourceVersion={revision}"), "");
    assert_eq!(answer.status().1, "Expired");
    assert_eq!(server.get("/api/v1/events?watch=1&resourceVersion=99999999999", "").status().0, 504);
}
