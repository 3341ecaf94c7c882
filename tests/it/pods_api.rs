//! Both Pods services and health, as a client sees them.

use grpcio::RpcStatusCode;
use nodepods::proto::pods_v1alpha1::EventType;
use nodepods::serve::grpc::GrpcOptions;
use nodepods::store::snapshot::Snapshot;
use std::time::Duration;

use crate::client::PodsClient;
use crate::daemon::{eventually, pod, Daemon};

#[test]
fn nothing_is_answered_before_the_node_is_known() {
    let daemon = Daemon::start();
    let client = PodsClient::connect(&daemon.socket);
    let refused = (RpcStatusCode::FAILED_PRECONDITION, "nodepods is initializing".to_string());
    assert_eq!(client.list().unwrap_err(), refused);
    assert_eq!(client.list_documented().unwrap_err(), refused);
    assert_eq!(client.get("a").unwrap_err(), refused);
    assert_eq!(client.watch().end(), refused);
    assert_eq!(client.watch_documented().end(), refused);
    daemon.publish(&[]);
    assert_eq!(client.list().unwrap().len(), 0);
}

#[test]
fn list_and_get() {
    let daemon = Daemon::start();
    let (a, b) = (pod("a", 2, 10), pod("b", 1, 100_000));
    daemon.publish(&[&b, &a]);
    let client = PodsClient::connect(&daemon.socket);
    let both = vec![a.bytes.as_bytes().to_vec(), b.bytes.as_bytes().to_vec()];
    assert_eq!(client.list().unwrap(), both);
    assert_eq!(client.list_documented().unwrap(), both);
    assert_eq!(client.get("b").unwrap(), b.bytes.as_bytes());
    let not_found = |uid: &str| (RpcStatusCode::NOT_FOUND, format!("pod with UID {uid} not found"));
    assert_eq!(client.get("c").unwrap_err(), not_found("c"));
    assert_eq!(client.get("").unwrap_err(), not_found(""));
    daemon.publish(&[&b]);
    assert_eq!(client.list().unwrap().len(), 1);
}

#[test]
fn a_watch_from_start_to_cancel() {
    let daemon = Daemon::start();
    let (a, b) = (pod("a", 1, 10), pod("b", 2, 10));
    daemon.publish(&[&b, &a]);
    let client = PodsClient::connect(&daemon.socket);
    let mut events = client.watch();
    assert_eq!(events.expect(EventType::ADDED), a.bytes.as_bytes());
    assert_eq!(events.expect(EventType::ADDED), b.bytes.as_bytes());
    assert_eq!(events.expect(EventType::INITIAL_SYNC_COMPLETE), b"");
    let newer = pod("a", 3, 10);
    daemon.publish(&[&newer, &b]);
    assert_eq!(events.expect(EventType::MODIFIED), newer.bytes.as_bytes());
    let c = pod("c", 4, 10);
    daemon.publish(&[&newer, &b, &c]);
    assert_eq!(events.expect(EventType::ADDED), c.bytes.as_bytes());
    daemon.publish(&[&newer, &c]);
    let gone = b"\x0a\x13\x0a\x05pod-b\x1a\x07default\x2a\x01b";
    assert_eq!(events.expect(EventType::DELETED), gone);
    assert_eq!(daemon.grpc.load(), (1, 1));
    events.cancel();
    eventually("the thread of a cancelled watch ends", || daemon.grpc.load() == (1, 0));
    drop((events, client));
    eventually("a closed connection is forgotten", || daemon.grpc.load() == (0, 0));
}

#[test]
fn the_documented_watch_sends_bare_pods() {
    let daemon = Daemon::start();
    let (a, b) = (pod("a", 1, 10), pod("b", 2, 10));
    daemon.publish(&[&a]);
    let client = PodsClient::connect(&daemon.socket);
    let mut events = client.watch_documented();
    assert_eq!(events.next().unwrap().pod, a.bytes.as_bytes());
    daemon.publish(&[&a, &b]);
    assert_eq!(events.next().unwrap().pod, b.bytes.as_bytes());
    daemon.publish(&[&b]);
    let gone = String::from_utf8_lossy(&events.next().unwrap().pod).into_owned();
    for part in ["pod-a", "default", "nodepods.io/event", "DELETED"] {
        assert!(gone.contains(part), "{part} is not in {gone:?}");
    }
}

