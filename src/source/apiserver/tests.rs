//! The source against a server that behaves as API servers do, the bad days included.

use std::thread::{self, JoinHandle};

use crossbeam_channel::{bounded, Receiver, Sender};

use super::event::tests::frame;
use super::form::tests::seal;
use super::list::tests::{sample, sealed};
use super::*;
use crate::pod::lookup;
use crate::source::teststand::{listen, Exchange, Then};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const LONG: Duration = Duration::from_secs(20);

struct Run {
    asked: Receiver<Exchange>,
    updates: Receiver<Update>,
    control: Control,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

fn start() -> Run {
    start_with(Timing { shortest: Duration::ZERO, much: Duration::ZERO, ..Timing::default() })
}

fn start_with(timing: Timing) -> Run {
    let (url, asked) = listen();
    let (tx, updates) = bounded(64);
    let (stop, stopped) = bounded(0);
    let (control, controlled) = control();
    control.node("n");
    let options = Options { choice: Choice::Plain(url), places: Box::new(Vec::new), timing };
    let thread = thread::spawn(move || run(Reporter::new(SourceId::ApiServer, tx, stopped), options, controlled));
    Run { asked, updates, control, stop, thread }
}

impl Run {
    /// The next request, which has to hold this.
    fn asked(&self, part: &str) -> Exchange {
        let exchange = self.asked.recv_timeout(LONG).unwrap();
        assert!(exchange.target().starts_with("/api/v1/pods?fieldSelector=spec.nodeName%3Dn&"), "{}", exchange.asked);
        assert!(exchange.target().contains(part), "{} lacks {part}", exchange.asked);
        exchange
    }

    fn next(&self) -> Update {
        self.updates.recv_timeout(LONG).unwrap()
    }

    /// The next state that is told, and its error. Pods before it are passed over.
    fn health(&self) -> (HealthState, String) {
        loop {
            if let Update::Health(SourceId::ApiServer, health) = self.next() {
                return (health.state, health.error);
            }
        }
    }

    fn until(&self, state: HealthState) -> String {
        loop {
            let (now, error) = self.health();
            if now == state {
                return error;
            }
        }
    }

    /// Names and versions, as soon as they are these; health before it is passed over.
    fn pods(&self, wanted: &[&str]) {
        loop {
            if let Update::Pods { source: SourceId::ApiServer, pods } = self.next() {
                let name =
                    |p| format!("{}@{}", lookup::text(p, "metadata.name"), lookup::text(p, "metadata.resourceVersion"));
                let got: Vec<_> = pods.iter().map(name).collect();
                if got == wanted {
                    return;
                }
            }
        }
    }

    /// Answers the first list and accepts the first watch.
    fn begin(&self) -> Watch {
        self.asked("resourceVersion=0").answer("200 OK", PROTOBUF, &sealed("9", "", &["a", "b"]));
        self.pods(&["a@5", "b@5"]);
        Watch::accept(self.asked("resourceVersion=9&timeoutSeconds="))
    }
}

/// An accepted protobuf watch.
struct Watch(Exchange);

impl Watch {
    fn accept(mut exchange: Exchange) -> Self {
        assert!(exchange.target().contains("watch=true&allowWatchBookmarks=true"), "{}", exchange.asked);
        exchange.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.kubernetes.protobuf;stream=watch\r\nTransfer-Encoding: chunked\r\n\r\n");
        Self(exchange)
    }

    fn chunk(&mut self, bytes: &[u8]) {
        self.0.say(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat());
    }

    fn frame(&mut self, kind: &str, object: &[u8]) {
        let frame = frame(kind, object);
        self.chunk(&[&(frame.len() as u32).to_be_bytes(), frame.as_slice()].concat());
    }

    fn pod(&mut self, kind: &str, name: &str, version: &str) {
        let pod = list::pod(&sample(name, version)).unwrap();
        self.frame(kind, &seal("Pod", pod.as_bytes()));
    }

