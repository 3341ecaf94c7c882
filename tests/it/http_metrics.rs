//! Metrics over HTTP: on the socket, and on a port that tells nothing else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use nodepods::serve::http::HttpOptions;
use nodepods::serve::tcp::TcpAcceptor;
use serde_json::json;

use crate::http_client::{running, snapshot, Server};

#[test]
fn metrics_in_the_text_format() {
    let server = Server::new(snapshot(7, &[running(1, "default", "web", json!({}))]));
    let answer = server.get("/metrics", "");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in ["nodepods_pods{phase=\"Running\"} 1", "nodepods_connections 3", "nodepods_snapshot_revision 7"] {
        assert!(answer.text().lines().any(|l| l == line), "{line}: {}", answer.text());
    }
}

#[test]
fn requests_are_counted_by_path_and_code() {
    let server = Server::new(snapshot(7, &[running(1, "default", "web", json!({}))]));
    for path in ["/api/v1/pods", "/api/v1/namespaces/default/pods", "/api/v1/namespaces/other/pods", "/x/1", "/x/2"] {
        server.get(path, "");
    }
    server.get("/api/v1/namespaces/default/pods/nobody", "");
    let mut client = server.connect();
    client.send(b"rubbish\r\n\r\n");
    assert_eq!(client.answer().code, 400);
    let text = server.get("/metrics", "").text().to_owned();
    let mut counted: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("nodepods_http_requests_total")).collect();
    counted.sort_unstable();
    assert_eq!(
        counted,
        [
            "{path=\"/api/v1/namespaces/{namespace}/pods\",code=\"200\"} 2",
            "{path=\"/api/v1/namespaces/{namespace}/pods/{name}\",code=\"404\"} 1",
            "{path=\"/api/v1/pods\",code=\"200\"} 1",
            "{path=\"other\",code=\"400\"} 1",
            "{path=\"other\",code=\"404\"} 2",
        ]
    );
}

#[test]
fn the_port_for_metrics_tells_nothing_about_pods() {
    let server = Server::with_options(snapshot(7, &[running(1, "default", "web", json!({}))]), HttpOptions::figures());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _acceptor = TcpAcceptor::start("test", listener, server.http().tcp_entrance()).unwrap();
    let ask = |target: &str, fields: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let host = "Host: 127.0.0.1:9187\r\n";
    assert!(ask("/metrics", host).contains("\nnodepods_pods{phase=\"Running\"} 1\n"));
    assert!(ask("/metrics", "Host: node-1\r\n").starts_with("HTTP/1.1 200 "));
    assert!(ask("/readyz?verbose", host).contains("[+]pods ok"));
    for path in ["/", "/api", "/api/v1", "/api/v1/pods", "/pods", "/runningpods/", "/version", "/metrics/x"] {
        let answer = ask(path, host);
        assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("web"), "{path}: {answer}");
    }
    for fields in ["Host: evil.example\r\n", "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n"] {
        assert!(ask("/metrics", fields).starts_with("HTTP/1.1 403 "), "{fields}");
    }
}
