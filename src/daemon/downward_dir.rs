//! `--downward-dir`: every pod as files, kept by a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{at, bounded, never, select, Receiver, Sender};

use super::error::DaemonError;
use crate::files::tree::Tree;
use crate::heartbeat::{self, Heartbeats};
use crate::store::Store;

/// When pods that could not be written are tried again, if nothing changes before.
const AGAIN: Duration = Duration::from_secs(10);

/// Takes the directory, before anything else happens.
///
/// # Errors
/// It is not ours, or somebody else keeps it.
pub fn claim(path: &Path) -> Result<Tree, DaemonError> {
    Tree::claim(path).map_err(DaemonError::DownwardDir)
}

/// The thread that keeps the directory. It ends when the store is closed or this is dropped, which waits for it. The
/// files stay, so that a restart of the daemon takes nothing from their readers.
pub struct DownwardDir {
    /// Closing it stops the thread: a start that fails has a store that nobody closes.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DownwardDir {
    /// Starts the thread.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(tree: Tree, store: &Arc<Store>, beats: &Heartbeats) -> Result<Self, DaemonError> {
        let name = "downward-dir";
        let (store, beats) = (Arc::clone(store), beats.clone());
        let (stop, stopped) = bounded(0); // nothing is ever sent: closing it is the message
        let keep = move || {
            let watched = beats.enter(name);
            keep(tree, &store, &stopped);
            watched.leave();
        };
        let thread = thread::Builder::new().name(name.into()).spawn(keep);
        let thread = thread.map_err(|source| DaemonError::Thread { name, source })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for DownwardDir {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread that keeps pods as files ended in a panic");
        }
    }
}

/// Shows each snapshot until the end. What changed meanwhile is skipped: only the newest one counts.
fn keep(mut tree: Tree, store: &Arc<Store>, stopped: &Receiver<()>) {
    let news = store.subscribe();
    let mut told: Vec<String> = Vec::new();
    loop {
        let current = store.current();
        // Until the node is known, what an earlier daemon wrote is better than what is not there yet.
        let pods = current.pods.iter().map(|pod| &pod.bytes);
        let errors = if current.initialized { tree.show(pods) } else { Vec::new() };
        errors.iter().filter(|e| !told.contains(*e)).for_each(|e| log::warn!("{e}"));
        let again = (!errors.is_empty()).then(|| Instant::now() + AGAIN);
        told = errors;
        drop(current);
        let retry = again.map_or_else(never, at);
        let _rest = heartbeat::rest(again);
        select! {
            recv(news.changed()) -> change => if change.is_err() { return },
            recv(stopped) -> _ => return,
            recv(retry) -> _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::grpc::testing::{entry, snapshot};
    use crate::store::snapshot::Snapshot;
    use crate::testdir::TestDir;
    use std::fs;

    #[test]
    fn shows_what_is_published_until_the_store_is_closed() {
        let test = TestDir::new();
        let dir = test.path("pods");
        let store = Store::new(Snapshot::empty(1));
        let tree = claim(&dir).unwrap();
        assert!(claim(&dir).is_err_and(|e| e.to_string().contains("keeps it already; name another --downward-dir")));
        store.publish(Arc::new(snapshot(2, &[&entry("a", 1), &entry("b", 1)])));
        let kept = DownwardDir::start(tree, &store, &Heartbeats::default()).unwrap();
        // The thread subscribes before it looks: what was published is shown before it sees that the store is closed.
        store.close();
        drop(kept);
        let read = |pod: &str| fs::read_to_string(dir.join("default").join(pod).join("uid"));
        assert_eq!((read("a").unwrap(), read("b").unwrap()), ("a\n".into(), "b\n".into()));
        // A daemon that does not know the node yet takes nothing away.
        let blank = Store::new(Snapshot::empty(3));
        blank.close();
        drop(DownwardDir::start(claim(&dir).unwrap(), &blank, &Heartbeats::default()).unwrap());
        assert!(read("a").is_ok());
        // Nobody closes the store of a start that fails.
        let open = Store::new(Snapshot::empty(4));
        let kept = DownwardDir::start(claim(&dir).unwrap(), &open, &Heartbeats::default()).unwrap();
        let (gone, is_gone) = bounded(1);
        thread::spawn(move || {
            drop(kept);
            gone.send(())
        });
        is_gone.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}
