//! A client that is stopped by SIGSTOP in the middle of its watch, among others.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures_executor::block_on;
use futures_util::StreamExt;
use grpcio::{CallOption, EnvBuilder};
use serde_json::{json, Value};

use crate::server::Server;
use crate::{client, watch};

/// Watches while the server changes pods for `seconds`; one more watcher, a process of its own, is stopped all the
/// while and continued at the end. Says how its watch ended.
pub fn run(server: &mut Server, socket: &Path, watchers: usize, per_second: u32, seconds: u32) -> Value {
    let mut command = Command::new(std::env::current_exe().expect("our own path"));
    command.arg("--watcher").arg(socket).stdout(Stdio::piped());
    let mut child = Killed(command.spawn().expect("a child"));
    let mut lines = BufReader::new(child.0.stdout.take().expect("stdout")).lines();
    let mut line = || lines.next().and_then(Result::ok).unwrap_or_default();
    assert_eq!(line(), "watching");
    signal(&child.0, "STOP");
    let mut figures = watch::run(server, socket, watchers, per_second, seconds, false);
    signal(&child.0, "CONT");
    figures["stopped_watcher"] = json!(line());
    figures
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill");
    assert!(sent.success());
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The child's main: watches, and says how it ended.
pub fn child(socket: &Path) {
    let env = Arc::new(EnvBuilder::new().cq_count(1).build());
    let client = client::connect(&env, socket);
    let mut events = client.server_streaming(&client::WATCH, &Vec::new(), CallOption::default()).expect("a watch");
    block_on(async {
        events.next().await.expect("an event").expect("an event");
        println!("watching");
        loop {
            match events.next().await {
                Some(Ok(_)) => {}
                Some(Err(grpcio::Error::RpcFailure(status))) => return println!("{}", status.code()),
                other => return println!("{other:?}"),
            }
        }
    });
}
