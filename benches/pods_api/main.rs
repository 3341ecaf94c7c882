//! Figures of the gRPC server under load: `make bench`. The server is a child process, so that its CPU time and
//! memory are its own. Prints a table and writes `target/bench.json`.
//!
//! Arguments: `list`, `get`, `masked`, `watch` pick scenarios; `--seconds N` is the time of each (3).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod client;
mod pods;
mod process;
mod server;
mod unary;
mod watch;

use std::path::Path;

use nodepods::codec::wire;
use serde_json::{json, Value};

use server::Server;

const MASK: &str = "metadata.name,status.phase";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [flag, socket, count] = arguments.as_slice() {
        if flag == "--server" {
            return server::run(Path::new(socket), count.parse().expect("a number of pods"));
        }
    }
    let seconds = arguments.iter().skip_while(|a| *a != "--seconds").nth(1).and_then(|s| s.parse().ok()).unwrap_or(3);
    let picked = |name: &str| {
        let mut named =
            arguments.iter().filter(|a| ["list", "get", "masked", "watch"].contains(&a.as_str())).peekable();
        named.peek().is_none() || named.any(|a| a == name)
    };
    let dir = std::env::temp_dir().join(format!("nodepods-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let socket = dir.join("pods.sock");
    let mut rows = Vec::new();
    let mut get = Vec::new();
    wire::put_bytes(&mut get, 1, pods::uid(7).as_bytes());
    println!(
        "{:<34} {:>9} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}  checks",
        "", "n", "server us", "client us", "p50 us", "p99 us", "RSS MiB", "peak"
    );
    for count in [110, 500, 1000] {
        for (name, method, request, mask) in [
            ("list", &client::LIST, &[][..], ""),
            ("get", &client::GET, &get[..], ""),
            ("masked", &client::LIST, &[][..], MASK),
        ] {
            for connections in [1, 8] {
                if picked(name) {
                    let server = Server::start(&socket, count);
                    let figures = unary::run(&socket, server.pid(), method, request, mask, connections, seconds);
                    report(&mut rows, &format!("{name}, {count} pods, {connections} conn."), &figures);
                }
            }
        }
    }
    for (watchers, per_second, troubled) in [
        (1, 100, false),
        (50, 100, false),
        (200, 100, false),
        (1, 1000, false),
        (50, 1000, false),
        (200, 1000, false),
        (50, 1000, true),
    ] {
        if picked("watch") {
            let mut server = Server::start(&socket, 110);
            let figures = watch::run(&mut server, &socket, watchers, per_second, seconds as u32, troubled);
            let trouble = if troubled { ", slow, stopped" } else { "" };
            report(&mut rows, &format!("watch, {watchers} x {per_second}/s{trouble}"), &figures);
        }
    }
    let _ = std::fs::remove_dir_all(&dir);
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
    std::fs::write(&out, format!("{:#}\n", Value::Array(rows))).expect("target/bench.json");
}

fn report(rows: &mut Vec<Value>, name: &str, figures: &Value) {
    let n = figures.get("calls").or(figures.get("deliveries")).and_then(Value::as_u64).unwrap_or(0);
    let number = |key: &str| figures[key].as_f64().unwrap_or(0.0);
    let checks = ["possible", "lost_last_states", "stale", "cut"].map(|k| (k, &figures[k]));
    let checks: Vec<_> = checks.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| format!("{k} {v}")).collect();
    println!(
        "{name:<34} {n:>9} {:>10.1} {:>10.1} {:>10.0} {:>10.0} {:>8.1} {:>8.1}  {}",
        number("server_cpu_us"),
        number("client_cpu_us"),
        number("p50_us"),
        number("p99_us"),
        number("rss_mib"),
        number("peak_mib"),
        checks.join(", ")
    );
    rows.push(json!({"name": name, "figures": figures}));
}

/// The value below which this part of the values lies; 0 of none.
fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * part) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
