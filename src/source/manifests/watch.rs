//! Which inodes to watch for a path whose parts may be missing, links, or replaced at any time.
//!
//! The path is walked from the root. Every directory on the way is watched: for the next name only as long as that
//! name is a link or missing, for its own removal otherwise. What lies at the end is watched for everything. Each
//! watch is set before the next part is looked at, so no change can slip between the two.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use inotify::{EventMask, WatchDescriptor, WatchMask, Watches};

/// Links followed before the path counts as a loop, as in the kernel.
const MAX_LINKS: usize = 40;

/// What is wanted from one watched inode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Interest {
    /// Everything in it, or the file's own content.
    content: bool,
    /// Names in it that are parts of the path.
    names: Vec<OsString>,
}

/// What an event means for the manifest path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Not for us.
    Nothing,
    /// The path itself may lead elsewhere now, or events were lost: look at everything.
    Everything,
    /// A manifest (by name; `None` for a path that is a file) is complete or gone.
    Done(Option<OsString>),
    /// A manifest is being written.
    Writing(Option<OsString>),
}

/// The watches that are set for one path.
#[derive(Debug)]
pub struct PathWatch {
    watches: Watches,
    held: HashMap<WatchDescriptor, Interest>,
}

impl PathWatch {
    /// Nothing is watched until [`PathWatch::follow`].
    #[must_use]
    pub fn new(watches: Watches) -> Self {
        Self { watches, held: HashMap::new() }
    }

    /// Sets the watches for `path` (absolute) as it leads now, and drops those that are no longer on the way.
    ///
    /// # Errors
    /// When the kernel refuses a watch: the limit `fs.inotify.max_user_watches`, or no permission.
    pub fn follow(&mut self, path: &Path) -> io::Result<()> {
        let mut wanted = HashMap::new();
        let done = self.walk(path, &mut wanted);
        for wd in std::mem::take(&mut self.held).into_keys().filter(|wd| !wanted.contains_key(wd)) {
            // Fails when the inode is gone, and the watch with it.
            let _ = self.watches.clone().remove(wd);
        }
        self.held = wanted;
        done
    }

    fn walk(&self, path: &Path, wanted: &mut HashMap<WatchDescriptor, Interest>) -> io::Result<()> {
        let mut todo: VecDeque<OsString> = VecDeque::new();
        parts(path, &mut todo);
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            // Cheap first: only the removal of the directory itself, unless the name turns out to need more.
            self.add(&at, None, false, wanted)?;
            let next = at.join(&name);
            let mut found = fs::symlink_metadata(&next);
            if !found.as_ref().is_ok_and(fs::Metadata::is_dir) {
                self.add(&at, Some(&name), false, wanted)?;
                found = fs::symlink_metadata(&next);
            }
            match found {
                Ok(m) if m.is_symlink() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Ok(());
                    }
                    let Ok(target) = fs::read_link(&next) else { return Ok(()) };
                    if target.is_absolute() {
                        at = PathBuf::from("/");
                    }
                    let rest = std::mem::take(&mut todo);
                    parts(&target, &mut todo);
                    todo.extend(rest);
                }
                Ok(_) => at = next,
                Err(_) => return Ok(()),
            }
        }
        match self.add(&at, None, true, wanted) {
            // Gone since it was seen: the watch on its parent says so.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn add(
        &self,
        at: &Path,
        name: Option<&OsStr>,
        content: bool,
        wanted: &mut HashMap<WatchDescriptor, Interest>,
    ) -> io::Result<()> {
        let mut mask = WatchMask::DELETE_SELF | WatchMask::MOVE_SELF | WatchMask::MASK_ADD;
        if name.is_some() || content {
            mask |= WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE;
        }
        if content {
            mask |= WatchMask::MODIFY | WatchMask::CLOSE_WRITE | WatchMask::ATTRIB;
        }
        let interest: &mut Interest = wanted.entry(self.watches.clone().add(at, mask)?).or_default();
        interest.content |= content;
        interest.names.extend(name.map(OsStr::to_owned));
        Ok(())
    }

    /// What an event of watch `wd` means. `name` is the entry in a watched directory.
    #[must_use]
    pub fn meaning(&self, wd: &WatchDescriptor, mask: EventMask, name: Option<&OsStr>) -> Meaning {
        if mask.contains(EventMask::Q_OVERFLOW) {
            return Meaning::Everything;
        }
        let Some(interest) = self.held.get(wd) else { return Meaning::Nothing };
        if mask.intersects(EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::UNMOUNT | EventMask::IGNORED)
            || name.is_some_and(|n| interest.names.iter().any(|i| i == n))
        {
            return Meaning::Everything;
        }
        if !interest.content {
            return Meaning::Nothing;
        }
        let dot = name.is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if dot && !mask.intersects(EventMask::CREATE | EventMask::DELETE | EventMask::MOVED_FROM | EventMask::MOVED_TO)
        {
            return Meaning::Nothing;
        }
        if dot {
            // `..data` and its like: links in the directory may lead elsewhere now.
            return Meaning::Everything;
        }
        let name = name.map(OsStr::to_owned);
        if mask.intersects(EventMask::CREATE | EventMask::MODIFY) {
            Meaning::Writing(name)
        } else {
            Meaning::Done(name)
        }
    }

    /// Makes the kernel say something, so that a reader that waits for events wakes up. False where it does not: there
    /// is no watch to be had.
    #[must_use]
    pub fn wake_reader(&self) -> bool {
        let mut watches = self.watches.clone();
        watches.add("/", WatchMask::DELETE_SELF).and_then(|wd| watches.remove(wd)).is_ok()
    }
}

fn parts(path: &Path, out: &mut VecDeque<OsString>) {
    out.extend(path.components().filter_map(|c| match c {
        Component::Normal(n) => Some(n.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    }));
}
