//! The socket's life: private from birth, nobody else's taken, back when deleted.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use inotify::{EventMask, Inotify, WatchMask};
use nodepods::serve::{OwnedSocket, ServeError, SocketOptions};
use nodepods::sys::poll;

use crate::client::PodsClient;
use crate::daemon::{eventually, pod, serve, Daemon, Scratch};

fn watch(dir: &Path) -> Inotify {
    let inotify = Inotify::init().unwrap();
    inotify.watches().add(dir, WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::ATTRIB).unwrap();
    inotify
}

/// Everything that has happened: kind of event, name, mode of the file at the first sight of it.
fn seen(inotify: &mut Inotify, dir: &Path) -> Vec<(EventMask, String, Option<u32>)> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(events) = inotify.read_events(&mut buffer) {
        for event in events {
            let name = event.name.unwrap_or_default().to_string_lossy().into_owned();
            let mode = fs::symlink_metadata(dir.join(&name)).ok().map(|m| m.permissions().mode() & 0o7777);
            all.push((event.mask, name, mode));
        }
    }
    all
}

#[test]
fn the_mode_is_0600_from_birth() {
    let scratch = Scratch::new();
    let dir = scratch.path();
    let mut inotify = watch(dir);
    let mut socket = OwnedSocket::bind(SocketOptions { path: dir.join("s"), mode: 0o600, group: None }).unwrap();
    fs::remove_file(socket.path()).unwrap();
    socket.remake().unwrap();
    let events = seen(&mut inotify, dir);
    for (mask, name, mode) in &events {
        assert!(mode.is_none_or(|mode| mode == 0o600), "{name}: {mode:?}");
        // A mode can only change with an ATTRIB event. There is none, so that the mode seen now is that of the birth.
        assert!(!mask.contains(EventMask::ATTRIB), "{name} was changed after its birth");
    }
    let kinds: Vec<_> = events.iter().map(|(mask, name, _)| (*mask, &**name)).collect();
    let made = [(EventMask::CREATE, ".s.new"), (EventMask::MOVED_TO, "s")];
    assert_eq!(kinds, [&[(EventMask::CREATE, ".s.lock")], &made[..], &made[..]].concat());
}

#[test]
fn a_second_server_is_refused_and_harms_nothing() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 10)]);
    let client = PodsClient::connect(&daemon.socket);
    let refused =
        OwnedSocket::bind(SocketOptions { path: daemon.socket.clone(), mode: 0o600, group: None }).unwrap_err();
    assert!(matches!(refused, ServeError::LiveServer { .. }));
    let message = refused.to_string();
    assert!(message.contains(daemon.socket.to_str().unwrap()), "{message}");
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    assert_eq!(client.list().unwrap().len(), 1);
    assert_eq!(PodsClient::connect(&daemon.socket).list().unwrap().len(), 1);
}

#[test]
fn a_stale_socket_is_replaced() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 10)]);
    let scratch = Scratch::new();
    let path = scratch.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(UnixStream::connect(&path).is_err());
    let _acceptor = serve(&path, &daemon.grpc);
    assert_eq!(PodsClient::connect(&path).list().unwrap().len(), 1);
}

#[test]
fn a_deleted_socket_comes_back() {
    let daemon = Daemon::start();
    daemon.publish(&[&pod("a", 1, 10)]);
    let old = PodsClient::connect(&daemon.socket);
    assert!(old.list().is_ok());
    let dir = daemon.socket.parent().unwrap();
    let mut inotify = watch(dir);
    fs::remove_file(&daemon.socket).unwrap();
    let ready = poll::readable(&[inotify.as_fd()], Some(Duration::from_secs(20))).unwrap();
    assert_eq!(ready, [true]);
    eventually("the socket is there", || {
        seen(&mut inotify, dir).iter().any(|(mask, name, _)| mask.contains(EventMask::MOVED_TO) && name == "pods.sock")
    });
    assert!(PodsClient::connect(&daemon.socket).list().is_ok());
    assert!(old.list().is_ok(), "a connection of before was lost");

    fs::remove_dir_all(dir).unwrap();
    eventually("the directory and the socket are there", || UnixStream::connect(&daemon.socket).is_ok());
    assert!(PodsClient::connect(&daemon.socket).list().is_ok());
}

#[test]
fn somebody_elses_socket_is_left_alone() {
    let mut daemon = Daemon::start();
    let beside = daemon.socket.with_file_name("theirs");
    let theirs = UnixListener::bind(&beside).unwrap();
    fs::rename(&beside, &daemon.socket).unwrap();
    // Their server answers although ours watches: ours has yielded.
    let _connection = UnixStream::connect(&daemon.socket).unwrap();
    theirs.accept().unwrap();
    daemon.stop_accepting();
    assert!(UnixStream::connect(&daemon.socket).is_ok(), "their socket was removed at our exit");

    fs::remove_file(&daemon.socket).unwrap();
    assert!(!daemon.socket.exists());
}

#[test]
fn after_yielding_the_path_is_taken_up_when_it_is_free() {
    let daemon = Daemon::start();
    daemon.publish(&[]);
    let beside = daemon.socket.with_file_name("theirs");
    let theirs = UnixListener::bind(&beside).unwrap();
    fs::rename(&beside, &daemon.socket).unwrap();
    drop(theirs);
    fs::remove_file(&daemon.socket).unwrap();
    assert!(PodsClient::connect(&daemon.socket).list().is_ok());
}
