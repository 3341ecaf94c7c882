//! The pods as they are now, as a watch tells them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::client::{Event, PodsClient};
use super::comeback::{ended, Comeback};
use super::exit::{Exit, Failure};
use super::socket;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::lookup::text;

/// The pods that one stream has told of.
#[derive(Debug, Default)]
pub struct PodsNow {
    /// By UID.
    pub pods: BTreeMap<String, PodBytes>,
    /// Every pod there was has been told.
    pub complete: bool,
}

impl PodsNow {
    /// Takes in what the stream says next. A pod that is not meant (any more) is not kept.
    pub fn take(&mut self, event: Event, is_meant: impl Fn(&PodBytes) -> bool) {
        match event {
            Event::Added(pod) | Event::Modified(pod) if is_meant(&pod) => {
                self.pods.insert(text(&pod, "metadata.uid").into_owned(), pod);
            }
            Event::Added(pod) | Event::Modified(pod) | Event::Deleted(pod) => {
                self.pods.remove(text(&pod, "metadata.uid").as_ref());
            }
            Event::Synced => self.complete = true,
            Event::Unknown => {}
        }
    }
}

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
    let mut comeback = Comeback::new();
    loop {
        let mut now = PodsNow::default();
        let Err(failure) = stream(verb, sockets, &mut now, &mut show) else { return Ok(()) };
        began |= now.complete;
        if !began || failure.exit != Exit::Unavailable {
            return Err(failure);
        }
        comeback.wait(now.complete);
    }
}

/// The same for one stream; its end is a failure, too.
fn stream(
    verb: &str,
    sockets: &[PathBuf],
    now: &mut PodsNow,
    mut show: impl FnMut(&BTreeMap<String, PodBytes>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let client = PodsClient::new(&socket::find(verb, sockets)?);
    for event in client.watch()? {
        now.take(event?, |_| true);
        if now.complete {
            show(&now.pods)?;
        }
    }
    Err(ended())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::wire::put_bytes;

    fn pod(uid: &str, phase: &str) -> PodBytes {
        let (mut metadata, mut status) = (Vec::new(), Vec::new());
        put_bytes(&mut metadata, 5, uid.as_bytes());
        put_bytes(&mut status, 1, phase.as_bytes());
        PodBytes::from_sections(&metadata, b"", &status, b"")
    }

    #[test]
    fn what_a_stream_comes_to() {
        let runs = |pod: &PodBytes| text(pod, "status.phase") == "Running";
        let mut now = PodsNow::default();
        for (event, pods, complete) in [
            (Event::Added(pod("a", "Running")), "a", false),
            (Event::Added(pod("b", "Pending")), "a", false),
            (Event::Synced, "a", true),
            (Event::Unknown, "a", true),
            (Event::Modified(pod("b", "Running")), "a b", true),
            (Event::Modified(pod("a", "Failed")), "b", true),
            (Event::Deleted(pod("b", "")), "", true),
        ] {
            now.take(event, runs);
            let uids: Vec<_> = now.pods.keys().cloned().collect();
            assert_eq!((uids.join(" ").as_str(), now.complete), (pods, complete));
        }
    }
}
