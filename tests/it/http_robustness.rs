//! Clients that are slow, silent, greedy or broken.

use std::io::{Read, Write};
use std::time::Duration;

use nodepods::serve::http::HttpOptions;
use serde_json::json;

use crate::http_client::{running, snapshot, Server};

fn quick() -> HttpOptions {
    HttpOptions {
        head_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(400),
        send_timeout: Duration::from_millis(200),
        ..HttpOptions::default()
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::new(snapshot(1, &[running(1, "default", "web", json!({}))]));
    let mut client = server.connect();
    let targets = ["/healthz", "/api/v1/pods", "/nonsense", "/version"];
    let all: String = (0..10).flat_map(|_| targets).map(|t| format!("GET {t} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    client.send(all.as_bytes());
    for _ in 0..10 {
        assert_eq!(client.answer().text(), "ok");
        assert_eq!(client.answer().json()["kind"], "PodList");
        assert_eq!(client.answer().code, 404);
        assert_eq!(client.answer().json()["major"], "1");
    }
}

#[test]
fn a_head_that_dribbles_in_is_cut_off_while_others_are_served() {
    let server = Server::with_options(snapshot(1, &[]), quick());
    let mut slow: Vec<_> = (0..40).map(|_| server.connect()).collect();
    for client in &mut slow {
        client.send(b"GET / HT");
    }
    assert_eq!(server.get("/healthz", "").text(), "ok");
    for client in &mut slow {
        assert_eq!(client.answer().status().0, 408);
        assert!(client.is_closed());
    }
}

#[test]
fn silent_connections_are_closed_and_displace_only_each_other() {
    let server = Server::with_options(snapshot(1, &[]), HttpOptions { most_connections: 16, ..quick() });
    let mut silent: Vec<_> = (0..200).map(|_| server.connect()).collect();
    assert_eq!(server.get("/healthz", "").text(), "ok");
    assert!(silent.iter_mut().all(super::http_client::Client::is_closed));
}

/// A flood of connections that say nothing costs the memory of a few hundred, and no one who speaks has to wait.
#[test]
fn ten_thousand_silent_connections() {
    const MANY: usize = 10_000;
    let files = nodepods::sys::process::raise_open_files(MANY as u64 + 2_000).unwrap();
    let many = MANY.min(usize::try_from(files).unwrap().saturating_sub(2_000));
    let server = Server::new(snapshot(1, &[running(1, "default", "web", json!({}))]));
    let mut watch = server.connect();
    watch.ask("GET", "/api/v1/pods?watch=true", "");
    assert_eq!(watch.head().code, 200);
    watch.chunk();
    let mut silent: Vec<_> = (0..many).map(|_| server.connect()).collect();
    assert_eq!(server.json("/api/v1/pods", "")["items"][0]["metadata"]["name"], "web");
    let kept = HttpOptions::default().most_connections;
    assert!(silent.iter_mut().take(many - kept).all(super::http_client::Client::is_closed));
    // The last of them are still served, and so is the watch.
    let last = silent.last_mut().unwrap();
    last.ask("GET", "/healthz", "");
    assert_eq!(last.answer().text(), "ok");
    server.publish(snapshot(2, &[running(2, "default", "web", json!({"a": "b"}))]));
    assert!(String::from_utf8(watch.chunk().unwrap()).unwrap().starts_with("{\"type\":\"MODIFIED\""));
}

#[test]
fn parameters_that_contradict_each_other() {
    let server = Server::new(snapshot(1, &[]));
    for (target, code) in [
        ("/api/v1/pods?limit=1&limit=2", 400),
        ("/api/v1/pods?limit=1&limit=1", 200),
        ("/api/v1/pods?watch=true&watch=false", 400),
        ("/api/v1/pods?limit=-9223372036854775809", 400),
        ("/api/v1/pods?resourceVersion=18446744073709551616", 400),
        ("/api/v1/pods?labelSelector=a%3Db%2Ca%3Dc", 200), // selects nothing, as an API server has it
        ("/api/v1/pods?labelSelector=%ff", 400),
        ("/api/v1/pods?fieldSelector=metadata.name", 400),
        ("/api/v1/pods?continue=x&resourceVersion=1&resourceVersionMatch=Exact", 422),
        ("/api/v1/pods?watch=1&sendInitialEvents=true", 422),
        ("/api/v1/namespaces/a/pods/b/log?sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z", 400),
        ("/api/v1/namespaces/a/pods/b/log?tailLines=-1", 400),
    ] {
        assert_eq!(server.get(target, "").code, code, "{target}");
    }
}

#[test]
fn limits_of_heads_and_bodies() {
    let server = Server::new(snapshot(1, &[]));
    let get = |fields: &str| server.get("/version", fields).status().0;
    assert_eq!(get(&format!("X: {}\r\n", "x".repeat(20_000))), 431);
    assert_eq!(get(&"X: y\r\n".repeat(70)), 431);
    assert_eq!(get("Content-Length: 1073741824\r\n"), 413);
    let mut client = server.connect();
    client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n");
    let piece = [0; 65536];
    let mut sent = 0;
    while client.0.get_mut().write_all(&piece).is_ok() {
        sent += piece.len();
        assert!(sent < 16 << 20, "a body without end is read");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let server = Server::new(snapshot(1, &[]));
    for (bytes, code) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..], 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /api/v1/pods?a=%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /api/v1/namespaces/..%2f..%2fetc/pods/x/log HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ] {
        let mut client = server.connect();
        client.send(bytes);
        assert_eq!(client.answer().status().0, code, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn an_old_client_gets_its_list_without_chunks() {
    let pods: Vec<_> = (0..300).map(|n| running(n, "a", &format!("p{n}"), json!({"x": "y".repeat(60)}))).collect();
    let server = Server::new(snapshot(300, &pods));
    let mut client = server.connect();
    client.send(b"GET /api/v1/pods HTTP/1.0\r\n\r\n");
    let head = client.head();
    assert_eq!((head.header("transfer-encoding"), head.header("connection")), (None, Some("close")));
    let mut body = Vec::new();
    client.0.read_to_end(&mut body).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["items"].as_array().unwrap().len(), 300);
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let many = |revision: u64| {
        let pod = |n| running(revision, "a", &format!("p{n}"), json!({"x": "y".repeat(63)}));
        snapshot(revision, &(0..2000).map(pod).collect::<Vec<_>>())
    };
    let server = Server::with_options(many(1), quick());
    let mut list = server.connect();
    list.ask("GET", "/api/v1/pods", "");
    let mut watch = server.connect();
    watch.ask("GET", "/api/v1/pods?watch=true", "");
    while server.http().streams() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(server.get("/healthz", "").text(), "ok");
    while server.http().streams() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn too_many_watches_are_told_to_come_back() {
    let server = Server::with_options(snapshot(1, &[]), HttpOptions { most_streams: 2, ..HttpOptions::default() });
    let mut watches: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for watch in &mut watches {
        watch.ask("GET", "/api/v1/pods?watch=true", "");
        assert_eq!(watch.head().code, 200);
    }
    let refused = server.get("/api/v1/pods?watch=true", "");
    assert_eq!((refused.status().1.as_str(), refused.header("retry-after")), ("TooManyRequests", Some("1")));
}
