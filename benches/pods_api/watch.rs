//! Watch fan-out: each watcher on its own connection, all read by one thread; beside them a slow one and one that
//! stops reading.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::stream::FuturesUnordered;
use futures_util::StreamExt;
use grpcio::{CallOption, ClientSStreamReceiver, EnvBuilder, Environment};
use nodepods::codec::wire::{self, Value as Wire};
use serde_json::{json, Value};

use crate::server::Server;
use crate::{client, percentile, pods, process};

/// What one watcher has been sent.
#[derive(Default)]
struct View {
    /// UID to the number of the version.
    pods: HashMap<Vec<u8>, u64>,
    deliveries: u64,
    /// Events with a version that is not newer than the one before.
    stale: u64,
    /// Age of each version at its arrival, in ms.
    ages: Vec<f64>,
    synced: bool,
    /// The stream ended although nobody asked it to.
    cut: bool,
}

impl View {
    fn take(&mut self, event: &[u8]) {
        let Some(pod) = field(event, 2) else {
            self.synced = true;
            return;
        };
        let metadata = field(pod, 1).unwrap_or_default();
        let uid = field(metadata, 5).unwrap_or_default();
        let number = field(metadata, 6).and_then(|b| std::str::from_utf8(b).ok()?.parse().ok()).unwrap_or(0);
        if !self.synced {
            self.pods.insert(uid.to_vec(), number);
            return;
        }
        self.deliveries += 1;
        let made = wire::fields(metadata).flatten().find(|f| f.number == 7).map(|f| f.value);
        if let Some(Wire::Varint(made)) = made {
            self.ages.push(pods::nanos().saturating_sub(made) as f64 / 1e6);
        }
        match self.pods.get_mut(uid) {
            Some(last) if *last < number => *last = number,
            _ => self.stale += 1,
        }
    }
}

fn field(message: &[u8], number: u32) -> Option<&[u8]> {
    wire::fields(message).flatten().find(|f| f.number == number).and_then(|f| match f.value {
        Wire::Bytes(b) => Some(b),
        _ => None,
    })
}

type Shared = Arc<Mutex<View>>;

/// What the readers are told.
#[derive(Default)]
struct Flags {
    /// The last change was made: who is slow may read on without pauses.
    hurry: AtomicBool,
    /// The streams may end now.
    ended: AtomicBool,
}

/// Reads until the stream ends, with a pause after each event.
async fn follow(mut events: ClientSStreamReceiver<Vec<u8>>, view: Shared, flags: Arc<Flags>, pause: Duration) {
    while let Some(event) = events.next().await {
        let Ok(event) = event else { break };
        view.lock().expect("a view").take(&event);
        if !pause.is_zero() && !flags.hurry.load(Ordering::Relaxed) {
            thread::sleep(pause);
        }
    }
    view.lock().expect("a view").cut = !flags.ended.load(Ordering::Relaxed);
}

fn open(env: &Arc<Environment>, socket: &Path) -> (grpcio::Client, ClientSStreamReceiver<Vec<u8>>) {
    let client = client::connect(env, socket);
    let events = client.server_streaming(&client::WATCH, &Vec::new(), CallOption::default()).expect("a watch");
    (client, events)
}

/// Watches while the server changes pods. With `troubled`, one of them is slow and one more never reads.
pub fn run(
    server: &mut Server,
    socket: &Path,
    watchers: usize,
    per_second: u32,
    seconds: u32,
    troubled: bool,
) -> Value {
    let pid = server.pid();
    let idle = process::mib(pid, "VmRSS");
    let env = Arc::new(EnvBuilder::new().cq_count(1).build());
    let views: Vec<Shared> = (0..watchers).map(|_| Shared::default()).collect();
    let flags = Arc::<Flags>::default();
    let (mut clients, mut streams) = (Vec::new(), Vec::new());
    for view in &views {
        let (client, events) = open(&env, socket);
        clients.push(client);
        streams.push((events, Arc::clone(view)));
    }
    let stopped = troubled.then(|| open(&env, socket));
    let mut readers = Vec::new();
    let slow = if troubled { streams.pop() } else { None };
    if let Some((events, view)) = slow {
        let flags = Arc::clone(&flags);
        readers.push(thread::spawn(move || block_on(follow(events, view, flags, Duration::from_millis(20)))));
    }
    let all = Arc::clone(&flags);
    readers.push(thread::spawn(move || {
        let follow = |(events, view)| follow(events, view, Arc::clone(&all), Duration::ZERO);
        block_on(streams.into_iter().map(follow).collect::<FuturesUnordered<_>>().collect::<()>());
    }));
    wait(|| views.iter().all(|v| v.lock().expect("a view").synced));
    let connected = process::mib(pid, "VmRSS");
    let (cpu, own) = (process::cpu(pid), process::cpu(std::process::id()));
    let sleeps = process::sleeps(pid);
    server.update(per_second, seconds);
    flags.hurry.store(true, Ordering::Relaxed);
    let (listing, truth) = (client::connect(&env, socket), Shared::default());
    let list = listing.unary_call(&client::LIST, &Vec::new(), CallOption::default()).expect("a list");
    for pod in wire::fields(&list).flatten() {
        let mut event = Vec::new();
        if let Wire::Bytes(pod) = pod.value {
            wire::put_bytes(&mut event, 2, pod);
            truth.lock().expect("a view").take(&event);
        }
    }
    let truth = &truth.lock().expect("a view").pods;
    let lost = || views.iter().filter(|v| v.lock().expect("a view").pods != *truth).count();
    wait(|| lost() == 0);
    let (cpu, own) = (process::cpu(pid) - cpu, process::cpu(std::process::id()) - own);
    let sleeps = process::sleeps(pid).saturating_sub(sleeps);
    let lost = lost();
    flags.ended.store(true, Ordering::Relaxed);
    let cut = views.iter().filter(|v| v.lock().expect("a view").cut).count();
    let deliveries: u64 = views.iter().map(|v| v.lock().expect("a view").deliveries).sum();
    let stale: u64 = views.iter().map(|v| v.lock().expect("a view").stale).sum();
    let quick = if troubled { watchers - 1 } else { watchers };
    let mut ages: Vec<f64> = views.iter().take(quick).flat_map(|v| v.lock().expect("a view").ages.clone()).collect();
    let updates = u64::from(per_second) * u64::from(seconds);
    json!({"deliveries": deliveries, "possible": updates * watchers as u64, "server_cpu_us": cpu / deliveries as f64 * 1e6,
        "client_cpu_us": own / deliveries as f64 * 1e6, "p50_us": percentile(&mut ages, 0.5) * 1e3, "p99_us": percentile(&mut ages, 0.99) * 1e3,
        "sleeps": sleeps as f64 / deliveries as f64, "lost_last_states": lost, "stale": stale, "cut": cut, "idle_mib": idle, "rss_mib": connected,
        "peak_mib": process::mib(pid, "VmHWM"), "stopped_watchers": usize::from(stopped.is_some())})
}

/// Waits for something, 20 s at most; what never comes shows in the figures.
fn wait(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() && Instant::now() < end {
        thread::sleep(Duration::from_millis(10));
    }
}