#[test]
fn health_follows_the_node() {
    let daemon = Daemon::start();
    let client = PodsClient::connect(&daemon.socket);
    let mut changes = client.watch_health("v1alpha1.Pods");
    assert_eq!(changes.next().unwrap().status.value(), 2);
    assert_eq!(client.health("").unwrap(), 2);
    daemon.publish(&[]);
    assert_eq!(changes.next().unwrap().status.value(), 1);
    for service in ["", "v1alpha1.Pods", "Pods"] {
        assert_eq!(client.health(service).unwrap(), 1, "{service}");
    }
    assert_eq!(client.health("other").unwrap_err().0, RpcStatusCode::NOT_FOUND);
    assert_eq!(client.watch_health("other").next().unwrap().status.value(), 3);
}

#[test]
fn too_many_watchers_are_told_so() {
    let daemon = Daemon::with(&GrpcOptions { max_watchers: 1, ..GrpcOptions::default() });
    daemon.publish(&[]);
    let client = PodsClient::connect(&daemon.socket);
    let mut first = client.watch();
    first.expect(EventType::INITIAL_SYNC_COMPLETE);
    assert_eq!(client.watch().end().0, RpcStatusCode::RESOURCE_EXHAUSTED);
    first.cancel();
    eventually("the place is free again", || daemon.grpc.load().1 == 0);
    client.watch().expect(EventType::INITIAL_SYNC_COMPLETE);
}

#[test]
fn too_many_connections_are_closed() {
    let daemon = Daemon::with(&GrpcOptions { max_connections: 1, ..GrpcOptions::default() });
    daemon.publish(&[]);
    let first = PodsClient::connect(&daemon.socket);
    assert!(first.list().is_ok());
    let second = std::thread::spawn({
        let socket = daemon.socket.clone();
        move || PodsClient::connect(&socket).list() // waits until it is let in
    });
    assert!(first.list().is_ok());
    assert_eq!(daemon.grpc.load().0, 1);
    drop(first);
    assert!(second.join().unwrap().is_ok());
}

#[test]
fn a_client_that_stops_reading_is_cancelled_and_harms_nobody() {
    let options = GrpcOptions { watch_send_timeout: Duration::from_millis(300), ..GrpcOptions::default() };
    let daemon = Daemon::with(&options);
    let pods: Vec<_> = (0..100).map(|i| pod(&format!("{i:03}"), 1, 100_000)).collect();
    daemon.publish(&pods.iter().collect::<Vec<_>>());
    let stuck_client = PodsClient::connect(&daemon.socket);
    let mut stuck = stuck_client.watch();
    let client = PodsClient::connect(&daemon.socket);
    let mut reading = client.watch();
    for _ in &pods {
        reading.expect(EventType::ADDED);
    }
    reading.expect(EventType::INITIAL_SYNC_COMPLETE);
    eventually("the watch that is not read is cancelled", || daemon.grpc.load().1 == 1);
    assert_eq!(stuck.end().0, RpcStatusCode::CANCELLED);
    daemon.publish(&[]);
    for _ in &pods {
        reading.expect(EventType::DELETED);
    }
    assert!(stuck_client.list().unwrap().is_empty());
}

#[test]
fn a_slow_client_gets_the_last_state() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 300_000)]);
    let client = PodsClient::connect(&daemon.socket);
    let mut events = client.watch();
    events.expect(EventType::ADDED);
    events.expect(EventType::INITIAL_SYNC_COMPLETE);
    for revision in 2..200 {
        daemon.publish(&[&pod("a", revision, 300_000)]);
    }
    let last = pod("a", 200, 300_000);
    daemon.publish(&[&last]);
    let mut seen = 0;
    while events.expect(EventType::MODIFIED) != last.bytes.as_bytes() {
        seen += 1;
    }
    assert!(seen < 199, "every state was queued");
}

#[test]
fn a_socket_for_pods_alone_serves_nothing_else() {
    let daemon = Daemon::over(Snapshot { narrow: true, ..Snapshot::empty(1) }, &GrpcOptions::default());
    daemon.publish(&[&pod("a", 1, 10)]);
    let client = PodsClient::connect(&daemon.socket);
    assert_eq!(client.list().unwrap().len(), 1);
    assert_eq!(client.get_pods(&[]).unwrap_err().0, RpcStatusCode::UNIMPLEMENTED);
    assert_eq!(client.find_pod("a").unwrap_err().0, RpcStatusCode::UNIMPLEMENTED);
    assert_eq!(client.health("").unwrap(), client.health("v1alpha1.Pods").unwrap());
    for service in ["v1.PodService", "nodepods.v1.Lookup"] {
        assert_eq!(client.health(service).unwrap_err().0, RpcStatusCode::NOT_FOUND);
    }
}
