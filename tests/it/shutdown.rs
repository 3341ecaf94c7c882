//! The end of the daemon, as clients see it.

use std::time::{Duration, Instant};

use grpcio::RpcStatusCode;
use nodepods::proto::pods_v1alpha1::EventType;

use crate::client::PodsClient;
use crate::daemon::{eventually, pod, Daemon};

#[test]
fn watches_end_with_unavailable() {
    let mut daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 10)]);
    let client = PodsClient::connect(&daemon.socket);
    let (mut pods, mut health) = (client.watch(), client.watch_health(""));
    pods.expect(EventType::ADDED);
    pods.expect(EventType::INITIAL_SYNC_COMPLETE);
    health.next().unwrap();
    daemon.stop_accepting();
    daemon.grpc.shutdown(Duration::from_secs(5));
    let unavailable = (RpcStatusCode::UNAVAILABLE, "nodepods is stopping".to_string());
    assert_eq!(pods.end(), unavailable);
    assert_eq!(health.end(), unavailable);
    assert!(!daemon.socket.exists());
    eventually("the core closes the connections", || daemon.grpc.load() == (0, 0));
}

#[test]
fn closing_the_store_ends_watches_too() {
    let daemon = Daemon::start();
    daemon.publish(&[]);
    let client = PodsClient::connect(&daemon.socket);
    let mut events = client.watch();
    events.expect(EventType::INITIAL_SYNC_COMPLETE);
    daemon.store.close();
    assert_eq!(events.end().0, RpcStatusCode::UNAVAILABLE);
}

#[test]
fn a_client_that_does_not_read_cannot_hold_up_the_end() {
    let daemon = Daemon::start();
    let pods: Vec<_> = (0..100).map(|i| pod(&format!("{i:03}"), 1, 100_000)).collect();
    daemon.publish(&pods.iter().collect::<Vec<_>>());
    let client = PodsClient::connect(&daemon.socket);
    let mut stuck = client.watch();
    stuck.expect(EventType::ADDED);
    let limit = Duration::from_secs(5);
    let begun = Instant::now();
    daemon.grpc.shutdown(limit);
    assert!(begun.elapsed() <= limit, "{:?}", begun.elapsed());
    assert_eq!(daemon.grpc.load().1, 0);
}
