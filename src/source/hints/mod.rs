//! Signs that a container starts or ends, out of directories that inotify can watch: they bring the next poll of the
//! runtime forward.
//!
//! The poll is the truth. A hint that is missed or wrong costs time or one poll, nothing else; so whatever goes wrong
//! here is told at debug level and lived with. The runtime is never asked anything.

mod pace;
mod places;

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use inotify::{EventMask, Inotify, WatchDescriptor};

use self::pace::Pace;
use self::places::{beside, tasks, Kind};
use crate::heartbeat;
use crate::sys::poll;

/// How often places that do not exist yet are looked for, unless something else is asked for.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Room for some hundred events a read.
const BUFFER: usize = 16 << 10;

/// Runtime sockets as they are found now.
pub type Locate = Box<dyn Fn() -> Vec<PathBuf> + Send>;

/// Where to look for hints.
pub struct HintsConfig {
    /// Finds the runtime's sockets; its directories are beside them.
    pub sockets: Locate,
    /// `--runtime-state-dir`: containerd's state directory, where it is not beside the socket.
    pub state_dir: Option<PathBuf>,
    /// The pods' log directories: `/var/log/pods`.
    pub logs: PathBuf,
    /// How often places that do not exist yet are looked for: [`LOOK_EVERY`].
    pub look_every: Duration,
}

struct Hints {
    config: HintsConfig,
    inotify: Inotify,
    watched: HashMap<WatchDescriptor, (PathBuf, Kind)>,
    pace: Pace,
    nudge: Sender<()>,
}

/// Runs until the other end of `stop` is closed. `nudge` is the `bounded(1)` channel of the runtime source: what does
/// not fit is dropped, since a nudge is waiting there already.
///
/// # Errors
/// The kernel gives no inotify instance (`fs.inotify.max_user_instances`), or takes it away.
pub fn run(config: HintsConfig, nudge: Sender<()>, stop: &UnixStream) -> io::Result<()> {
    let inotify = Inotify::init()?;
    let mut hints = Hints { config, inotify, watched: HashMap::new(), pace: Pace::default(), nudge };
    let mut look_at = Instant::now();
    loop {
        let now = Instant::now();
        if now >= look_at {
            hints.look();
            look_at = now + hints.config.look_every;
        }
        if hints.pace.take(now) {
            let _ = hints.nudge.try_send(());
        }
        let until = hints.pace.next().map_or(look_at, |at| at.min(look_at));
        let wait = until.saturating_duration_since(Instant::now());
        let rest = heartbeat::rest(Some(until));
        let ready = poll::readable(&[stop.as_fd(), hints.inotify.as_fd()], Some(wait))?;
        drop(rest);
        match ready.as_slice() {
            [true, ..] => return Ok(()),
            [_, true] => hints.read()?,
            _ => {}
        }
    }
}

impl Hints {
    /// Watches places that have appeared. Those that are watched already keep their watch.
    fn look(&mut self) {
        let mut places = vec![(self.config.logs.clone(), Kind::Logs)];
        places.extend(self.config.state_dir.as_ref().map(|dir| (tasks(dir), Kind::Tasks)));
        places.extend((self.config.sockets)().iter().flat_map(|socket| beside(socket)));
        for (path, kind) in places {
            match self.inotify.watches().add(&path, kind.mask()) {
                Ok(wd) => {
                    if self.watched.insert(wd, (path.clone(), kind)).is_none() {
                        log::debug!("hints: watching {}", path.display());
                        // What happened there before is not known.
                        let _ = self.nudge.try_send(());
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => log::debug!("hints: {} cannot be watched: {e}", path.display()),
            }
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        let events: Vec<(WatchDescriptor, EventMask)> = match self.inotify.read_events(&mut buffer) {
            Ok(events) => events.map(|e| (e.wd, e.mask)).collect(),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        };
        let now = Instant::now();
        for (wd, mask) in events {
            if mask.contains(EventMask::Q_OVERFLOW) {
                let _ = self.nudge.try_send(());
            } else if mask.contains(EventMask::IGNORED) {
                self.watched.remove(&wd); // the directory is gone; it may come back
            } else if let Some(hint) = self.watched.get(&wd).and_then(|(_, kind)| kind.hint(mask)) {
                self.pace.note(hint, now);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
