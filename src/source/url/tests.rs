//! The source over a real connection, with servers that misbehave.

use super::*;
use crate::pod::manifest::read_list;
use crate::source::teststand::{listen, Exchange, Then};
use std::thread;

use crossbeam_channel::{bounded, Receiver, Sender};

const POD: &[u8] = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n";

struct Run {
    asked: Receiver<Exchange>,
    updates: Receiver<Update>,
    stop: Sender<()>,
    thread: thread::JoinHandle<()>,
}

fn start() -> Run {
    let (url, asked) = listen();
    let (tx, updates) = bounded(16);
    let (stop, stopped) = bounded(0);
    let headers = vec!["X-Token:hunter2".parse().unwrap()];
    let url = url.below("/list", "key=hunter2");
    let options = Options { url, headers, every: Duration::from_millis(1) };
    let thread = thread::spawn(move || run(Reporter::new(SourceId::Http, tx, stopped), options, read_list, Vec::new()));
    Run { asked, updates, stop, thread }
}

impl Run {
    fn answer(&self, status: &str, body: &[u8]) {
        self.asked.recv().unwrap().answer(status, "text/plain", body);
    }

    fn next(&self) -> Update {
        self.updates.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn health(&self) -> (HealthState, String) {
        match self.next() {
            Update::Health(SourceId::Http, health) => {
                assert!(!format!("{health:?}").contains("hunter2"));
                (health.state, health.error)
            }
            other => panic!("{other:?}"),
        }
    }

    fn pods(&self) -> Vec<(String, bool)> {
        match self.next() {
            Update::Manifests { source: SourceId::Http, files } => {
                assert!(!format!("{files:?}").contains("hunter2"));
                files.into_iter().filter_map(|f| Some((f.pod?.name.clone(), f.stale))).collect()
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn pods_come_stay_over_errors_and_go() {
    let run = start();
    let first = run.asked.recv().unwrap();
    assert_eq!(run.health(), (HealthState::Starting, String::new()), "before any answer");
    assert_eq!(first.target(), "/list?key=hunter2");
    assert!(first.asked.contains("X-Token: hunter2"), "{}", first.asked);
    first.answer("503 Busy", "text/plain", b"");
    assert_eq!(run.health(), (HealthState::Starting, "the server answers with status 503, and 200 is expected".into()));
    run.answer("200 OK", POD);
    assert_eq!(run.health(), (HealthState::Up, String::new()));
    assert_eq!(run.pods(), [("a".to_owned(), false)]);
    run.answer("200 OK", POD); // the same: nothing is told
    run.answer("404 Not Found", b"apiVersion: v1");
    assert_eq!(run.health().0, HealthState::Down);
    let mut cut = run.asked.recv().unwrap();
    cut.say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\napiVersion: v1");
    cut.end(Then::Close);
    assert_eq!(run.health(), (HealthState::Down, "the connection broke off: it ended before the answer did".into()));
    run.answer("200 OK", b"kind: Pod");
    assert_eq!(run.health().0, HealthState::Up);
    assert_eq!(run.pods(), [("a".to_owned(), true)]);
    run.answer("200 OK", b"");
    assert_eq!(run.pods(), []);
    let mut redirect = run.asked.recv().unwrap();
    redirect.say(b"HTTP/1.1 302 Found\r\nLocation: http://u:hunter2@elsewhere/x?hunter2\r\nContent-Length: 0\r\n\r\n");
    redirect.end(Then::Close);
    let (_, error) = run.health();
    assert!(error.contains("points to http://elsewhere/x?...;"), "{error}");
}

#[test]
fn a_stop_does_not_wait_for_the_server() {
    let run = start();
    let silent = run.asked.recv().unwrap();
    drop(run.stop);
    run.thread.join().unwrap();
    drop(silent);
}
