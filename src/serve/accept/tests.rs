use super::*;
use crate::serve::owned_socket::SocketOptions;
use crossbeam_channel::{bounded, Receiver};
use std::io::{Read, Write};
use std::path::PathBuf;

/// With an empty SETTINGS frame behind the fixed text.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const LONG: Duration = Duration::from_secs(10);

struct Running {
    path: PathBuf,
    dir: PathBuf,
    arrived: Receiver<(UnixStream, Peer)>,
    acceptor: Option<Acceptor>,
}

impl Running {
    fn new(name: &str, options: AcceptOptions) -> Self {
        let dir = std::env::temp_dir().join(format!("nodepods-accept-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let path = dir.join("s.sock");
        let socket = OwnedSocket::bind(SocketOptions { path: path.clone(), mode: 0o600, group: None }).unwrap();
        let (arrivals, arrived) = bounded(16);
        let acceptor = Acceptor::start(socket, options, move |s, p| arrivals.send((s, p)).unwrap()).unwrap();
        Self { path, dir, arrived, acceptor: Some(acceptor) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.acceptor.take());
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn a_silent_client_holds_nobody_up() {
    let running = Running::new("silent", AcceptOptions::default());
    let _silent = UnixStream::connect(&running.path).unwrap();
    let mut client = UnixStream::connect(&running.path).unwrap();
    client.write_all(PREFACE).unwrap();
    let (_, peer) = running.arrived.recv_timeout(LONG).unwrap();
    assert_eq!(peer.cred.pid as u32, std::process::id());
    assert_eq!(&*peer.listener, running.path.to_str().unwrap());
}

#[test]
fn half_a_greeting_is_hung_up_on() {
    let options = AcceptOptions { preface_timeout: Duration::from_millis(50), ..AcceptOptions::default() };
    let running = Running::new("half", options);
    let mut client = UnixStream::connect(&running.path).unwrap();
    client.write_all(&PREFACE[..PREFACE.len() - 1]).unwrap();
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    assert!(running.arrived.is_empty());
}

#[test]
fn other_users_are_hung_up_on() {
    let options = AcceptOptions { allow_uids: vec![u32::MAX - 1], ..AcceptOptions::default() };
    let running = Running::new("users", options);
    let mut client = UnixStream::connect(&running.path).unwrap();
    let _ = client.write_all(PREFACE);
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    assert!(running.arrived.is_empty());
}

#[test]
fn stopping_removes_the_socket() {
    let mut running = Running::new("stop", AcceptOptions::default());
    running.acceptor.take().unwrap().stop();
    assert_eq!(std::fs::read_dir(&running.dir).unwrap().count(), 0);
}

#[test]
fn an_inherited_socket_stays() {
    let dir = std::env::temp_dir().join(format!("nodepods-inherited-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("s");
    let listener = crate::sys::socket::listen(&path, 0o600, 8).unwrap();
    let (arrivals, arrived) = bounded(1);
    let acceptor =
        Acceptor::start_inherited(listener, "fd 3", AcceptOptions::default(), move |_, p| arrivals.send(p).unwrap());
    UnixStream::connect(&path).unwrap().write_all(PREFACE).unwrap();
    assert_eq!(&*arrived.recv_timeout(LONG).unwrap().listener, "fd 3");
    acceptor.unwrap().stop();
    assert!(path.exists());
    std::fs::remove_dir_all(&dir).unwrap();
}
