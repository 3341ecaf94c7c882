//! The sources with their way to the reconciler, and their stop.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{bounded, Receiver, Sender};

use super::error::DaemonError;
use crate::checkpoint::Remembered;
use crate::config::settings::{Settings, DEFAULT_SOCKETS};
use crate::config::values::{Endpoint, KubeletEndpoint};
use crate::heartbeat::Heartbeats;
use crate::source::cri::Nudge;
use crate::source::{self, KubeletChoice, SocketChoice, Sources, SourcesConfig};
use crate::store::contacts::Contacts;
use crate::store::update::Update;

/// Updates on their way to the reconciler.
const UPDATES: usize = 16;

/// The running sources. They end when this is dropped; [`Feeds::stop`] also waits for them.
pub struct Feeds {
    sources: Sources,
    updates: Sender<Update>,
    /// Nobody sends in it: dropping it is the message.
    stop: Sender<()>,
}

impl Feeds {
    /// Starts the sources that `settings` ask for. `remembered` are last good manifests. The receiver gets what
    /// they say; it is disconnected when all have ended.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(
        settings: &Settings,
        remembered: Remembered,
        contacts: &Arc<Contacts>,
        beats: &Heartbeats,
    ) -> Result<(Self, Receiver<Update>), DaemonError> {
        // An update is a whole state. When the channel is full, a source waits, and has a newer state to tell by the
        // time it is its turn: nothing is lost.
        let (updates, to_reconciler) = bounded(UPDATES);
        let (stop, stopped) = bounded(0);
        let config = SourcesConfig {
            manifest_path: settings.pod_manifest_path.clone(),
            manifest_url: settings.manifest_url.clone(),
            api_server: settings.kubeconfig.clone(),
            runtime_endpoint: choice(settings.runtime.as_ref()),
            kubelet_endpoint: kubelet(settings.kubelet.as_ref()),
            kubelet_poll_interval: settings.kubelet_poll_interval,
            own_sockets: own_sockets(settings),
            hostname_override: settings.hostname_override.clone(),
            file_check_frequency: settings.file_check_frequency,
            cri_poll_interval: settings.cri_poll_interval,
            runtime_state_dir: settings.runtime_state_dir.clone(),
            pod_logs_dir: settings.pod_logs_dir.clone(),
            root: PathBuf::from("/"),
            heartbeats: beats.clone(),
        };
        let sources = source::start(&config, remembered, contacts, &updates, &stopped)
            .map_err(|source| DaemonError::Thread { name: "of a source", source })?;
        Ok((Self { sources, updates, stop }, to_reconciler))
    }

    /// The way to the reconciler, for what is no source but has something to tell.
    #[must_use]
    pub fn updates(&self) -> Sender<Update> {
        self.updates.clone()
    }

    /// Has the manifests read and the runtime asked now. What already waits is not asked for twice.
    pub fn look_now(&self) {
        let _ = self.sources.reread.try_send(());
        let _ = self.sources.poll_now.try_send(Nudge::Look);
    }

    /// Tells the sources to end, and waits until they have.
    pub fn stop(self) {
        drop(self.stop);
        drop(self.sources.hints);
        for thread in self.sources.threads {
            let name = thread.thread().name().unwrap_or("a source").to_string();
            if thread.join().is_err() {
                log::error!("the thread {name} ended in a panic");
            }
        }
    }
}

fn choice(named: Option<&Endpoint>) -> SocketChoice {
    match named {
        None => SocketChoice::Auto,
        Some(Endpoint::None) => SocketChoice::None,
        Some(Endpoint::Unix(path)) => SocketChoice::Unix(path.clone()),
    }
}

fn kubelet(named: Option<&KubeletEndpoint>) -> KubeletChoice {
    match named {
        None => KubeletChoice::Auto,
        Some(KubeletEndpoint::None) => KubeletChoice::None,
        Some(KubeletEndpoint::Unix(path)) => KubeletChoice::Unix(path.clone()),
        Some(KubeletEndpoint::Http(url)) => KubeletChoice::Http(url.clone()),
    }
}

/// Where we serve, or would if systemd passed nothing on: more than the truth does no harm.
fn own_sockets(settings: &Settings) -> Vec<PathBuf> {
    if settings.sockets.is_empty() {
        return DEFAULT_SOCKETS.iter().map(PathBuf::from).collect();
    }
    settings.sockets.clone()
}
