//! Connections of the proxy: who may use them, what may be asked on them, and the way to the daemon.
//!
//! The head of each request is read and checked; the daemon's answers pass through untouched. Two threads serve a
//! connection: one for either direction.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::owner;
use crate::serve::http::rebinding;
use crate::serve::http::refusal::Refusal;
use crate::serve::http::reply::Reply;
use crate::serve::http::request::{self, MAX_BODY, MAX_HEAD};
use crate::serve::tcp::TcpAcceptor;
use crate::sys::poll;

const STACK: usize = 128 * 1024;
/// Connections at a time; more are closed at once. kubectl needs one or two.
const MOST: usize = 64;
/// How long a client gets to take a last answer.
const FAREWELL: Duration = Duration::from_secs(2);
/// A client that takes nothing for so long is dropped.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// What all connections share.
#[derive(Debug)]
pub struct Relay {
    /// The daemon's socket for HTTP.
    pub upstream: PathBuf,
    /// The users that are served.
    pub users: Vec<u32>,
}

/// Serves connections of `listener` until the acceptor is dropped.
///
/// # Errors
/// A thread cannot be started.
pub fn start(listener: TcpListener, relay: Relay) -> io::Result<TcpAcceptor> {
    let (relay, open) = (Arc::new(relay), Arc::new(AtomicUsize::new(0)));
    TcpAcceptor::start("proxy", listener, move |client, from| {
        let slot = Slot::take(&open);
        let relay = Arc::clone(&relay);
        let body = move || {
            let _slot = slot;
            if let Err(e) = relay.serve(client, from) {
                log::debug!("{from}: {e}");
            }
        };
        if open.load(Ordering::Relaxed) > MOST {
            return log::warn!("closed a connection: {MOST} are open");
        }
        if let Err(e) = thread::Builder::new().name("proxy".into()).stack_size(STACK).spawn(body) {
            log::warn!("cannot start a thread for a connection: {e}");
        }
    })
}

struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Relay {
    fn serve(&self, client: TcpStream, from: SocketAddr) -> io::Result<()> {
        client.set_nonblocking(false)?;
        client.set_write_timeout(Some(SEND_TIMEOUT))?;
        let user = owner::of(&client)?;
        if !user.is_some_and(|user| self.users.contains(&user)) {
            log::info!("{from}: refused {user:?}");
            return refuse(&client, &self.forbidden(user));
        }
        let daemon = match UnixStream::connect(&self.upstream) {
            Ok(daemon) => daemon,
            Err(e) => {
                let problem = format!("the daemon does not answer on {}: {e}", self.upstream.display());
                return refuse(&client, &Refusal::Unavailable(problem));
            }
        };
        Conversation::run(client, daemon)
    }

    fn forbidden(&self, user: Option<u32>) -> Refusal {
        let served: Vec<_> = self.users.iter().map(ToString::to_string).collect();
        let served = served.join(", ");
        Refusal::Forbidden(match user {
            None => format!("User \"system:anonymous\" cannot use this proxy: it serves the user ids {served}"),
            Some(uid) => format!(
                "User \"uid:{uid}\" cannot use this proxy: it serves the user ids {served}; 'nodepods proxy --allow-uid \
                 {uid}' serves this one too"
            ),
        })
    }
}

/// What ended the reading of requests.
enum End {
    /// One of the two is gone, or the daemon wants no more.
    Over,
    /// A request that is not passed on.
    Refused(Refusal),
}

/// One connection and its way to the daemon.
struct Conversation {
    client: TcpStream,
    daemon: UnixStream,
    /// Readable once the daemon has closed its end and everything it said is with the client.
    answered: UnixStream,
}

