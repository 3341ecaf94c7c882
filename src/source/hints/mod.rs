//! Signs that a container starts or ends, out of directories that inotify can watch: they bring the next poll of the
//! runtime forward.
//!
//! The poll is the truth. A hint that is missed or wrong costs time or one poll, nothing else; so whatever goes wrong
//! here is told at debug level and lived with. The runtime is never asked anything.

mod pace;
mod places;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use inotify::{EventMask, Inotify, WatchDescriptor};

use self::pace::Pace;
use self::places::{beside, tasks, Hint, Kind};
use super::cri::Nudge;
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
    nudge: Sender<Nudge>,
    /// Something was made where a place was missing.
    appeared: bool,
}

/// Runs until the other end of `stop` is closed. `nudge` is the `bounded(1)` channel of the runtime source: what does
/// not fit is dropped, since a nudge is waiting there already.
///
/// # Errors
/// The kernel gives no inotify instance (`fs.inotify.max_user_instances`), or takes it away.
pub fn run(config: HintsConfig, nudge: Sender<Nudge>, stop: &UnixStream) -> io::Result<()> {
    let inotify = Inotify::init()?;
    let mut hints = Hints { config, inotify, watched: HashMap::new(), pace: Pace::default(), nudge, appeared: false };
    let mut look_at = Instant::now();
    loop {
        let now = Instant::now();
        if now >= look_at || std::mem::take(&mut hints.appeared) {
            hints.look();
            look_at = now + hints.config.look_every;
        }
        if let Some(nudge) = hints.pace.take(now) {
            let _ = hints.nudge.try_send(nudge);
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
            if self.watch(&path, kind) {
                continue;
            }
            // Its first entry would be missed until the next look.
            path.ancestors().skip(1).take(kind.made_below()).any(|above| self.watch(above, Kind::Above));
        }
    }

    /// False where it does not exist.
    fn watch(&mut self, path: &Path, kind: Kind) -> bool {
        match self.inotify.watches().add(path, kind.mask()) {
            Ok(wd) => {
                if self.watched.insert(wd, (path.to_path_buf(), kind)).is_none() && kind != Kind::Above {
                    log::debug!("hints: watching {}", path.display());
                    // What happened there before is not known.
                    let _ = self.nudge.try_send(Nudge::Look);
                }
                true
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => false,
            Err(e) => {
                log::debug!("hints: {} cannot be watched: {e}", path.display());
                true
            }
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        let events: Vec<(WatchDescriptor, EventMask, String)> = match self.inotify.read_events(&mut buffer) {
            Ok(events) => {
                let name = |name: Option<&OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
                events.map(|e| (e.wd, e.mask, name(e.name))).collect()
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        };
        let now = Instant::now();
        for (wd, mask, name) in events {
            if mask.contains(EventMask::Q_OVERFLOW) {
                let _ = self.nudge.try_send(Nudge::Look);
            } else if mask.contains(EventMask::IGNORED) {
                self.watched.remove(&wd); // the directory is gone; it may come back
            } else if let Some(hint) = self.watched.get(&wd).and_then(|(_, kind)| kind.hint(mask, &name)) {
                self.appeared |= hint == Hint::Appeared;
                self.pace.note(hint, now);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
