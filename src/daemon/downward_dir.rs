//! `--downward-dir`: every pod as files, kept by a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{at, never, select};

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

/// The thread that keeps the directory. It ends when the store is closed; dropping this waits for that. The files
/// stay, so that a restart of the daemon takes nothing from their readers.
pub struct DownwardDir(Option<JoinHandle<()>>);

impl DownwardDir {
    /// Starts the thread.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(tree: Tree, store: &Arc<Store>, beats: &Heartbeats) -> Result<Self, DaemonError> {
        let name = "downward-dir";
        let (store, beats) = (Arc::clone(store), beats.clone());
        let keep = move || {
            let watched = beats.enter(name);
            keep(tree, &store);
            watched.leave();
        };
        let thread = thread::Builder::new().name(name.into()).spawn(keep);
        Ok(Self(Some(thread.map_err(|source| DaemonError::Thread { name, source })?)))
    }
}

impl Drop for DownwardDir {
    fn drop(&mut self) {
        if self.0.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread that keeps pods as files ended in a panic");
        }
    }
}

/// Shows each snapshot until the store is closed. What changed meanwhile is skipped: only the newest one counts.
fn keep(mut tree: Tree, store: &Arc<Store>) {
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
            recv(retry) -> _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::grpc::testing::{entry, snapshot};
    use crate::store::snapshot::Snapshot;
    use std::fs;

    #[test]
    fn shows_what_is_published_until_the_store_is_closed() {
        let dir = std::env::temp_dir().join(format!("nodepods-downward-dir-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
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
        fs::remove_dir_all(&dir).unwrap();
    }
}