    fn end(mut self) {
        self.0.say(b"0\r\n\r\n");
    }
}

fn status(code: u64, reason: &str, retry_after: u64) -> Vec<u8> {
    let text = serde_json::json!({"kind": "Status", "apiVersion": "v1", "reason": reason, "code": code,
        "message": "of this test", "details": {"retryAfterSeconds": retry_after}});
    text.to_string().into_bytes()
}

#[test]
fn list_events_bookmarks_and_a_watch_that_ran_its_time() {
    let run = start();
    let mut watch = run.begin();
    assert_eq!(run.until(HealthState::Up), "");
    watch.pod("MODIFIED", "a", "10");
    run.pods(&["a@10", "b@5"]);
    watch.pod("DELETED", "b", "11");
    run.pods(&["a@10"]);
    watch.pod("BOOKMARK", "", "20");
    watch.end();
    let mut watch = Watch::accept(run.asked("&resourceVersion=20&"));
    watch.pod("ADDED", "c", "21");
    run.pods(&["a@10", "c@21"]);
    assert!(run.updates.is_empty(), "a new watch is nothing to tell");
}

#[test]
fn a_watch_that_is_cut_goes_on_where_it_was() {
    let run = start();
    let mut watch = run.begin();
    watch.pod("ADDED", "c", "10");
    run.pods(&["a@5", "b@5", "c@10"]);
    watch.chunk(b"\0\0\0\x50half");
    drop(watch);
    let mut watch = Watch::accept(run.asked("&resourceVersion=10&"));
    watch.pod("DELETED", "c", "11");
    run.pods(&["a@5", "b@5"]);
}

#[test]
fn a_server_that_was_away_is_up_again_once_it_has_told_what_happened_meanwhile() {
    let run = start();
    drop(run.begin());
    run.until(HealthState::Up);
    for _ in 0..2 {
        run.asked("&resourceVersion=9&").answer("500 No", "text/plain", b"away");
    }
    run.until(HealthState::Down);
    let mut watch = Watch::accept(run.asked("&resourceVersion=9&"));
    watch.pod("ADDED", "c", "10");
    let told: Vec<_> = std::iter::from_fn(|| Some(run.next())).take(2).collect();
    assert!(matches!(&told[0], Update::Pods { pods, .. } if pods.len() == 3), "{told:?}");
    assert!(matches!(&told[1], Update::Health(_, health) if health.state == HealthState::Up), "{told:?}");
}

#[test]
fn an_old_version_means_a_new_list_whichever_way_it_is_said() {
    let run = start();
    let mut watch = run.begin();
    let mut gone = Vec::new();
    crate::codec::wire::put_bytes(&mut gone, 4, b"Expired");
    crate::codec::wire::put_number(&mut gone, 6, 410);
    watch.frame("ERROR", &seal("Status", &gone));
    // What was seen is not asked for in an older version.
    run.asked("resourceVersion=9").answer("200 OK", PROTOBUF, &sealed("30", "", &["b"]));
    run.pods(&["b@5"]);
    run.asked("resourceVersion=30").answer("410 Gone", "application/json", &status(410, "Expired", 0));
    // The server was restored from a backup: it does not know our version yet.
    let list = run.asked("limit=500&resourceVersion=30");
    let too_new =
        String::from_utf8(status(504, "Timeout", 1)).unwrap().replace("of this test", "Too large resource version: 30");
    list.answer("504 Gateway Timeout", "application/json", too_new.as_bytes());
    let list = run.asked("limit=500");
    assert!(!list.target().contains("resourceVersion"), "{}", list.target());
    list.answer("200 OK", PROTOBUF, &sealed("4", "", &["a"]));
    run.pods(&["a@5"]);
    run.asked("watch=true&allowWatchBookmarks=true&resourceVersion=4");
}

#[test]
fn pages_are_put_together() {
    let run = start();
    run.asked("limit=500&resourceVersion=0").answer("200 OK", PROTOBUF, &sealed("9", "t/2", &["a"]));
    let second = run.asked("limit=500&continue=t%2F2");
    assert!(!second.target().contains("resourceVersion"));
    second.answer("200 OK", PROTOBUF, &sealed("9", "", &["b"]));
    run.pods(&["a@5", "b@5"]);
}

#[test]
fn a_list_that_is_too_large_over_all_its_pages_is_refused_and_the_last_pods_stay() {
    let run = start();
    run.begin().end();
    run.until(HealthState::Up);
    run.asked("watch=true").answer("410 Gone", "application/json", &status(410, "Expired", 0));
    let mut page = sealed("10", "more", &["c"]);
    // An unknown field, which a pod may have as well.
    crate::codec::wire::put_bytes(&mut page, 9, &vec![0; pods::MAX_BYTES / 2]);
    run.asked("resourceVersion=9").answer("200 OK", PROTOBUF, &page);
    run.asked("continue=more").answer("200 OK", PROTOBUF, &page);
    let Update::Health(SourceId::ApiServer, health) = run.next() else { panic!("no pods are told") };
    assert_eq!(health.state, HealthState::Down);
    assert!(health.error.contains("more than 64 MiB"), "{}", health.error);
    run.asked("resourceVersion=9").answer("200 OK", PROTOBUF, &sealed("11", "", &["b"]));
    run.pods(&["b@5"]);
}

#[test]
fn a_watch_does_not_add_more_than_a_list_may_hold() {
    let run = start();
    let mut watch = run.begin();
    run.until(HealthState::Up);
    let eighth = vec![0; pods::MAX_BYTES / 8];
    for i in 0..8 {
        let mut large = list::pod(&sample(&format!("large-{i}"), "10")).unwrap().as_bytes().to_vec();
        crate::codec::wire::put_bytes(&mut large, 99, &eighth);
        watch.frame("ADDED", &seal("Pod", &large));
    }
    let error = run.until(HealthState::Down);
    assert!(error.contains("more than 64 MiB of pods"), "{error}");
    // What was not taken is asked for.
    run.asked("limit=500&resourceVersion=10").answer("200 OK", PROTOBUF, &sealed("20", "", &["b"]));
    run.pods(&["b@5"]);
}

#[test]
fn pods_of_other_nodes_are_left_out_whatever_the_server_selects() {
    let run = start();
    let elsewhere = |name: &str, version: &str| {
        let mut object = sample(name, version);
        object["spec"]["nodeName"] = "other".into();
        object
    };
    let list = serde_json::json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"},
        "items": [sample("a", "5"), elsewhere("b", "5"), sample("c", "5")]});
    run.asked("resourceVersion=0").answer("200 OK", "application/json", list.to_string().as_bytes());
    run.pods(&["a@5", "c@5"]);
    let mut watch = run.asked("resourceVersion=9");
    let event = |kind: &str, object| format!("{}\n", serde_json::json!({"type": kind, "object": object}));
    let events = [event("ADDED", elsewhere("d", "10")), event("MODIFIED", elsewhere("a", "11"))].concat();
    watch.say(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{events}").as_bytes());
    run.pods(&["c@5"]);
    watch.end(Then::Close);
    run.asked("resourceVersion=11");
}

