//! The pod query and export: over HTTP by hand, over gRPC with messages that somebody else encoded.

use std::sync::Arc;

use nodepods::codec::time::Time;
use nodepods::codec::wire::{self, Value as Wire};
use nodepods::pod::instance::{End, Instance};
use nodepods::store::snapshot::Snapshot;
use serde_json::{json, Value};

use crate::http_client::{running, snapshot, Server};

fn three() -> Snapshot {
    let pods = [
        running(10, "default", "web", json!({"app": "web"})),
        running(20, "default", "db", json!({"app": "db"})),
        running(30, "kube-system", "proxy", json!({"app": "proxy", "tier": "node"})),
    ];
    let end = End { finished: Some(Time::from_unix(1_704_164_640)), exit_code: 137, reason: "OOMKilled".into() };
    let ended =
        Instance { container: "main".into(), id: "containerd://old".into(), end: Some(end), ..Default::default() };
    let ended = Arc::new([("uid-web".to_owned(), vec![ended].into())].into());
    Snapshot { ended, ..snapshot(30, &pods) }
}

/// The names on the lines of an export.
fn exported(server: &Server, parameters: &str) -> Vec<String> {
    let answer = server.get(&format!("/v1/export/pods{parameters}"), "");
    assert_eq!(answer.code, 200, "{parameters}: {}", answer.text());
    let name = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["result"]["pod"]["name"].as_str().unwrap().to_owned()
    };
    answer.text().lines().map(name).collect()
}

#[test]
fn an_export_has_a_line_for_each_pod_that_the_query_selects() {
    let server = Server::new(three());
    assert_eq!(exported(&server, ""), ["db", "proxy", "web"]);
    for (query, want) in [
        ("Namespace:default", &["db", "web"][..]),
        ("Namespace:default%2BPod%20Label:app=web", &["web"]),
        ("Namespace:default+Pod+Label:app=web", &["web"]), // a plus that was not escaped
        ("Pod%20Name:!r/%5Ed", &["proxy", "web"]),
        ("Pod%20Label:tier,%22app%22=db", &["db", "proxy"]),
        ("Namespace:none", &[]),
    ] {
        assert_eq!(exported(&server, &format!("?query={query}&timeout=60&unknown=1")), want, "{query}");
    }
    let whole = server.get("/v1/export/pods?query=Pod%20Name:web", "");
    let line: Value = serde_json::from_str(whole.text()).unwrap();
    let ended = &line["result"]["pod"]["terminatedInstances"][0]["instances"][0];
    assert_eq!((&ended["exitCode"], &ended["instanceId"]["id"]), (&json!(137), &json!("old")));
    assert_eq!(ended["finished"], "2024-01-02T03:04:00Z");
}

#[test]
fn a_poller_is_told_when_nothing_has_changed() {
    let server = Server::new(three());
    for target in ["/v1/pods", "/v1/pods?pagination.limit=1", "/v1/export/pods", "/v1/export/pods?query=Namespace:a"] {
        let first = server.get(target, "");
        let tag = first.header("etag").unwrap().to_owned();
        let known = format!("If-None-Match: {tag}\r\n");
        let again = server.get(target, &known);
        assert_eq!((again.code, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())), "{target}");
        assert_eq!(
            server.get(&format!("{target}{}x=y", if target.contains('?') { '&' } else { '?' }), &known).code,
            200,
            "another question"
        );
    }
    let tag = server.get("/v1/export/pods", "").header("etag").unwrap().to_owned();
    server.publish(snapshot(31, &[running(31, "default", "new", json!({}))]));
    let changed = server.get("/v1/export/pods", &format!("If-None-Match: {tag}\r\n"));
    assert!(changed.code == 200 && changed.text().contains("\"new\""), "{}", changed.text());
    assert_eq!(server.get("/v1/pods?query=Nmespace:x", "If-None-Match: *\r\n").code, 400);
}

