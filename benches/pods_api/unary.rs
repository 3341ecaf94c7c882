//! Unary calls, one after the other on each connection.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use grpcio::{EnvBuilder, Method};
use serde_json::{json, Value};

use crate::{client, percentile, process};

/// Calls for `seconds` on each of `connections`, after a short warm-up.
pub fn run(
    socket: &Path,
    pid: u32,
    method: &'static Method<Vec<u8>, Vec<u8>>,
    request: &[u8],
    mask: &str,
    connections: usize,
    seconds: u64,
) -> Value {
    let env = Arc::new(EnvBuilder::new().cq_count(2).build());
    let clients: Vec<_> = (0..connections).map(|_| client::connect(&env, socket)).collect();
    for client in &clients {
        for _ in 0..20 {
            client.unary_call(method, &request.to_vec(), client::masked(mask)).expect("warm-up");
        }
    }
    let (server, own) = (process::cpu(pid), process::cpu(std::process::id()));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut times: Vec<f64> = thread::scope(|scope| {
        let callers: Vec<_> = clients
            .iter()
            .map(|client| {
                scope.spawn(move || {
                    let (mut times, request) = (Vec::new(), request.to_vec());
                    while Instant::now() < end {
                        let begun = Instant::now();
                        client.unary_call(method, &request, client::masked(mask)).expect("a call");
                        times.push(begun.elapsed().as_secs_f64() * 1e6);
                    }
                    times
                })
            })
            .collect();
        callers.into_iter().flat_map(|c| c.join().expect("a caller")).collect()
    });
    let calls = times.len() as f64;
    let (server, own) = (process::cpu(pid) - server, process::cpu(std::process::id()) - own);
    json!({"calls": times.len(), "server_cpu_us": server / calls * 1e6, "client_cpu_us": own / calls * 1e6,
        "p50_us": percentile(&mut times, 0.5), "p99_us": percentile(&mut times, 0.99),
        "rss_mib": process::mib(pid, "VmRSS"), "peak_mib": process::mib(pid, "VmHWM")})
}
