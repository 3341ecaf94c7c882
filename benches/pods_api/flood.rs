//! One connection that behaves, beside others that ask as much as they can. The limits are the usual ones.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::stream::FuturesUnordered;
use futures_util::StreamExt;
use grpcio::{CallOption, EnvBuilder};
use serde_json::{json, Value};

use crate::{client, percentile};

/// Calls that a flood keeps running at a time.
const AT_ONCE: usize = 64;
/// Calls of the one that behaves, in a second: well below its limit.
const PER_SECOND: u32 = 50;

/// GetPod at a steady pace for `seconds` while `floods` connections list without end.
pub fn run(socket: &Path, request: &[u8], floods: usize, seconds: u32) -> Value {
    let (over, refused) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut times = thread::scope(|scope| {
        for _ in 0..floods {
            scope.spawn(|| flood(socket, &over, &refused));
        }
        let env = Arc::new(EnvBuilder::new().cq_count(1).build());
        let quiet = client::connect(&env, socket);
        let start = Instant::now();
        let mut times = Vec::new();
        for turn in 0..PER_SECOND * seconds {
            let due = start + Duration::from_secs(1) * turn / PER_SECOND;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let begun = Instant::now();
            quiet.unary_call(&client::GET, &request.to_vec(), CallOption::default()).expect("an answer");
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        over.store(true, Ordering::Relaxed);
        times
    });
    json!({"calls": times.len(), "p50_us": percentile(&mut times, 0.5), "p99_us": percentile(&mut times, 0.99),
        "max_us": percentile(&mut times, 1.0), "refused": refused.into_inner()})
}

/// Lists, and lists again, whatever the answer is.
fn flood(socket: &Path, over: &AtomicBool, refused: &AtomicU64) {
    let env = Arc::new(EnvBuilder::new().cq_count(1).build());
    let client = client::connect(&env, socket);
    let call = || client.unary_call_async(&client::LIST, &Vec::new(), CallOption::default()).expect("a call");
    block_on(async {
        let mut running: FuturesUnordered<_> = (0..AT_ONCE).map(|_| call()).collect();
        while let Some(answer) = running.next().await {
            refused.fetch_add(u64::from(answer.is_err()), Ordering::Relaxed);
            if !over.load(Ordering::Relaxed) {
                running.push(call());
            }
        }
    });
}
