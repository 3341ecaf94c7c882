//! Connections on which nothing happens: the dead ones are closed, the quiet ones are not.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nodepods::proto::pods_v1alpha1::EventType;
use nodepods::serve::grpc::GrpcOptions;

use crate::client::PodsClient;
use crate::daemon::{eventually, pod, Daemon};

/// What an HTTP/2 client says first: the fixed text and an empty SETTINGS frame.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Reads until the other end closes.
fn read_to_end(mut stream: &UnixStream) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

#[test]
fn who_gives_no_sign_of_life_is_dropped_and_a_quiet_watch_is_not() {
    let short = Duration::from_millis(40);
    // The stopped client gets no second look: the time for its sign of life is the time for a message.
    let options = GrpcOptions {
        ping_after: short,
        watch_send_timeout: Duration::from_secs(2),
        idle_timeout: short,
        ..GrpcOptions::default()
    };
    let daemon = Daemon::with(&options);
    let a = pod("a", 1, 10);
    daemon.publish(&[&a]);
    let client = PodsClient::connect(&daemon.socket);
    let mut quiet = client.watch();
    quiet.expect(EventType::ADDED);
    quiet.expect(EventType::INITIAL_SYNC_COMPLETE);
    // As a client that was stopped in the middle of a watch: it has begun a stream and answers nothing any more.
    let mut stopped = UnixStream::connect(&daemon.socket).unwrap();
    stopped.write_all(HELLO).unwrap();
    stopped.write_all(&headers("/grpc.health.v1.Health/Watch")).unwrap();
    eventually("the stopped client watches", || daemon.grpc.load() == (2, 2));
    read_to_end(&stopped);
    eventually("its stream ends", || daemon.grpc.load() == (1, 1));
    // All the while the quiet watch was asked for signs of life, and gave them.
    daemon.publish(&[&a, &pod("b", 2, 10)]);
    quiet.expect(EventType::ADDED);
}

#[test]
fn a_connection_without_calls_is_closed_and_comes_back_when_it_is_needed() {
    let options = GrpcOptions { idle_timeout: Duration::from_millis(40), ..GrpcOptions::default() };
    let daemon = Daemon::with(&options);
    daemon.publish(&[]);
    let (idle, watching) = (PodsClient::connect(&daemon.socket), PodsClient::connect(&daemon.socket));
    let mut quiet = watching.watch();
    quiet.expect(EventType::INITIAL_SYNC_COMPLETE);
    idle.list().unwrap();
    let silent = UnixStream::connect(&daemon.socket).unwrap();
    (&silent).write_all(HELLO).unwrap();
    read_to_end(&silent);
    eventually("the idle connection is closed", || daemon.grpc.load() == (1, 1));
    idle.list().unwrap();
    daemon.publish(&[&pod("a", 1, 10)]);
    quiet.expect(EventType::ADDED);
}

/// A HEADERS frame that begins a call, with literal header fields (RFC 7541, section 6.2.2), and its empty request.
fn headers(path: &str) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ];
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let frame = |kind: u8, flags: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, 1], payload].concat()
    };
    // END_HEADERS; then DATA with END_STREAM: no compression, no bytes.
    [frame(1, 4, &block), frame(0, 1, &[0; 5])].concat()
}
