//! Connections that have not yet shown that they speak HTTP/2.
//!
//! The gRPC core gives a handed-over connection no time limit for its first bytes and tells nobody when it closes, so
//! a connection is handed over only after its whole preface was seen: the fixed text and the SETTINGS frame that a
//! client sends at once behind it (RFC 9113, section 3.4).

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::peer::Peer;
use crate::sys::peer;

/// RFC 9113, section 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Head of a frame: three bytes of length, one of type, one of flags, four of stream (section 4.1).
const FRAME_HEAD: usize = 9;
/// Type of a SETTINGS frame (section 6.5).
const SETTINGS: u8 = 4;
/// The longest SETTINGS frame that is waited for, in bytes: 32 settings, several times what there are.
const MOST_SETTINGS: usize = 32 * 6;
/// Connections that may wait at once. Clients send the preface right after connect(2), so whoever waits is slow or
/// silent. When it is full the one that waited longest is closed to make room.
const MOST_WAITING: usize = 64;
/// When a connection is looked at again that sent a part of the preface, at first and at most, with twice the time
/// after each look: poll(2) would report it at once, again and again. The rest mostly comes within microseconds.
const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(64);

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
    let mut first = [0; PREFACE.len() + FRAME_HEAD + MOST_SETTINGS];
    match peer::peek(stream, &mut first) {
        Ok(0) => Verdict::Refused("closed before it spoke"),
        Ok(n) => first.get(..n).map_or(Verdict::Refused("broke before it spoke"), read),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Verdict::Incomplete { partial: false },
        Err(_) => Verdict::Refused("broke before it spoke"),
    }
}

fn read(first: &[u8]) -> Verdict {
    let (text, frame) = first.split_at(first.len().min(PREFACE.len()));
    if !PREFACE.starts_with(text) {
        return Verdict::Refused("does not speak HTTP/2");
    }
    match frame {
        [_, _, _, kind, ..] if *kind != SETTINGS => Verdict::Refused("begins HTTP/2 without its settings"),
        [a, b, c, _, rest @ ..] => {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            match length {
                _ if length > MOST_SETTINGS => Verdict::Refused("begins HTTP/2 with too many settings"),
                _ if rest.len() >= FRAME_HEAD - 4 + length => Verdict::Http2,
                _ => Verdict::Incomplete { partial: true },
            }
        }
        _ => Verdict::Incomplete { partial: true },
    }
}

struct Waiting {
    stream: UnixStream,
    peer: Peer,
    deadline: Instant,
    /// For one that sent a part: when it is looked at, and the pause after that.
    again: Option<(Instant, Duration)>,
}

/// The connections that wait, oldest first.
#[derive(Default)]
pub(crate) struct WaitingRoom {
    waiting: VecDeque<Waiting>,
}

impl WaitingRoom {
    /// Lets a connection wait from `now` until `deadline`.
    pub(crate) fn enter(&mut self, stream: UnixStream, peer: Peer, now: Instant, deadline: Instant, partial: bool) {
        if self.waiting.len() >= MOST_WAITING {
            if let Some(oldest) = self.waiting.pop_front() {
                log::debug!(
                    "{}: closed a silent connection of {} to make room",
                    oldest.peer.listener,
                    oldest.peer.cred
                );
            }
        }
        let again = partial.then_some((now + SOON, SOON * 2));
        self.waiting.push_back(Waiting { stream, peer, deadline, again });
    }

    /// The connections whose first byte is waited for.
    pub(crate) fn silent(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.waiting.iter().filter(|w| w.again.is_none()).map(|w| w.stream.as_fd())
    }

    /// How long the room may be left alone.
    pub(crate) fn patience(&self, now: Instant) -> Option<Duration> {
        let deadline = self.waiting.front().map(|w| w.deadline)?;
        let looks = self.waiting.iter().filter_map(|w| w.again.map(|(at, _)| at));
        Some(looks.fold(deadline, Instant::min).saturating_duration_since(now))
    }

    /// Looks at everybody: whoever spoke HTTP/2 goes to `hand_over`, others that are late or wrong are closed.
    pub(crate) fn look(&mut self, now: Instant, mut hand_over: impl FnMut(UnixStream, Peer)) {
        for _ in 0..self.waiting.len() {
            let Some(mut one) = self.waiting.pop_front() else { return };
            if one.again.is_some_and(|(at, _)| now < at) && now < one.deadline {
                self.waiting.push_back(one);
                continue;
            }
            match judge(&one.stream) {
                Verdict::Http2 => hand_over(one.stream, one.peer),
                Verdict::Incomplete { partial } if now < one.deadline => {
                    let pause = one.again.map_or(SOON, |(_, pause)| pause);
                    one.again = partial.then_some((now + pause, (pause * 2).min(LATER)));
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

    /// What a client says first, with settings of this length (0: theirs).
    fn hello(settings: &[u8], length: usize) -> Vec<u8> {
        let length = u8::try_from(length.max(settings.len())).unwrap();
        [PREFACE, &[0, 0, length, SETTINGS, 0, 0, 0, 0, 0][..], settings].concat()
    }

    #[test]
    fn the_preface_decides() {
        let part = Verdict::Incomplete { partial: true };
        for (sent, want) in [
            (hello(&[0; 0], 0), Verdict::Http2),
            (hello(&[0, 3, 0, 0, 0, 1], 0), Verdict::Http2),
            ([hello(&[], 0), vec![0; 500]].concat(), Verdict::Http2),
            (b"PRI".to_vec(), part),
            (PREFACE.to_vec(), part),
            (hello(&[], 0)[..30].to_vec(), part),
            (hello(&[0; 5], 6), part),
            (Vec::new(), Verdict::Incomplete { partial: false }),
            (b"GET / HTTP/1.1\r\n".to_vec(), Verdict::Refused("does not speak HTTP/2")),
            ([&PREFACE[..], &[0; 9]].concat(), Verdict::Refused("begins HTTP/2 without its settings")),
            (hello(&[], 198), Verdict::Refused("begins HTTP/2 with too many settings")),
        ] {
            let (mut a, b, _) = pair();
            a.write_all(&sent).unwrap();
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
        room.enter(b, peer, now, limit, false);
        let (mut silent, b, peer) = pair();
        room.enter(b, peer, now, limit, false);
        slow.write_all(&PREFACE[..10]).unwrap();
        room.look(now, |_, _| panic!("nobody is ready"));
        assert_eq!((room.silent().count(), room.patience(now)), (1, Some(SOON)));
        room.look(now + SOON, |_, _| panic!("nobody is ready"));
        assert_eq!(room.patience(now + SOON), Some(SOON * 2));
        slow.write_all(&hello(&[], 0)[10..]).unwrap();
        let mut handed = 0;
        room.look(limit, |_, _| handed += 1);
        assert_eq!((handed, room.patience(now)), (1, None));
        assert_eq!(std::io::Read::read(&mut silent, &mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_full_room_closes_the_oldest() {
        let (mut room, now) = (WaitingRoom::default(), Instant::now());
        let mut others = Vec::new();
        for _ in 0..=MOST_WAITING {
            let (a, b, peer) = pair();
            room.enter(b, peer, now, now, false);
            others.push(a);
        }
        assert_eq!(room.silent().count(), MOST_WAITING);
        assert_eq!(std::io::Read::read(&mut others[0], &mut [0]).unwrap(), 0);
    }
}