#[test]
fn json_does_as_well() {
    let run = start();
    let list = serde_json::json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": [sample("a", "5")]});
    run.asked("resourceVersion=0").answer("200 OK", "application/json", list.to_string().as_bytes());
    run.pods(&["a@5"]);
    let mut watch = run.asked("resourceVersion=9");
    let event = serde_json::json!({"type": "ADDED", "object": sample("b", "10")});
    watch.say(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{event}\n").as_bytes());
    run.pods(&["a@5", "b@10"]);
    watch.end(Then::Close);
    run.asked("resourceVersion=10");
}

#[test]
fn refusals_are_told_and_the_last_pods_stay() {
    let run = start();
    run.asked("resourceVersion=0").answer("403 Forbidden", "application/json", &status(403, "Forbidden", 0));
    let error = run.until(HealthState::Starting);
    // The first word is that it has begun.
    let error = if error.is_empty() { run.until(HealthState::Starting) } else { error };
    assert!(error.starts_with("the API server says no (403 Forbidden): of this test; this user needs"), "{error}");
    let watch = run.begin();
    assert_eq!(run.until(HealthState::Up), "");
    watch.end();
    run.asked("watch=true").answer("429 Too Many Requests", "application/json", &status(429, "TooManyRequests", 1));
    let error = run.until(HealthState::Down);
    assert!(error.contains("429 TooManyRequests"), "{error}");
    run.asked("watch=true").answer("200 OK", "text/html", b"<html>");
    assert!(run.until(HealthState::Down).contains("it is text/html"));
    let _watch = Watch::accept(run.asked("watch=true"));
    assert_eq!(run.until(HealthState::Up), "");
}

#[test]
fn a_half_open_watch_is_looked_after() {
    let run = start_with(Timing { silence: Duration::from_millis(50), shortest: Duration::ZERO, ..Timing::default() });
    let silent = run.begin();
    let mut watch = Watch::accept(run.asked("resourceVersion=9"));
    watch.pod("DELETED", "a", "10");
    run.pods(&["b@5"]);
    drop(silent);
}

#[test]
fn it_rests_while_a_kubelet_is_there() {
    let run = start();
    let mut watch = run.begin();
    run.until(HealthState::Up);
    run.control.rest(true);
    assert_eq!(run.until(HealthState::Resting), "");
    watch.pod("DELETED", "a", "10"); // into a connection that is gone
    run.control.rest(false);
    // A watch would answer before it tells what happened meanwhile, and what was known would pass for the present.
    run.asked("&limit=500&resourceVersion=9").answer("200 OK", PROTOBUF, &sealed("12", "", &["b"]));
    let Update::Pods { pods, .. } = run.next() else { panic!("the pods come before the word that it is up") };
    assert_eq!(pods.len(), 1);
    assert_eq!(run.until(HealthState::Up), "");
    let mut watch = Watch::accept(run.asked("resourceVersion=12&timeoutSeconds="));
    watch.pod("DELETED", "b", "13");
    run.pods(&[]);
}

#[test]
fn it_waits_for_the_nodes_name_and_stops_when_told() {
    let (url, asked) = listen();
    let (tx, updates) = bounded(64);
    let (stop, stopped) = bounded(0);
    let (control, controlled) = control();
    let options = Options { choice: Choice::Plain(url), places: Box::new(Vec::new), timing: Timing::default() };
    let thread = thread::spawn(move || run(Reporter::new(SourceId::ApiServer, tx, stopped), options, controlled));
    let run = Run { asked, updates, control, stop, thread };
    assert_eq!(run.health(), (HealthState::Starting, "the name of this node is not known yet".into()));
    assert!(run.asked.is_empty());
    run.control.node("n");
    let _silent = run.asked("resourceVersion=0");
    drop(run.stop);
    run.thread.join().unwrap();
}

#[test]
fn no_kubeconfig_is_absent_and_looked_for_again() {
    let (tx, updates) = bounded(64);
    let (_stop, stopped) = bounded(0);
    let (control, controlled) = control();
    control.node("n");
    let (looked, again) = bounded(2);
    let places = move || {
        let _ = looked.try_send(());
        vec!["/nowhere/kubelet.conf".into()]
    };
    let options = Options { choice: Choice::Auto, places: Box::new(places), timing: Timing::default() };
    thread::spawn(move || run(Reporter::new(SourceId::ApiServer, tx, stopped), options, controlled));
    let Ok(Update::Health(SourceId::ApiServer, health)) = updates.recv_timeout(LONG) else { panic!() };
    assert_eq!(health.state, HealthState::Absent);
    assert!(health.error.contains("/nowhere/kubelet.conf"), "{}", health.error);
    for _ in 0..2 {
        again.recv_timeout(LONG).unwrap();
    }
}
