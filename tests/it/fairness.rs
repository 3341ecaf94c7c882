//! One connection that asks without end, and what the others notice of it: nothing.

use grpcio::RpcStatusCode;
use nodepods::serve::bucket::Rate;
use nodepods::serve::connections::Rates;
use nodepods::serve::grpc::GrpcOptions;
use nodepods::serve::metrics;

use crate::client::PodsClient;
use crate::daemon::{pod, Daemon};

#[test]
fn a_flood_is_refused_and_others_are_served() {
    // A token a day: what a connection may ask is its burst, whatever the speed of the machine.
    let unary = Rate { per_second: 1.0 / 86_400.0, burst: 20.0 };
    let rates = Rates { unary, ..Rates::default() };
    let daemon = Daemon::with(&GrpcOptions { rates, ..GrpcOptions::default() });
    daemon.publish(&[&pod("a", 1, 10)]);
    let (flood, quiet) = (PodsClient::connect(&daemon.socket), PodsClient::connect(&daemon.socket));
    let mut refused = 0;
    for turn in 0..200 {
        if let Err((code, message)) = flood.list() {
            assert_eq!(code, RpcStatusCode::RESOURCE_EXHAUSTED);
            assert!(message.starts_with("rejected by rate limit: ask again in "), "{message}");
            refused += 1;
        }
        if turn % 10 == 0 {
            assert_eq!(quiet.list().unwrap().len(), 1);
        }
    }
    assert_eq!(refused, 180);
    let page = metrics::render(daemon.grpc.metrics(), &daemon.store.current(), 0, 0, metrics::Process::Shown);
    assert!(page.contains("\nnodepods_rate_limited_total 180\n"), "{page}");
    let list = "kubelet_pod_requests_list_total{server_api_version=\"v1alpha1\",status_code=";
    assert!(page.contains(&format!("{list}\"OK\"}} 40\n")), "{page}");
    assert!(page.contains(&format!("{list}\"ResourceExhausted\"}} 180\n")), "{page}");
}

#[test]
fn health_has_the_same_allowance() {
    let rate = Rate { per_second: 1.0 / 86_400.0, burst: 3.0 };
    let rates = Rates { unary: rate, watch: rate };
    let daemon = Daemon::with(&GrpcOptions { rates, ..GrpcOptions::default() });
    daemon.publish(&[]);
    let (flood, quiet) = (PodsClient::connect(&daemon.socket), PodsClient::connect(&daemon.socket));
    for _ in 0..3 {
        assert_eq!(flood.health(""), Ok(1));
        assert!(flood.watch_health("").next().is_ok());
    }
    assert_eq!(flood.health("").unwrap_err().0, RpcStatusCode::RESOURCE_EXHAUSTED);
    assert_eq!(flood.watch_health("").end().0, RpcStatusCode::RESOURCE_EXHAUSTED);
    assert_eq!(quiet.health(""), Ok(1));
}
