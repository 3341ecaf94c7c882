//! The connections that the gRPC core owns.
//!
//! The core says nothing when it closes one, so the table is swept by asking the kernel: a descriptor that is closed,
//! or that now stands for another socket, is a connection that has ended.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::bucket::{Bucket, Rate};
use super::peer::Peer;
use crate::sys::file_id::FileId;

/// What a call costs its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A unary call.
    Unary,
    /// The start of a watch.
    Watch,
}

/// How often one connection may ask. Each has its own allowance, so that one that floods takes nothing from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Unary calls.
    pub unary: Rate,
    /// Starts of watches.
    pub watch: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { unary: Rate { per_second: 100.0, burst: 200.0 }, watch: Rate { per_second: 10.0, burst: 100.0 } }
    }
}

/// Descriptor to socket and peer, at most `most` of them.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    rates: Rates,
    open: Mutex<HashMap<RawFd, Connection>>,
}

#[derive(Debug)]
struct Connection {
    socket: FileId,
    peer: Peer,
    unary: Bucket,
    watch: Bucket,
}

impl Connections {
    /// An empty table for `most` connections. When it is full, new connections are refused.
    #[must_use]
    pub fn new(most: usize, rates: Rates) -> Self {
        Self { most, rates, open: Mutex::default() }
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
            let (now, Rates { unary, watch }) = (Instant::now(), self.rates);
            let (unary, watch) = (Bucket::new(unary, now), Bucket::new(watch, now));
            open.insert(fd, Connection { socket, peer: peer.clone(), unary, watch });
        }
        room
    }

    /// Who is at the other end, by the name that the gRPC core gives the connection (`fd:17`).
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<Peer> {
        let fd: RawFd = name.strip_prefix("fd:")?.parse().ok()?;
        self.open.lock().get(&fd).map(|c| c.peer.clone())
    }

    /// Takes one call from the allowance of the connection with this name.
    ///
    /// # Errors
    /// It has none left; the duration says when it has.
    pub fn take(&self, name: &str, kind: Kind, now: Instant) -> Result<(), Duration> {
        let mut open = self.open.lock();
        match name.strip_prefix("fd:").and_then(|n| n.parse().ok()).and_then(|fd: RawFd| open.get_mut(&fd)) {
            Some(c) if kind == Kind::Unary => c.unary.take(now),
            Some(c) => c.watch.take(now),
            None => Ok(()),
        }
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
        let table = Connections::new(2, Rates::default());
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
