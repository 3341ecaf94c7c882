//! What the server takes while nothing happens.

use std::path::Path;
use std::sync::Arc;

use grpcio::{CallOption, EnvBuilder};
use serde_json::{json, Value};

use crate::server::Server;
use crate::{client, process};

/// Memory with so many open connections, each of which has made a call.
pub fn run(server: &Server, socket: &Path, connections: usize) -> Value {
    let env = Arc::new(EnvBuilder::new().cq_count(1).build());
    let clients: Vec<_> = (0..connections).map(|_| client::connect(&env, socket)).collect();
    for client in &clients {
        client.unary_call(&client::HEALTH, &Vec::new(), CallOption::default()).expect("an answer");
    }
    let pid = server.pid();
    json!({"calls": connections, "rss_mib": process::mib(pid, "VmRSS"), "peak_mib": process::mib(pid, "VmHWM")})
}
