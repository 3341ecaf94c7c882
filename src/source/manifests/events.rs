//! Reads inotify on a thread of its own, so that the source can wait for events, its timers and the stop at once.

use std::ffi::OsString;
use std::io;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender};
use inotify::{EventMask, Inotify, WatchDescriptor, Watches};

/// Room for some hundred events a read.
const BUFFER: usize = 16 << 10;
const STACK: usize = 256 << 10;

/// One event: the watch, what happened, and the name in the watched directory.
pub type Event = (WatchDescriptor, EventMask, Option<OsString>);

/// A running reader.
#[derive(Debug)]
pub struct Events {
    /// Sets and removes watches.
    pub watches: Watches,
    /// What happened, a batch a read.
    pub batches: Receiver<Vec<Event>>,
    /// Ends when `batches` is dropped and one more event comes.
    pub thread: JoinHandle<()>,
}

impl Events {
    /// Starts the thread `manifests-inotify`.
    ///
    /// # Errors
    /// When the kernel gives no inotify instance (`fs.inotify.max_user_instances`) or no thread.
    pub fn start() -> io::Result<Self> {
        let inotify = Inotify::init()?;
        let watches = inotify.watches();
        // Full: the reader waits, the kernel keeps up to fs.inotify.max_queued_events, and what it then drops it
        // reports as an overflow, which makes the source look at everything.
        let (tx, batches) = crossbeam_channel::bounded(16);
        let thread = thread::Builder::new()
            .name("manifests-inotify".into())
            .stack_size(STACK)
            .spawn(move || read(inotify, &tx))?;
        Ok(Self { watches, batches, thread })
    }
}

fn read(mut inotify: Inotify, tx: &Sender<Vec<Event>>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let batch: Vec<Event> = match inotify.read_events_blocking(&mut buffer) {
            Ok(events) => events.map(|e| (e.wd, e.mask, e.name.map(OsString::from))).collect(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => {
                log::error!("manifests: inotify cannot be read any more, changes show at the next re-read: {e}");
                return;
            }
        };
        if tx.send(batch).is_err() {
            return;
        }
    }
}
