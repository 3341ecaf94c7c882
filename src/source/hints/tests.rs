use std::fs;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{bounded, Receiver};

use super::*;
use crate::testdir::TestDir;

struct Running {
    nudges: Receiver<Nudge>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(sockets: Locate, dir: &TestDir) -> Self {
        let config = HintsConfig {
            sockets,
            state_dir: None,
            logs: dir.path("log/pods"),
            look_every: Duration::from_millis(100),
        };
        let (nudge, nudges) = bounded(1);
        let (stop, stopped) = UnixStream::pair().unwrap();
        let thread = thread::spawn(move || run(config, nudge, &stopped).unwrap());
        Self { nudges, stop: Some(stop), thread: Some(thread) }
    }

    fn nudged(&self, why: &str) {
        assert!(self.nudges.recv_timeout(Duration::from_secs(20)).is_ok(), "{why}");
    }

    /// Waits until all that was noted is told.
    fn quiet(&self) {
        while self.nudges.recv_timeout(AFTER_ALL).is_ok() {}
    }
}

/// Longer than the last nudge after a hint.
const AFTER_ALL: Duration = Duration::from_millis(600);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn starts_and_ends_nudge() {
    let dir = TestDir::new();
    let tasks = tasks(&dir.path("run/containerd"));
    let exits = dir.path("run/containerd/exits");
    let logs = dir.path("log/pods");
    for place in [&tasks, &exits, &logs] {
        fs::create_dir_all(place).unwrap();
    }
    let socket = dir.path("run/containerd/containerd.sock");
    let running = Running::new(Box::new(move || vec![socket.clone()]), &dir);
    running.nudged("found at the start");
    running.quiet();
    fs::create_dir(tasks.join("c1")).unwrap();
    running.nudged("a container starts");
    running.quiet();
    fs::rename(tasks.join("c1"), tasks.join(".c1")).unwrap();
    fs::remove_dir(tasks.join(".c1")).unwrap();
    running.nudged("it ends");
    running.quiet();
    fs::write(exits.join("c2"), "0").unwrap();
    running.nudged("CRI-O has an exit file");
    running.quiet();
    fs::create_dir(logs.join("default_web_1")).unwrap();
    running.nudged("a pod has logs");
}

#[test]
fn a_place_that_comes_later_is_found() {
    let dir = TestDir::new();
    fs::create_dir_all(dir.path("log/pods")).unwrap();
    let socket = dir.path("run/k0s/containerd.sock");
    let (looked, looks) = bounded(8);
    let locate = move || {
        let _ = looked.try_send(());
        vec![socket.clone()]
    };
    let running = Running::new(Box::new(locate), &dir);
    looks.recv().unwrap();
    running.nudged("the logs are there from the start");
    fs::create_dir_all(tasks(&dir.path("run/k0s/containerd"))).unwrap();
    running.nudged("it is found");
}

#[test]
fn nothing_there_is_no_trouble() {
    let dir = TestDir::new();
    let (looked, looks) = bounded(8);
    let locate = move || {
        let _ = looked.try_send(());
        Vec::new()
    };
    let running = Running::new(Box::new(locate), &dir);
    looks.recv().unwrap();
    assert!(running.nudges.is_empty());
}
