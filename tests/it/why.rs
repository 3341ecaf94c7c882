//! `nodepods why` as people and programs call it, against a daemon over a store that the test fills.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::daemon::{pod, Daemon, Scratch};

/// Exit code, standard output, standard error.
fn why(socket: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodepods"));
    command.arg("why").args(words).env("NODEPODS_SOCKET", socket).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn names_lead_to_pods_and_to_exit_codes() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 9), &pod("b", 2, 9)]);
    let (code, out, err) = why(&daemon.socket, &["pod-a", "-o", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    assert_eq!(report["pods"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["pods"][0]["name"], "pod-a");
    assert_eq!(code, i32::from(report["trouble"] == true));
    let (_, all, _) = why(&daemon.socket, &["-o", "json"]);
    let report: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(report["pods"].as_array().map(Vec::len), Some(2));
    let (code, _, err) = why(&daemon.socket, &["nobody"]);
    assert_eq!(code, 3);
    assert!(err.contains("there is no pod \"nobody\"") && err.contains("nodepods get pods"), "{err}");
    assert_eq!(why(&daemon.socket, &["-o", "xml"]).0, 2);
}

#[test]
fn a_node_that_is_not_known_yet_and_no_daemon_at_all() {
    let daemon = Daemon::start();
    let (code, _, err) = why(&daemon.socket, &[]);
    assert_eq!(code, 69);
    assert!(err.contains("does not know this node yet"), "{err}");
    let scratch = Scratch::new();
    let (code, out, err) = why(&scratch.path().join("none.sock"), &[]);
    assert_eq!((code, out.as_str()), (69, ""));
    assert!(err.contains("systemctl start nodepods"), "{err}");
}

#[test]
fn lines_fit_a_terminal() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 9)]);
    let (_, out, _) = why(&daemon.socket, &["pod-a"]);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
}