#[test]
fn parameters_that_cannot_be_read_end_no_connection() {
    let server = Server::new(three());
    let mut client = server.connect();
    for (parameters, problem) in [
        ("query=%ff", "the request cannot be read: \"%ff\": not UTF-8"),
        ("query=a%00b", "the request cannot be read: \"a%00b\": control characters"),
        ("timeout=1&timeout=2", "the request cannot be read: parameter timeout was given twice, as \"1\" and as \"2\""),
        ("query=Pod%20Name:%", "the request cannot be read: \"Pod%20Name:%\": a percent sign needs two hex digits"),
    ] {
        client.ask("GET", &format!("/v1/pods?{parameters}"), "");
        let answer = client.answer();
        let want = json!({"code": 3, "message": problem, "details": [], "error": problem});
        assert_eq!((answer.code, answer.json()), (400, want), "{parameters}");
        client.ask("GET", &format!("/v1/export/pods?{parameters}"), "");
        let answer = client.answer();
        assert_eq!((answer.code, &answer.json()["error"]["message"]), (400, &json!(problem)), "{parameters}");
        client.ask("GET", &format!("/api/v1/pods?{parameters}"), "");
        assert_eq!(client.answer().status().0, 400, "{parameters}");
    }
    client.ask("GET", "/healthz?a=1&a=2", "");
    assert_eq!(client.answer().code, 400);
}

