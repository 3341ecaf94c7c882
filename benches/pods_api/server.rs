//! The server under test, in a process of its own: the real gRPC server over a store that is filled with pods.
//! Orders come as lines: `update PER_SECOND SECONDS` changes pods in turn and answers `done`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nodepods::serve::bucket::Rate;
use nodepods::serve::connections::Rates;
use nodepods::serve::grpc::{GrpcOptions, GrpcServer};
use nodepods::serve::{AcceptOptions, Acceptor, OwnedSocket, SocketOptions};
use nodepods::store::snapshot::Snapshot;
use nodepods::store::Store;

use crate::pods::Template;

/// How much a connection may ask.
#[derive(Clone, Copy, Debug)]
pub enum Limits {
    /// As the daemon has them by default.
    Usual,
    /// None, to measure what a call costs. A watcher may stop reading for 2 seconds.
    Off,
}

pub struct Server {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(socket: &Path, pods: usize, limits: Limits) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("our own path"));
        command.args(["--server".as_ref(), socket.as_os_str()]).args([pods.to_string(), format!("{limits:?}")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a child");
        let (orders, answers) = (child.stdin.take().expect("stdin"), child.stdout.take().expect("stdout"));
        let mut server = Self { child, orders, answers: BufReader::new(answers) };
        server.answer();
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn update(&mut self, per_second: u32, seconds: u32) {
        writeln!(self.orders, "update {per_second} {seconds}").expect("the server is gone");
        self.answer();
    }

    fn answer(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the server is gone");
        assert!(!line.is_empty(), "the server is gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's main.
pub fn run(socket: &Path, arguments: &[String]) {
    let count: usize = arguments[0].parse().expect("a number of pods");
    let rates = Rates { unary: Rate::UNLIMITED, watch: Rate::UNLIMITED };
    let off = GrpcOptions { rates, watch_send_timeout: Duration::from_secs(2), ..GrpcOptions::default() };
    let options = if arguments[1] == "Off" { off } else { GrpcOptions::default() };
    let templates: Vec<_> = (0..count).map(Template::new).collect();
    let mut pods: Vec<_> = templates.iter().enumerate().map(|(n, t)| t.version(n as u64 + 1)).collect();
    let mut revision = count as u64;
    let store = Store::new(Snapshot { initialized: true, pods: pods.clone(), ..Snapshot::empty(revision) });
    let grpc = Arc::new(GrpcServer::start(Arc::clone(&store), &options).expect("a server"));
    let owned = OwnedSocket::bind(SocketOptions { path: socket.into(), mode: 0o600, group: None }).expect("a socket");
    let adopt = Arc::clone(&grpc);
    let accept = move |stream, peer: nodepods::serve::Peer| adopt.adopt(stream, &peer);
    let _acceptor = Acceptor::start(owned, AcceptOptions::default(), accept).expect("an acceptor");
    println!("ready");
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let &[per_second, seconds] = numbers.as_slice() else { continue };
        let start = Instant::now();
        for i in 0..per_second * seconds {
            let due = start + Duration::from_secs(1) * i / per_second;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            revision += 1;
            let at = revision as usize % count;
            pods[at] = templates[at].version(revision);
            store.publish(Arc::new(Snapshot { initialized: true, pods: pods.clone(), ..Snapshot::empty(revision) }));
        }
        println!("done");
    }
}
