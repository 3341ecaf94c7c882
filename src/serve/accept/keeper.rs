//! Keeps our socket at its path: sees that it vanished, makes it again, yields to others.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};

use super::super::error::ServeError;
use super::super::owned_socket::{OwnedSocket, Presence};

/// How often a path is looked at that cannot be watched or made now.
const RETRY: Duration = Duration::from_secs(1);
/// Least time between two makings, should somebody delete the socket again and again.
const REST: Duration = Duration::from_millis(250);

/// A socket of ours and the watch on its directory. While all is well it costs no wake-up.
pub(super) struct Keeper {
    socket: OwnedSocket,
    /// `None` where inotify cannot be had: then the path is looked at every second.
    watch: Option<Inotify>,
    /// When to look again without being told.
    look_at: Option<Instant>,
    made_at: Option<Instant>,
    /// The trouble that was logged, so that each is said once.
    said: Option<String>,
}

impl Keeper {
    pub(super) fn new(socket: OwnedSocket) -> Self {
        let watch = Inotify::init()
            .inspect_err(|e| log::warn!("{}: cannot watch for deletion: {e}", socket.path().display()))
            .ok();
        // At once: it may have vanished before the watch stood.
        Self { socket, watch, look_at: Some(Instant::now()), made_at: None, said: None }
    }

    pub(super) fn listener(&self) -> &UnixListener {
        self.socket.listener()
    }

    pub(super) fn watch_fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn patience(&self, now: Instant) -> Option<Duration> {
        self.look_at.map(|at| at.saturating_duration_since(now))
    }

    /// Looks at the path if the directory changed or it is time to.
    pub(super) fn look_after(&mut self, directory_changed: bool, now: Instant) {
        if directory_changed {
            self.drain();
        }
        if directory_changed || self.look_at.is_some_and(|at| at <= now) {
            self.look_at = self.look(now).map(|wait| now + wait);
        }
    }

    /// Puts the path right, and says after how long to look again.
    fn look(&mut self, now: Instant) -> Option<Duration> {
        let watched = self.watch_directory(); // before the look, so that no deletion falls in between
        let trouble = match self.socket.presence() {
            Presence::Ours => None,
            Presence::Foreign => Some(ServeError::LiveServer { path: self.socket.path().to_path_buf(), pid: None }),
            Presence::Vanished => {
                if let Some(rest) = self.made_at.and_then(|at| (at + REST).checked_duration_since(now)) {
                    return Some(rest);
                }
                self.made_at = Some(now);
                match self.socket.remake() {
                    Ok(()) => {
                        log::info!("{}: the socket was deleted; made it again", self.socket.path().display());
                        self.said = None;
                        return Some(Duration::ZERO); // watch the directory, which may be a new one, and look once more
                    }
                    Err(e) => Some(e),
                }
            }
        };
        match trouble {
            None => {
                self.said = None;
                (!watched).then_some(RETRY)
            }
            Some(trouble) => {
                let yielded = matches!(trouble, ServeError::LiveServer { .. } | ServeError::NotASocket { .. });
                self.say(&trouble);
                (!yielded || !watched).then_some(RETRY)
            }
        }
    }

    fn say(&mut self, trouble: &ServeError) {
        let text = match trouble {
            ServeError::LiveServer { path, .. } | ServeError::NotASocket { path } => {
                format!(
                    "{}: our socket was replaced by somebody else's; yielding until that is removed",
                    path.display()
                )
            }
            other => format!("the socket vanished and cannot be made again: {other}"),
        };
        if self.said.as_ref() != Some(&text) {
            log::warn!("{text}");
            self.said = Some(text);
        }
    }

    /// Watches the directory that is at the path now; watching the same one twice is one watch.
    fn watch_directory(&self) -> bool {
        let mask = WatchMask::DELETE
            | WatchMask::MOVED_FROM
            | WatchMask::MOVED_TO
            | WatchMask::CREATE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR;
        let dir = self.socket.path().parent().unwrap_or(Path::new("/"));
        self.watch.as_ref().is_some_and(|watch| watch.watches().add(dir, mask).is_ok())
    }

    /// Takes the events away; what they say is read from the path itself.
    fn drain(&mut self) {
        let mut buffer = [0; 4096];
        let Some(watch) = &mut self.watch else { return };
        while watch.read_events(&mut buffer).is_ok_and(|mut events| events.next().is_some()) {}
    }
}
