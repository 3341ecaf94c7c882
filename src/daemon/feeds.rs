//! The sources: one named thread each, all with the same way to the reconciler and the same stop.

use std::fs;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use crossbeam_channel::{bounded, Receiver, Sender};

use super::error::DaemonError;
use crate::config::settings::Settings;
use crate::config::values::Endpoint;
use crate::pod::manifest;
use crate::source::manifests;
use crate::source::reporter::Reporter;
use crate::store::update::{Health, HealthState, SourceId, Update};

/// Updates on their way to the reconciler.
const UPDATES: usize = 16;

/// The running sources. Dropping it stops them; [`Feeds::stop`] also waits for them.
pub struct Feeds {
    updates: Sender<Update>,
    /// Dropped to tell the sources to end.
    stop: Option<Sender<()>>,
    stopped: Receiver<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Feeds {
    /// Starts the sources that `settings` ask for. The receiver gets what they say; it is disconnected when all have
    /// ended and the feeds are gone.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(settings: &Settings) -> Result<(Self, Receiver<Update>), DaemonError> {
        // An update is a whole state. When the channel is full, a source waits, and has a newer state to tell by the
        // time it is its turn: nothing is lost.
        let (updates, to_reconciler) = bounded(UPDATES);
        // Never sent to: dropping the sender is the message.
        let (stop, stopped) = bounded(0);
        let mut feeds = Self { updates, stop: Some(stop), stopped, threads: Vec::new() };
        feeds.node_name(settings);
        feeds.manifests(settings)?;
        feeds.runtime(settings);
        Ok((feeds, to_reconciler))
    }

    /// Tells the sources to end, and waits until they have.
    pub fn stop(mut self) {
        drop(self.stop.take());
        for thread in self.threads.drain(..) {
            let name = thread.thread().name().unwrap_or("a source").to_string();
            if thread.join().is_err() {
                log::error!("the thread {name} ended in a panic");
            }
        }
    }

    fn spawn(&mut self, name: &'static str, source: impl FnOnce() + Send + 'static) -> Result<(), DaemonError> {
        let thread = thread::Builder::new().name(name.into()).spawn(source);
        self.threads.push(thread.map_err(|source| DaemonError::Thread { name, source })?);
        Ok(())
    }

    fn reporter(&self, source: SourceId) -> Reporter {
        Reporter::new(source, self.updates.clone(), self.stopped.clone())
    }

    /// The first updates: the channel is empty, so none of them waits.
    fn say(&self, update: Update) {
        if self.updates.try_send(update).is_err() {
            log::error!("the reconciler's channel is full before anything was said");
        }
    }

    fn absent(&self, source: SourceId, why: &str) {
        let health = Health {
            state: HealthState::Absent,
            since: SystemTime::now(),
            error: String::new(),
            target: String::new(),
        };
        log::info!("{source}: {why}");
        self.say(Update::Health(source, health));
    }

    fn node_name(&self, settings: &Settings) {
        let (name, from) = match &settings.hostname_override {
            Some(name) => (name.clone(), "--hostname-override"),
            None => (host_name().unwrap_or_else(|_| "localhost".into()), "the host name"),
        };
        log::info!("this node is {name}, by {from}");
        self.say(Update::NodeName { name, from: from.into() });
    }

    fn manifests(&mut self, settings: &Settings) -> Result<(), DaemonError> {
        let reporter = self.reporter(SourceId::File);
        let path = settings.pod_manifest_path.clone().unwrap_or_else(|| "/etc/kubernetes/manifests".into());
        let every = settings.file_check_frequency;
        self.spawn("manifests", move || {
            manifests::run(reporter, Box::new(move || Some(path.clone())), every, manifest::read);
        })
    }

    fn runtime(&self, settings: &Settings) {
        match &settings.runtime {
            Some(Endpoint::None) => self.absent(SourceId::Runtime, "not asked (--container-runtime-endpoint none)"),
            Some(Endpoint::Unix(_)) | None => self.absent(SourceId::Runtime, "this version does not ask a runtime yet"),
        }
    }
}

/// The kernel's host name, as the kubelet takes it: trimmed and in lower case.
fn host_name() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_lowercase())
}
