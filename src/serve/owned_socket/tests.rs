use super::*;
use std::os::unix::net::UnixStream;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("nodepods-owned-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn options(&self, name: &str) -> SocketOptions {
        SocketOptions { path: self.0.join(name), mode: 0o600, group: None }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_socket_comes_with_its_lock_and_leaves_nothing() {
    let scratch = Scratch::new("life");
    let socket = OwnedSocket::bind(scratch.options("s")).unwrap();
    assert_eq!(scratch.names(), [".s.lock", "s"]);
    assert_eq!((mode(socket.path()), mode(&scratch.0.join(".s.lock"))), (0o600, 0o600));
    assert_eq!(socket.presence(), Presence::Ours);
    UnixStream::connect(socket.path()).unwrap();
    drop(socket);
    assert!(scratch.names().is_empty());
}

#[test]
fn a_wider_mode_than_the_umask_allows_is_reached() {
    let scratch = Scratch::new("mode");
    let mut options = scratch.options("s");
    options.mode = 0o666;
    let socket = OwnedSocket::bind(options).unwrap();
    assert_eq!(mode(socket.path()), 0o666);
}

#[test]
fn only_missing_directories_are_made() {
    let scratch = Scratch::new("dirs");
    fs::set_permissions(&scratch.0, Permissions::from_mode(0o711)).unwrap();
    let _socket = OwnedSocket::bind(scratch.options("a/b/s")).unwrap();
    assert_eq!((mode(&scratch.0), mode(&scratch.0.join("a")), mode(&scratch.0.join("a/b"))), (0o711, 0o750, 0o750));
}

#[test]
fn whoever_is_there_first_stays() {
    let scratch = Scratch::new("first");
    let ours = OwnedSocket::bind(scratch.options("s")).unwrap();
    let refused = OwnedSocket::bind(scratch.options("s")).unwrap_err();
    assert!(matches!(refused, ServeError::LiveServer { pid: Some(pid), .. } if pid == std::process::id()));
    assert_eq!(ours.presence(), Presence::Ours);

    let _foreign = UnixListener::bind(scratch.0.join("t")).unwrap();
    let refused = OwnedSocket::bind(scratch.options("t")).unwrap_err();
    assert!(matches!(refused, ServeError::LiveServer { pid: None, .. }), "{refused}");
    UnixStream::connect(scratch.0.join("t")).unwrap();

    fs::write(scratch.0.join("file"), "precious").unwrap();
    assert!(matches!(OwnedSocket::bind(scratch.options("file")), Err(ServeError::NotASocket { .. })));
    assert_eq!(fs::read(scratch.0.join("file")).unwrap(), b"precious");
    std::os::unix::fs::symlink("nowhere", scratch.0.join("link")).unwrap();
    assert!(matches!(OwnedSocket::bind(scratch.options("link")), Err(ServeError::NotASocket { .. })));
}

#[test]
fn leftovers_of_a_crash_are_replaced() {
    let scratch = Scratch::new("stale");
    drop(UnixListener::bind(scratch.0.join("s")).unwrap());
    drop(UnixListener::bind(scratch.0.join(".s.new")).unwrap());
    fs::write(scratch.0.join(".s.lock"), "1\n").unwrap();
    let _socket = OwnedSocket::bind(scratch.options("s")).unwrap();
    UnixStream::connect(scratch.0.join("s")).unwrap();
    assert_eq!(scratch.names(), [".s.lock", "s"]);
}

#[test]
fn what_was_deleted_is_made_again() {
    let scratch = Scratch::new("again");
    let mut socket = OwnedSocket::bind(scratch.options("d/s")).unwrap();
    for deleted in ["d/s", "d/.s.lock", "d"] {
        let path = scratch.0.join(deleted);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(socket.presence(), Presence::Vanished, "{deleted}");
        socket.remake().unwrap();
        assert_eq!(socket.presence(), Presence::Ours, "{deleted}");
        UnixStream::connect(socket.path()).unwrap();
    }
}

#[test]
fn a_foreign_socket_is_neither_replaced_nor_removed() {
    let scratch = Scratch::new("foreign");
    let mut socket = OwnedSocket::bind(scratch.options("s")).unwrap();
    fs::remove_file(socket.path()).unwrap();
    let foreign = UnixListener::bind(socket.path()).unwrap();
    assert_eq!(socket.presence(), Presence::Foreign);
    assert!(matches!(socket.remake(), Err(ServeError::LiveServer { .. })));
    drop(foreign); // nobody answers any more, but it is not ours to remove either
    assert!(matches!(socket.remake(), Err(ServeError::LiveServer { .. })));
    drop(socket);
    assert_eq!(scratch.names(), ["s"]);
}

#[test]
fn impossible_paths_are_named() {
    let scratch = Scratch::new("paths");
    let long = OwnedSocket::bind(scratch.options(&"x".repeat(200))).unwrap_err();
    assert!(long.to_string().contains("too long for a socket path; at most 107 fit"), "{long}");
    let relative = SocketOptions { path: "s".into(), mode: 0o600, group: None };
    assert!(matches!(OwnedSocket::bind(relative), Err(ServeError::BadPath { .. })));
}