#[test]
fn a_page_of_pods() {
    let server = Server::new(three());
    let names = |parameters: &str| -> Vec<String> {
        let page = server.json(&format!("/v1/pods{parameters}"), "");
        page["pods"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(""), ["db", "proxy", "web"]);
    assert_eq!(names("?pagination.limit=1&pagination.offset=1"), ["proxy"]);
    assert_eq!(
        names("?pagination.sortOption.field=Pod%20Name&pagination.sortOption.reversed=true"),
        ["web", "proxy", "db"]
    );
    assert_eq!(names("?pagination.sort_option.field=namespace&query=Pod%20Name:db,proxy"), ["db", "proxy"]);
    assert_eq!(names("?query=Namespace:none"), [""; 0]);
    let pretty = server.get("/v1/pods?pretty&pagination.limit=1", "");
    let pretty = pretty.text();
    assert!(pretty.starts_with("{\n  \"pods\": [\n    {\n      \"id\": "), "{pretty}");
}

#[test]
fn refusals_look_as_a_gateway_makes_them() {
    let server = Server::new(three());
    for (target, http, code) in [
        ("/v1/pods?query=Nmespace:x", 400, 3),
        ("/v1/pods?pagination.limit=-1", 400, 3),
        ("/v1/pods?pagination.limit=99999999999", 400, 3),
        ("/v1/pods?pagination.sortOption.reversed=maybe", 400, 3),
        ("/v1/pods?pagination.sortOption.field=Pod%20Label", 400, 3),
        ("/v1/pods?pagination.sortOption.aggregateBy.aggrFunc=MAX", 400, 3),
        ("/v1/pods/x", 404, 5),
        ("/v1", 404, 5),
    ] {
        let answer = server.get(target, "");
        let body = answer.json();
        assert_eq!((answer.code, &body["code"]), (http, &json!(code)), "{target}: {body}");
        assert_eq!((&body["error"], &body["details"]), (&body["message"], &json!([])), "{target}");
    }
    for bad in ["?query=Nmespace:x", "?timeout=-1", "?timeout=1.5", "?query=Pod%20Name:r/("] {
        let answer = server.get(&format!("/v1/export/pods{bad}"), "");
        let error = &answer.json()["error"];
        assert_eq!((answer.code, &error["code"], &error["grpcCode"]), (400, &json!(3), &json!(3)), "{bad}: {error}");
        assert_eq!((&error["httpCode"], &error["httpStatus"]), (&json!(400), &json!("Bad Request")));
    }
    let mut client = server.connect();
    client.ask("POST", "/v1/pods", "");
    assert_eq!(client.answer().code, 501);
    // A name outside /v1 is answered as Kubernetes does.
    assert_eq!(server.get("/v2/pods", "").status().1, "NotFound");
}

#[test]
fn nothing_is_exported_before_the_node_is_known() {
    let server = Server::new(Snapshot::empty(1));
    let answer = server.get("/v1/export/pods", "");
    assert_eq!((answer.code, &answer.json()["error"]["code"]), (503, &json!(14)));
    assert_eq!(server.get("/v1/pods", "").code, 503);
    server.publish(three());
    assert_eq!(exported(&server, "").len(), 3);
}

mod grpc {
    use super::*;
    use crate::client::PodsClient;
    use crate::daemon::{eventually, pod, Daemon};
    use grpcio::RpcStatusCode;
    use nodepods::proto::pods_v1alpha1::EventType;
    use nodepods::query::wire as pod_wire;
    use nodepods::serve::grpc::GrpcOptions;

    fn query(text: &str, limit: u64) -> Vec<u8> {
        let (mut out, mut page) = (Vec::new(), Vec::new());
        wire::put_number(&mut page, 1, limit);
        wire::put_bytes(&mut out, 1, text.as_bytes());
        wire::put_bytes(&mut out, 2, &page);
        out
    }

    fn export(text: &str, timeout: i64) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_number(&mut out, 1, timeout as u64);
        wire::put_bytes(&mut out, 2, text.as_bytes());
        out
    }

    /// The names of the pods in field 1.
    fn names(message: &[u8]) -> Vec<String> {
        let pods = wire::fields(message).map(Result::unwrap).filter(|f| f.number == 1);
        let name = |value| match value {
            Wire::Bytes(pod) => pod_wire::decode(pod).unwrap().name,
            other => panic!("{other:?}"),
        };
        pods.map(|f| name(f.value)).collect()
    }

    #[test]
    fn pods_are_queried_and_exported() {
        let daemon = Daemon::start();
        let client = PodsClient::connect(&daemon.socket);
        let not_yet = client.get_pods(&query("", 0)).unwrap_err();
        assert_eq!(not_yet.0, RpcStatusCode::FAILED_PRECONDITION);
        let all: Vec<_> = (0..100).map(|n| pod(&format!("u{n:02}"), n, 10)).collect();
        daemon.publish(&all.iter().collect::<Vec<_>>());
        assert_eq!(names(&client.get_pods(&query("Pod Name:pod-u1", 3)).unwrap()), ["pod-u10", "pod-u11", "pod-u12"]);
        let (messages, end) = client.export_pods(&export("Pod Name:!\"pod-u00\"", 60));
        assert_eq!(end, None);
        assert_eq!(messages.len(), 99);
        assert!(messages.iter().all(|message| names(message).len() == 1));
        assert_eq!(client.export_pods(&export("Namespace:none", 0)), (vec![], None));
    }

    /// Its regular expressions keep nobody waiting who asks for something else.
    #[test]
    fn a_query_has_the_thread_of_a_stream() {
        let daemon = Daemon::with(&GrpcOptions { max_watchers: 1, ..GrpcOptions::default() });
        daemon.publish(&[]);
        let client = PodsClient::connect(&daemon.socket);
        let mut watch = client.watch();
        watch.expect(EventType::INITIAL_SYNC_COMPLETE);
        assert_eq!(client.get_pods(&query("Pod Name:r/.*", 0)).unwrap_err().0, RpcStatusCode::RESOURCE_EXHAUSTED);
        watch.cancel();
        eventually("the place is free again", || daemon.grpc.load().1 == 0);
        assert_eq!(client.get_pods(&query("Pod Name:r/.*", 0)), Ok(vec![]));
    }

    #[test]
    fn what_makes_no_sense_is_an_invalid_argument() {
        let daemon = Daemon::start();
        daemon.publish(&[]);
        let client = PodsClient::connect(&daemon.socket);
        for (request, what) in [
            (query("Nmespace:x", 0), "unknown label"),
            (query("", u64::MAX), "pagination.limit"),
            (b"\x0a\x05x".to_vec(), "cut off"),
            (b"\x0a\x01\xff".to_vec(), "not UTF-8"),
        ] {
            let (code, message) = client.get_pods(&request).unwrap_err();
            assert_eq!(code, RpcStatusCode::INVALID_ARGUMENT);
            assert!(message.contains(what), "{message}");
        }
        for (request, what) in [(export("x", 0), "no colon"), (export("", -1), "timeout")] {
            let (messages, end) = client.export_pods(&request);
            let (code, message) = end.unwrap();
            assert_eq!((messages.len(), code), (0, RpcStatusCode::INVALID_ARGUMENT));
            assert!(message.contains(what), "{message}");
        }
    }
}
