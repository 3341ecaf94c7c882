//! Figures of the gRPC server under load: `make bench`. The server is a child process, so that its CPU time and
//! memory are its own; so is the client that is stopped. Prints a table and writes `target/bench.json`.
//!
//! Arguments: words pick the scenarios whose name contains one of them; `--seconds N` is the time of each (3),
//! `--stopped N` how long a client stays stopped (5), `--json PATH` where the figures go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod client;
mod flood;
mod idle;
mod pods;
mod process;
mod server;
mod stopped;
mod unary;
mod watch;

use std::path::{Path, PathBuf};

use nodepods::codec::wire;
use serde_json::{json, Value};

use server::{Limits, Server};

const MASK: &str = "metadata.name,status.phase";

struct Arguments {
    words: Vec<String>,
    seconds: u32,
    stopped: u32,
    json: PathBuf,
}

impl Arguments {
    fn read() -> Self {
        let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
        let mut read = Self { words: Vec::new(), seconds: 3, stopped: 5, json };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().and_then(|n| n.parse().ok()).expect("a number");
            match argument.as_str() {
                "--seconds" => read.seconds = number(),
                "--stopped" => read.stopped = number(),
                "--json" => read.json = arguments.next().expect("a path").into(),
                _ => read.words.push(argument),
            }
        }
        read
    }
}

/// The scenarios that were picked, and what came of them.
struct Bench {
    arguments: Arguments,
    socket: PathBuf,
    rows: Vec<Value>,
}

impl Bench {
    fn scenario(&mut self, name: &str, pods: usize, limits: Limits, run: impl FnOnce(&mut Server, &Path) -> Value) {
        let words = &self.arguments.words;
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            let mut server = Server::start(&self.socket, pods, limits);
            let figures = run(&mut server, &self.socket);
            report(name, &figures);
            self.rows.push(json!({"name": name, "figures": figures}));
        }
    }

    fn unary(&mut self, seconds: u32) {
        let mut get = Vec::new();
        wire::put_bytes(&mut get, 1, pods::uid(7).as_bytes());
        let mut find = Vec::new();
        wire::put_bytes(&mut find, 1, pods::container_id(7).as_bytes());
        for count in [110, 500, 1000] {
            for (name, method, request, mask) in [
                ("list", &client::LIST, &[][..], ""),
                ("get", &client::GET, &get[..], ""),
                ("find", &client::FIND, &find[..], ""),
                ("masked", &client::LIST, &[][..], MASK),
            ] {
                for connections in [1, 8] {
                    let name = format!("{name}, {count} pods, {connections} conn.");
                    self.scenario(&name, count, Limits::Off, |server, socket| {
                        unary::run(socket, server.pid(), method, request, mask, connections, seconds.into())
                    });
                }
            }
        }
        self.scenario("get, alone", 110, Limits::Usual, |_, socket| flood::run(socket, &get, 0, seconds));
        self.scenario("get, beside 4 that flood", 110, Limits::Usual, |_, socket| flood::run(socket, &get, 4, seconds));
    }

    fn watches(&mut self, seconds: u32) {
        for (watchers, per_second, troubled) in [
            (1, 100, false),
            (50, 100, false),
            (200, 100, false),
            (1, 1000, false),
            (50, 1000, false),
            (200, 1000, false),
            (50, 1000, true),
        ] {
            let trouble = if troubled { ", slow, stopped" } else { "" };
            let name = format!("watch, {watchers} x {per_second}/s{trouble}");
            self.scenario(&name, 110, Limits::Off, |server, socket| {
                watch::run(server, socket, watchers, per_second, seconds, troubled)
            });
        }
        let still = self.arguments.stopped;
        self.scenario("watch, 200 x 100/s, one SIGSTOPped", 110, Limits::Off, |server, socket| {
            stopped::run(server, socket, 200, 100, still)
        });
    }
}

fn main() {
    let marked: Vec<String> = std::env::args().collect();
    match marked.get(1).map(String::as_str) {
        Some("--server") => return server::run(Path::new(&marked[2]), &marked[3..]),
        Some("--watcher") => return stopped::child(Path::new(&marked[2])),
        _ => {}
    }
    let arguments = Arguments::read();
    let dir = std::env::temp_dir().join(format!("nodepods-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    println!(
        "{:<34} {:>9} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}  checks",
        "", "n", "server us", "client us", "p50 us", "p99 us", "RSS MiB", "peak"
    );
    let seconds = arguments.seconds;
    let mut bench = Bench { arguments, socket: dir.join("pods.sock"), rows: Vec::new() };
    for (name, connections) in [("idle", 0), ("idle, 200 connections", 200)] {
        bench.scenario(name, 110, Limits::Usual, |server, socket| idle::run(server, socket, connections));
    }
    bench.unary(seconds);
    bench.watches(seconds);
    let _ = std::fs::remove_dir_all(&dir);
    let out = &bench.arguments.json;
    if let Some(parent) = out.parent() {
        std::fs::create_dir_all(parent).expect("a directory for the figures");
    }
    std::fs::write(out, format!("{:#}\n", Value::Array(bench.rows))).expect("the file of the figures");
}

fn report(name: &str, figures: &Value) {
    let n = figures.get("calls").or(figures.get("deliveries")).and_then(Value::as_u64).unwrap_or(0);
    let number = |key: &str| figures[key].as_f64().unwrap_or(0.0);
    let checks = ["possible", "sleeps", "lost_last_states", "stale", "cut", "refused", "stopped_watcher"];
    let checks = checks.map(|k| (k, &figures[k]));
    let checks: Vec<_> = checks.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| text(k, v)).collect();
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
}

fn text(key: &str, value: &Value) -> String {
    match value.as_f64() {
        Some(n) if value.is_f64() => format!("{key} {n:.2}"),
        _ => format!("{key} {value}"),
    }
}

/// The value below which this part of the values lies; 0 of none.
fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * part) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
