//! What the daemon tells this source while it runs: the node's name, and whether to rest.

use std::sync::Arc;

use crossbeam_channel::{bounded, Receiver, Sender};
use parking_lot::Mutex;

/// What holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The node's name; `None` as long as it is not known.
    pub node: Option<String>,
    /// A kubelet tells the same and more: leave the API server alone.
    pub rest: bool,
}

/// The daemon's end.
#[derive(Debug)]
pub struct Control {
    wanted: Arc<Mutex<Wanted>>,
    wake: Sender<()>,
}

/// The source's end.
#[derive(Debug)]
pub struct Controlled {
    wanted: Arc<Mutex<Wanted>>,
    wake: Receiver<()>,
}

/// The two ends.
#[must_use]
pub fn control() -> (Control, Controlled) {
    let wanted = Arc::new(Mutex::new(Wanted::default()));
    // Full: a wake-up is waiting already, and the source will then look at what holds at that time.
    let (tx, rx) = bounded(1);
    (Control { wanted: Arc::clone(&wanted), wake: tx }, Controlled { wanted, wake: rx })
}

impl Control {
    /// The node is called this. Never blocks.
    pub fn node(&self, name: &str) {
        self.change(|wanted| wanted.node = Some(name.to_owned()));
    }

    /// Rest, or come back. Never blocks.
    pub fn rest(&self, rest: bool) {
        self.change(|wanted| wanted.rest = rest);
    }

    fn change(&self, change: impl FnOnce(&mut Wanted)) {
        let mut wanted = self.wanted.lock();
        let before = wanted.clone();
        change(&mut wanted);
        if *wanted != before {
            let _ = self.wake.try_send(());
        }
    }
}

impl Controlled {
    /// What holds now.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        self.wanted.lock().clone()
    }

    /// Says when to look again. It is closed when the daemon has dropped its end.
    #[must_use]
    pub fn wake(&self) -> &Receiver<()> {
        &self.wake
    }
}
