//! Connections that wait: one thread, one poll set. Whoever is silent or slow costs a descriptor and a few bytes, and
//! no thread.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, Receiver, Sender, TrySendError};

use super::connection::{Arrived, Connection};
use super::refusal::Refusal;
use super::route;
use super::stream::Stream;
use crate::heartbeat::{self, Heartbeats};
use crate::serve::metrics::Page;
use crate::sys::poll::{self, Interest};

const STACK: usize = 128 * 1024;
/// How long a client gets to take a last answer.
const FAREWELL: Duration = Duration::from_secs(2);
/// Messages to the thread that it has not read yet.
const INBOX: usize = 64;

/// How long connections may wait, and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) most: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
}

enum Message {
    Park(Connection),
    /// Watch over a stream whose answer is being sent: dropping the sender tells that its client is gone.
    Guard(Arc<Stream>, Sender<()>),
    Unguard(Arc<Stream>),
}

/// The way to the thread.
#[derive(Clone)]
pub(crate) struct Parking {
    inbox: Sender<Message>,
    wake: Arc<UnixStream>,
}

/// The running thread. It ends when told to, or with the last [`Parking`].
pub(crate) struct ParkingThread {
    thread: Option<JoinHandle<()>>,
}

impl Parking {
    /// Starts the thread `NAME-poll`. Connections on which a whole head has arrived go to `ready`.
    ///
    /// # Errors
    /// The thread or its means cannot be made.
    pub(crate) fn start(
        name: &str,
        limits: Limits,
        ready: Sender<Connection>,
        page: Arc<Page>,
        beats: &Heartbeats,
    ) -> io::Result<(Self, ParkingThread)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        // When it is full, whoever tells something waits until the thread comes round. The thread waits for none of them.
        let (inbox, messages) = bounded(INBOX);
        let mut lot = Lot { limits, messages, woken, ready, page, parked: Vec::new(), guarded: Vec::new() };
        let (name, beats) = (format!("{name}-poll"), beats.clone());
        let thread = thread::Builder::new().name(name.clone()).stack_size(STACK).spawn(move || {
            let _watched = beats.enter(&name);
            lot.run();
        })?;
        Ok((Self { inbox, wake: Arc::new(wake) }, ParkingThread { thread: Some(thread) }))
    }

    /// Leaves a connection until its next request has arrived.
    pub(crate) fn park(&self, connection: Connection) {
        self.tell(Message::Park(connection));
    }

    /// Drops `going` when the client at the other end of `stream` is gone, until the guard is dropped.
    pub(crate) fn guard(&self, stream: &Arc<Stream>, going: Sender<()>) -> Guard<'_> {
        self.tell(Message::Guard(Arc::clone(stream), going));
        Guard { parking: self, stream: Arc::clone(stream) }
    }

    /// Ends the thread; parked connections are closed.
    pub(crate) fn stop(&self) {
        let _ = self.wake.shutdown(std::net::Shutdown::Both); // it may be gone already
    }

    fn tell(&self, message: Message) {
        // An error means that the thread has ended: what was told is dropped, and with it the connection.
        if self.inbox.send(message).is_ok() {
            let _ = (&*self.wake).write(&[1]); // full: it is being woken already
        }
    }
}

/// Somebody watches over a stream while this lives.
pub(crate) struct Guard<'a> {
    parking: &'a Parking,
    stream: Arc<Stream>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.parking.tell(Message::Unguard(Arc::clone(&self.stream)));
    }
}

impl ParkingThread {
    /// Waits for its end.
    pub(crate) fn join(mut self) {
        if self.thread.take().is_some_and(|t| t.join().is_err()) {
            log::error!("the thread of waiting HTTP connections ended in a panic");
        }
    }
}

struct Parked {
    connection: Connection,
    deadline: Instant,
    begun: bool,
}

/// The state of the thread.
struct Lot {
    limits: Limits,
    messages: Receiver<Message>,
    woken: UnixStream,
    ready: Sender<Connection>,
    /// Where refusals are counted.
    page: Arc<Page>,
    /// Who waited longest comes first.
    parked: Vec<Parked>,
    guarded: Vec<(Arc<Stream>, Sender<()>)>,
}