impl Conversation {
    fn run(client: TcpStream, daemon: UnixStream) -> io::Result<()> {
        let (done, answered) = UnixStream::pair()?;
        let (mut from, mut to) = (daemon.try_clone()?, client.try_clone()?);
        let answers = move || {
            let _done = done; // closed at the end, whatever it is
            let _ = io::copy(&mut from, &mut to); // the client may be gone: it is seen elsewhere
        };
        let answers = thread::Builder::new().name("proxy-answers".into()).stack_size(STACK).spawn(answers)?;
        let mut conversation = Self { client, daemon, answered };
        let end = conversation.pass_on();
        // The daemon answers what it has been asked, and closes.
        let _ = conversation.daemon.shutdown(Shutdown::Write); // it may have gone first
        let orderly = conversation.is_answered(FAREWELL)?;
        let _ = conversation.daemon.shutdown(Shutdown::Both);
        if answers.join().is_err() {
            log::error!("a thread of the proxy ended in a panic");
        }
        match end? {
            End::Refused(refusal) if orderly => refuse(&conversation.client, &refusal),
            _ => farewell(&conversation.client),
        }
    }

    fn is_answered(&self, patience: Duration) -> io::Result<bool> {
        Ok(poll::readable(&[self.answered.as_fd()], Some(patience))?.contains(&true))
    }

    /// Passes requests on, each after a look at its head.
    fn pass_on(&mut self) -> io::Result<End> {
        let (mut arrived, mut body) = (Vec::new(), 0);
        let mut piece = [0; 8 * 1024];
        loop {
            let ready = poll::readable(&[self.answered.as_fd(), self.client.as_fd()], None)?;
            if ready.first() == Some(&true) {
                return Ok(End::Over);
            }
            if ready.last() != Some(&true) {
                continue;
            }
            let n = self.client.read(&mut piece)?;
            if n == 0 {
                return Ok(End::Over);
            }
            arrived.extend_from_slice(piece.get(..n).unwrap_or_default());
            if let Some(refusal) = self.pass_on_arrived(&mut arrived, &mut body)? {
                return Ok(End::Refused(refusal));
            }
        }
    }

    /// `body`: how much of a body still belongs to the last request.
    fn pass_on_arrived(&mut self, arrived: &mut Vec<u8>, body: &mut u64) -> io::Result<Option<Refusal>> {
        loop {
            let of_body = usize::try_from(*body).unwrap_or(usize::MAX).min(arrived.len());
            // The daemon reads over small bodies and hangs up on large ones; those end here.
            if *body <= MAX_BODY {
                self.daemon.write_all(arrived.get(..of_body).unwrap_or_default())?;
            }
            arrived.drain(..of_body);
            *body -= of_body as u64;
            if *body > 0 {
                return Ok(None);
            }
            let Some(end) = request::head_end(arrived, 0) else {
                return Ok((arrived.len() > MAX_HEAD).then_some(Refusal::HeadTooLarge));
            };
            let head = arrived.get(..end).unwrap_or_default();
            let checked = request::parse(head)
                .and_then(|(request, framing)| rebinding::check(&request.host, &request.origin, &[]).map(|()| framing));
            let framing = match checked {
                Ok(framing) => framing,
                Err(refusal) => return Ok(Some(refusal)),
            };
            self.daemon.write_all(head)?;
            arrived.drain(..end);
            // The daemon ends the connection after such a request: what follows is no request any more.
            *body = if framing.keep_alive { framing.body } else { u64::MAX };
        }
    }
}

/// Answers with a Status and hangs up.
fn refuse(mut client: &TcpStream, refusal: &Refusal) -> io::Result<()> {
    client.write_all(&Reply::refusal(refusal).whole(false, true))?;
    farewell(client)
}

/// Says that nothing more comes, and reads over for a while what the client still sends: closing a socket in which
/// unread data lies resets it, and the client would lose the answer.
fn farewell(mut client: &TcpStream) -> io::Result<()> {
    client.shutdown(Shutdown::Write)?;
    let (until, mut rubbish) = (Instant::now() + FAREWELL, [0; 8 * 1024]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || !poll::readable(&[client.as_fd()], Some(left))?.contains(&true) {
            return Ok(());
        }
        if client.read(&mut rubbish)? == 0 {
            return Ok(());
        }
    }
}
