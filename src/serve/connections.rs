//! The connections that the gRPC core owns.
//!
//! The core says nothing when it closes one, so the table is swept by asking the kernel: a descriptor that is closed,
//! or that now stands for another socket, is a connection that has ended.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use parking_lot::Mutex;

use super::accept::Peer;
use crate::sys::file_id::FileId;

/// Descriptor to socket and peer, at most `most` of them.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    open: Mutex<HashMap<RawFd, Connection>>,
}

#[derive(Debug)]
struct Connection {
    socket: FileId,
    peer: Peer,
}

impl Connections {
    /// An empty table for `most` connections. When it is full, new connections are refused.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// Notes a connection that is about to be handed over, under its descriptor's number. False where there are too
    /// many; it is not noted then.
    #[must_use]
    pub fn enter(&self, stream: &UnixStream, peer: &Peer) -> bool {
        let fd = stream.as_raw_fd();
        let Ok(socket) = FileId::of_fd(fd) else { return false };
        let mut open = self.open.lock();
        open.remove(&fd); // the number is free again, so that connection is closed
        if open.len() >= self.most {
            open.retain(|&fd, c| FileId::of_fd(fd).is_ok_and(|now| now == c.socket));
        }
        let room = open.len() < self.most;
        if room {
            open.insert(fd, Connection { socket, peer: peer.clone() });
        }
        room
    }

    /// Who is at the other end, by the name that the gRPC core gives the connection (`fd:17`).
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<Peer> {
        let fd: RawFd = name.strip_prefix("fd:")?.parse().ok()?;
        self.open.lock().get(&fd).map(|c| c.peer.clone())
    }

    /// How many are open now.
    #[must_use]
    pub fn count(&self) -> usize {
        let mut open = self.open.lock();
        open.retain(|&fd, c| FileId::of_fd(fd).is_ok_and(|now| now == c.socket));
        open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::peer::PeerCred;

    #[test]
    fn full_means_full_of_open_ones() {
        let peer = |pid| Peer { cred: PeerCred { pid, uid: 0, gid: 0 }, listener: "test".into() };
        let table = Connections::new(2);
        let (a, b) = UnixStream::pair().unwrap();
        let (c, d) = UnixStream::pair().unwrap();
        assert!(table.enter(&a, &peer(1)) && table.enter(&b, &peer(2)));
        assert!(!table.enter(&c, &peer(3)));
        assert_eq!(table.peer(&format!("fd:{}", b.as_raw_fd())), Some(peer(2)));
        assert_eq!(table.peer(&format!("fd:{}", c.as_raw_fd())), None);
        drop(a);
        assert!(table.enter(&d, &peer(4)));
        assert_eq!(table.count(), 2);
    }
}
