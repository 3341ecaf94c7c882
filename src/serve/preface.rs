//! Connections that have not yet shown that they speak HTTP/2.
//!
//! The gRPC core gives a handed-over connection no time limit for its first bytes and tells nobody when it closes, so
//! a connection is handed over only after its preface was seen.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::peer::Peer;
use crate::sys::peer;

/// RFC 9113, section 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Connections that may wait at once. Clients send the preface right after connect(2), so whoever waits is slow or
/// silent. When it is full the one that waited longest is closed to make room.
const MOST_WAITING: usize = 64;
/// How often a connection is looked at that sent a part of the preface: poll(2) would report it at once, again and
/// again.
const PARTIAL_EVERY: Duration = Duration::from_millis(50);

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The whole preface has arrived.
    Http2,
    /// A beginning of it, maybe empty.
    Incomplete {
        /// Whether anything has arrived.
        partial: bool,
    },
    /// Another protocol, or the peer is gone.
    Refused(&'static str),
}

/// Looks at the first bytes without taking them.
pub(crate) fn judge(stream: &UnixStream) -> Verdict {
    let mut first = [0; PREFACE.len()];
    match peer::peek(stream, &mut first) {
        Ok(0) => Verdict::Refused("closed before it spoke"),
        Ok(n) if first.get(..n) != PREFACE.get(..n) => Verdict::Refused("does not speak HTTP/2"),
        Ok(n) if n == PREFACE.len() => Verdict::Http2,
        Ok(_) => Verdict::Incomplete { partial: true },
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Verdict::Incomplete { partial: false },
        Err(_) => Verdict::Refused("broke before it spoke"),
    }
}

struct Waiting {
    stream: UnixStream,
    peer: Peer,
    deadline: Instant,
    partial: bool,
}

/// The connections that wait, oldest first.
#[derive(Default)]
pub(crate) struct WaitingRoom {
    waiting: VecDeque<Waiting>,
}

impl WaitingRoom {
    /// Lets a connection wait until `deadline`.
    pub(crate) fn enter(&mut self, stream: UnixStream, peer: Peer, deadline: Instant, partial: bool) {
        if self.waiting.len() >= MOST_WAITING {
            if let Some(oldest) = self.waiting.pop_front() {
                log::debug!(
                    "{}: closed a silent connection of {} to make room",
                    oldest.peer.listener,
                    oldest.peer.cred
                );
            }
        }
        self.waiting.push_back(Waiting { stream, peer, deadline, partial });
    }

    /// The connections whose first byte is waited for.
    pub(crate) fn silent(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.waiting.iter().filter(|w| !w.partial).map(|w| w.stream.as_fd())
    }

    /// How long the room may be left alone.
    pub(crate) fn patience(&self, now: Instant) -> Option<Duration> {
        let deadline = self.waiting.front().map(|w| w.deadline.saturating_duration_since(now))?;
        let partial = self.waiting.iter().any(|w| w.partial);
        Some(if partial { deadline.min(PARTIAL_EVERY) } else { deadline })
    }

    /// Looks at everybody: whoever spoke HTTP/2 goes to `hand_over`, others that are late or wrong are closed.
    pub(crate) fn look(&mut self, now: Instant, mut hand_over: impl FnMut(UnixStream, Peer)) {
        for _ in 0..self.waiting.len() {
            let Some(mut one) = self.waiting.pop_front() else { return };
            match judge(&one.stream) {
                Verdict::Http2 => hand_over(one.stream, one.peer),
                Verdict::Incomplete { partial } if now < one.deadline => {
                    one.partial = partial;
                    self.waiting.push_back(one);
                }
                Verdict::Incomplete { .. } => {
                    log::debug!("{}: {} said nothing in time", one.peer.listener, one.peer.cred)
                }
                Verdict::Refused(why) => log::debug!("{}: {} {why}", one.peer.listener, one.peer.cred),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::peer::PeerCred;
    use std::io::Write;

    fn pair() -> (UnixStream, UnixStream, Peer) {
        let (a, b) = UnixStream::pair().unwrap();
        (a, b, Peer { cred: PeerCred { pid: 1, uid: 0, gid: 0 }, listener: "test".into() })
    }

    #[test]
    fn the_preface_decides() {
        for (sent, want) in [
            (&PREFACE[..], Verdict::Http2),
            (&b"PRI"[..], Verdict::Incomplete { partial: true }),
            (b"", Verdict::Incomplete { partial: false }),
            (b"GET / HTTP/1.1\r\n", Verdict::Refused("does not speak HTTP/2")),
        ] {
            let (mut a, b, _) = pair();
            a.write_all(sent).unwrap();
            assert_eq!(judge(&b), want, "{sent:?}");
        }
        let (a, b, _) = pair();
        drop(a);
        assert!(matches!(judge(&b), Verdict::Refused(_)));
    }

    #[test]
    fn a_slow_one_is_handed_over_and_a_silent_one_closed() {
        let (mut room, now) = (WaitingRoom::default(), Instant::now());
        let limit = now + Duration::from_secs(5);
        let (mut slow, b, peer) = pair();
        room.enter(b, peer, limit, false);
        let (mut silent, b, peer) = pair();
        room.enter(b, peer, limit, false);
        slow.write_all(&PREFACE[..10]).unwrap();
        room.look(now, |_, _| panic!("nobody is ready"));
        assert_eq!((room.silent().count(), room.patience(now)), (1, Some(PARTIAL_EVERY)));
        slow.write_all(&PREFACE[10..]).unwrap();
        let mut handed = 0;
        room.look(limit, |_, _| handed += 1);
        assert_eq!((handed, room.patience(now)), (1, None));
        assert_eq!(std::io::Read::read(&mut silent, &mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_full_room_closes_the_oldest() {
        let (mut room, limit) = (WaitingRoom::default(), Instant::now());
        let mut others = Vec::new();
        for _ in 0..=MOST_WAITING {
            let (a, b, peer) = pair();
            room.enter(b, peer, limit, false);
            others.push(a);
        }
        assert_eq!(room.silent().count(), MOST_WAITING);
        assert_eq!(std::io::Read::read(&mut others[0], &mut [0]).unwrap(), 0);
    }
}
