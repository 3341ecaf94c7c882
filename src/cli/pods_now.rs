//! All pods as they are now, again and again, over restarts of the daemon.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use super::client::{Event, PodsClient};
use super::exit::{Exit, Failure};
use super::socket;
use super::watch::pauses;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::text;

/// Calls `show` with all pods by UID, once when they are complete and again after each change. A daemon that goes
/// away is waited for; until it is back the last call stands. Ends only with an error.
///
/// # Errors
/// No daemon in the beginning, one that refuses us, or the error of `show`.
pub fn follow(
    verb: &str,
    sockets: &[PathBuf],
    mut show: impl FnMut(&BTreeMap<String, PodBytes>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut began = false;
    let mut waits = pauses();
    loop {
        let mut synced = false;
        let gone = stream(verb, sockets, |pods| {
            (synced, began) = (true, true);
            show(pods)
        });
        let Err(failure) = gone else { return Ok(()) };
        if !began || failure.exit != Exit::Unavailable {
            return Err(failure);
        }
        if synced {
            eprintln!("Warning: the daemon went away; waiting for it");
            waits = pauses();
        }
        if let Some(wait) = waits.next() {
            thread::sleep(wait);
        }
    }
}

/// The same for one stream; its end is a failure, too.
fn stream(
    verb: &str,
    sockets: &[PathBuf],
    mut show: impl FnMut(&BTreeMap<String, PodBytes>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let client = PodsClient::new(&socket::find(verb, sockets)?);
    let mut pods = BTreeMap::new();
    let mut synced = false;
    for event in client.watch()? {
        match event? {
            Event::Added(pod) | Event::Modified(pod) => {
                pods.insert(text(&pod, "metadata.uid").into_owned(), pod);
            }
            Event::Deleted(pod) => drop(pods.remove(text(&pod, "metadata.uid").as_ref())),
            Event::Synced => synced = true,
            Event::Unknown => continue,
        }
        if synced {
            show(&pods)?;
        }
    }
    Err(Failure::new(Exit::Unavailable, "error: the daemon ended the watch"))
}