impl Lot {
    fn run(&mut self) {
        loop {
            let woken = match self.wait() {
                Ok(ready) => self.look(&ready),
                Err(e) => {
                    log::error!("cannot wait for HTTP requests: {e}");
                    thread::sleep(FAREWELL / 10);
                    true
                }
            };
            if woken && self.is_stopped() {
                return;
            }
            while let Ok(message) = self.messages.try_recv() {
                match message {
                    Message::Park(connection) => self.enter(connection),
                    Message::Guard(stream, going) => self.guarded.push((stream, going)),
                    Message::Unguard(stream) => self.guarded.retain(|(s, _)| !Arc::ptr_eq(s, &stream)),
                }
            }
            self.expire(Instant::now());
        }
    }

    /// Empties the wake-up pipe; true where it is closed.
    fn is_stopped(&self) -> bool {
        let mut rubbish = [0; 64];
        loop {
            match (&self.woken).read(&mut rubbish) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(e) => return !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
            }
        }
    }

    fn wait(&self) -> io::Result<Vec<bool>> {
        let now = Instant::now();
        let patience = self.parked.iter().map(|p| p.deadline.saturating_duration_since(now)).min();
        let fds: Vec<(BorrowedFd<'_>, Interest)> = std::iter::once((self.woken.as_fd(), Interest::Input))
            .chain(self.parked.iter().map(|p| (p.connection.fd(), Interest::Input)))
            .chain(self.guarded.iter().map(|(stream, _)| (stream.as_fd(), Interest::HangUp)))
            .collect();
        let _rest = heartbeat::rest(patience.map(|patience| now + patience));
        poll::ready(&fds, patience)
    }

    /// Deals with what poll(2) found; true where the pipe is among it.
    fn look(&mut self, ready: &[bool]) -> bool {
        let mut ready = ready.iter().copied();
        let woken = ready.next().unwrap_or(false);
        for mut one in std::mem::take(&mut self.parked) {
            if ready.next().unwrap_or(false) {
                let arrived = one.connection.fill();
                self.place(one, arrived);
            } else {
                self.parked.push(one);
            }
        }
        self.guarded.retain(|_| !ready.next().unwrap_or(false));
        woken
    }

    fn enter(&mut self, mut connection: Connection) {
        let arrived = connection.judge();
        let patience = match () {
            () if connection.is_ending() => FAREWELL,
            () if connection.has_begun() => self.limits.head_timeout,
            () => self.limits.idle_timeout,
        };
        // Room is made by closing who waited longest: a flood of silent connections displaces itself.
        if self.parked.len() >= self.limits.most {
            let oldest = self.parked.remove(0);
            log::debug!("closed a waiting connection of {} to make room", oldest.connection.client());
        }
        let begun = connection.has_begun();
        self.place(Parked { connection, deadline: Instant::now() + patience, begun }, arrived);
    }

    fn place(&mut self, mut one: Parked, arrived: Arrived) {
        match arrived {
            Arrived::Head => match self.ready.try_send(one.connection) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(connection)) => {
                    one.connection = connection;
                    self.refuse(&mut one, &Refusal::TooMany("requests"));
                }
            },
            Arrived::End => return,
            Arrived::TooLong => self.refuse(&mut one, &Refusal::HeadTooLarge),
            // The time for a head counts from its first byte, and more bytes do not prolong it.
            Arrived::Part if one.connection.has_begun() && !one.begun => {
                one.begun = true;
                one.deadline = Instant::now() + self.limits.head_timeout;
            }
            Arrived::Part => {}
        }
        self.parked.push(one);
    }

    fn refuse(&self, one: &mut Parked, refusal: &Refusal) {
        self.page.metrics().http_answered(route::NO_PATH, refusal.code());
        one.connection.refuse(refusal);
        one.deadline = Instant::now() + FAREWELL;
    }

    fn expire(&mut self, now: Instant) {
        for mut one in std::mem::take(&mut self.parked) {
            if one.deadline > now {
                self.parked.push(one);
            } else if one.connection.has_begun() {
                self.refuse(&mut one, &Refusal::TooSlow);
                self.parked.push(one);
            }
        }
    }
}
