//! The command line as people type it, against a daemon over a store that the test fills.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use nodepods::store::snapshot::Snapshot;
use nodepods::store::update::SourceId;

use crate::daemon::{pod, serve, Daemon, Scratch};

fn nodepods(socket: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodepods"));
    command.args(line.split_whitespace()).env("NODEPODS_SOCKET", socket).stdin(Stdio::null());
    command
}

/// Exit code, standard output, standard error.
fn run(socket: &Path, line: &str) -> (i32, String, String) {
    let output = nodepods(socket, line).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn get_in_every_form() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 9), &pod("b", 2, 9)]);
    let get = |line: &str| run(&daemon.socket, line);
    let (code, out, err) = get("get pods");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" "),
        "NAMESPACE NAME READY STATUS RESTARTS AGE"
    );
    assert_eq!(out.lines().count(), 3);
    assert_eq!(get("get po -oname"), (0, "pod/pod-a\npod/pod-b\n".into(), String::new()));
    assert_eq!(get("get pods/pod-b -o=name").1, "pod/pod-b\n");
    assert_eq!(get("get --output=name -- b").1, "pod/pod-b\n", "by UID");
    let list: serde_json::Value = serde_json::from_str(&get("get -o json").1).unwrap();
    assert_eq!((list["kind"].as_str(), list["items"].as_array().map(Vec::len)), (Some("List"), Some(2)));
    assert!(get("get pod pod-a -o yaml").1.starts_with("apiVersion: v1\nkind: Pod\n"));
    assert_eq!(get("get pods -n none"), (0, String::new(), "No resources found in none namespace.\n".into()));
}

#[test]
fn failures_have_their_exit_codes_and_say_what_to_do() {
    let daemon = Daemon::start();
    let get = |line: &str| run(&daemon.socket, line);
    let (code, out, err) = get("get pods");
    assert_eq!((code, out.as_str()), (69, ""));
    assert!(err.contains("nodepods is initializing") && err.contains("Try again"), "{err}");
    daemon.publish(&[&pod("a", 1, 9)]);
    let (code, out, err) = get("get pod x");
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.starts_with("Error from server (NotFound): pods \"x\" not found\n'nodepods get pods' shows"), "{err}");
    let (code, out, _) = get("get pod pod-a x -o name");
    assert_eq!((code, out.as_str()), (3, "pod/pod-a\n"), "what exists is shown");
    assert_eq!(get("get -o xml").0, 2);
    assert_eq!(get("gte").0, 2);
    let scratch = Scratch::new();
    let (code, _, err) = run(&scratch.path().join("none.sock"), "get");
    assert_eq!(code, 69);
    assert!(err.contains("systemctl start nodepods"), "{err}");
}

#[test]
fn what_the_daemon_says_beside_the_pods_is_a_warning() {
    let daemon = Daemon::start();
    let snapshot = Snapshot { initialized: true, incomplete: vec![SourceId::Runtime], ..Snapshot::empty(2) };
    daemon.store.publish(Arc::new(snapshot));
    let (code, _, err) = run(&daemon.socket, "get pods");
    assert_eq!(code, 0);
    assert!(err.starts_with("Warning: pods may be missing: cri has not answered\n"), "{err}");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let daemon = Daemon::start();
    let pods: Vec<_> = (0..200).map(|i| pod(&format!("u{i:03}"), 1, 4096)).collect();
    daemon.publish(&pods.iter().collect::<Vec<_>>());
    let mut child =
        nodepods(&daemon.socket, "get -o json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((first.as_str(), output.status.code(), output.stderr.as_slice()), ("{\n", Some(0), &b""[..]));
}

#[test]
fn a_watch_outlives_its_daemon() {
    let mut daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 9), &pod("b", 1, 9)]);
    let mut child =
        nodepods(&daemon.socket, "watch -o json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || {
        let event: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        format!("{} {}", event["type"].as_str().unwrap(), event["object"]["metadata"]["name"].as_str().unwrap())
    };
    assert_eq!([next(), next()], ["ADDED pod-a", "ADDED pod-b"]);
    daemon.publish(&[&pod("a", 2, 9), &pod("b", 1, 9)]);
    assert_eq!(next(), "MODIFIED pod-a");
    daemon.stop_accepting();
    daemon.grpc.shutdown(std::time::Duration::from_secs(1));
    let again = Daemon::start();
    again.publish(&[&pod("a", 2, 9), &pod("c", 3, 9)]);
    let _acceptor = serve(&daemon.socket, &again.grpc);
    assert_eq!([next(), next()], ["ADDED pod-c", "DELETED pod-b"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_second_daemon_is_refused_and_a_foreign_file_left_alone() {
    let scratch = Scratch::new();
    let taken = scratch.path().join("taken.sock");
    let _listener = UnixListener::bind(&taken).unwrap();
    let state = scratch.path().join("state");
    let line = |socket: &Path| format!("serve --state-dir {} --socket {}", state.display(), socket.display());
    let (code, _, err) = run(&taken, &line(&taken));
    assert_eq!(code, 1);
    assert!(err.contains("taken.sock: another server answers on this socket"), "{err}");
    let file = scratch.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    let (code, _, err) = run(&file, &line(&file));
    assert_eq!((code, std::fs::read_to_string(&file).unwrap().as_str()), (78, "precious"));
    assert!(err.contains("a file that is no socket is in the way"), "{err}");
}
