//! Where pods come from: one named thread a source.

pub mod apiserver;
mod call;
mod config;
pub mod cri;
pub mod discovery;
pub mod hints;
pub mod http;
pub mod kubeconfig;
pub mod kubelet;
pub mod manifests;
mod places;
pub mod reporter;
#[cfg(test)]
mod teststand;
pub mod url;

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{bounded, Receiver, Sender};

use self::apiserver::Control;
pub use self::config::{KubeletChoice, SocketChoice, SourcesConfig};
use self::cri::Nudge;
use self::discovery::node::{Decided, Node};
use self::discovery::node_name::{self, Found, NodeName, Rank};
use self::reporter::Reporter;
use crate::checkpoint::Remembered;
use crate::heartbeat::Heartbeats;
use crate::pod::manifest;
use crate::store::contacts::Contacts;
use crate::store::update::{HealthState, SourceId, Update};

/// Most pods that are taken from one source that has whole ones. A node runs some hundred, and a cluster removes pods
/// that have ended when there are 12,500 of them (kube-controller-manager's `--terminated-pod-gc-threshold`). It bounds
/// what small pods cost beside their bytes.
const MAX_PODS: usize = 20_000;

/// The running sources. They end when the sender of their stop channel is dropped.
#[derive(Debug)]
pub struct Sources {
    /// One thread a source.
    pub threads: Vec<JoinHandle<()>>,
    /// Reads all manifests now. `bounded(1)`: use `try_send`; full means that one request already waits.
    pub reread: Sender<()>,
    /// Polls the runtime now. `bounded(1)` likewise.
    pub poll_now: Sender<Nudge>,
    /// Lets the API server rest while a kubelet tells its pods; `None` where it is not asked anyway.
    pub api_server: Option<Arc<Control>>,
    /// The thread `hints` ends when this is closed.
    pub hints: Option<UnixStream>,
}

/// Starts the sources. `remembered` are last good manifests. What they find goes to `tx`; a full `tx` makes
/// them wait. When they answer, and how they were found, goes to `contacts`. Nobody ever sends in `stop`: dropping its
/// sender ends all of them.
///
/// # Errors
/// A thread cannot be started, or the manifest path cannot be made absolute.
pub fn start(
    config: &SourcesConfig,
    remembered: Remembered,
    contacts: &Arc<Contacts>,
    tx: &Sender<Update>,
    stop: &Receiver<()>,
) -> io::Result<Sources> {
    let node = Node::new(&config.root);
    let decided = node.decide();
    log::info!("this is a {} node", decided.distribution.name);
    let (api_server, controlled) = apiserver::control();
    let api_server = config.api_server.is_some().then(|| Arc::new(api_server));
    let names = NodeName::new(tx.clone(), stop.clone(), api_server.clone());
    name_without_asking(config, &decided).into_iter().for_each(|found| names.offer(found));
    let (reread, rereads) = bounded(1);
    let (poll_now, hints) = bounded(1);
    let reporter = |source| Reporter::new(source, tx.clone(), stop.clone()).noting(contacts);
    contacts.took_for(decided.distribution.name, &decided.why());

    let mut runtime = reporter(SourceId::Runtime);
    if config.runtime_endpoint == SocketChoice::None {
        // Before the first thread: nobody takes updates yet, and a full channel would be waited for here for ever.
        let _ = runtime.health(HealthState::Absent, "turned off with --container-runtime-endpoint=none", "");
    }

    let beats = &config.heartbeats;
    let every = config.file_check_frequency;
    let locate = places::manifests(config, &node, &names, contacts)?;
    let files = reporter(SourceId::File);
    let mut threads = vec![spawn(beats, "manifests", move || {
        manifests::run(files, locate, every, rereads, manifest::read, remembered.files)
    })?];

    if let Some(options) = config.manifest_url.clone() {
        let url = reporter(SourceId::Http);
        contacts.found(SourceId::Http, "named by --manifest-url");
        let ask = move || url::run(url, options, manifest::read_list, remembered.urls);
        threads.push(spawn(beats, "url", ask)?);
    }
    if let Some(choice) = config.api_server.clone() {
        let (reporter, node) = (reporter(SourceId::ApiServer), node.clone());
        contacts.found(SourceId::ApiServer, &format!("asked for by --kubeconfig {choice}"));
        let places = Box::new(move || node.decide().kubeconfigs());
        let options = apiserver::Options { choice, places, timing: apiserver::Timing::default() };
        let watch = move || apiserver::run(reporter, options, controlled);
        threads.push(spawn(beats, "apiserver", watch)?);
    }

    if config.kubelet_endpoint != KubeletChoice::None {
        contacts.found(SourceId::Kubelet, &places::kubelet(config, &decided));
        let follow = kubelet_source(config, &node, reporter(SourceId::Kubelet), api_server.clone());
        threads.push(spawn(beats, "kubelet", follow)?);
    }
    let mut hinting = None;
    if config.runtime_endpoint != SocketChoice::None {
        let every = config.cri_poll_interval;
        let (thread, stop) = start_hints(config, &node, poll_now.clone(), contacts)?;
        threads.push(thread);
        hinting = Some(stop);
        let locate = places::runtime(&config.runtime_endpoint, node, contacts);
        let learn: cri::Learn = Box::new(move |state| names.offer_sandboxes(&state.sandboxes));
        let poll = move || cri::run(runtime, locate, learn, every, hints);
        threads.push(spawn(beats, "cri", poll)?);
    }
    Ok(Sources { threads, reread, poll_now, api_server, hints: hinting })
}

/// The node's name, as far as it is known before a source has answered.
fn name_without_asking(config: &SourcesConfig, decided: &Decided) -> Option<Found> {
    match &config.hostname_override {
        Some(name) => Some(Found { rank: Rank::Option, name: name.clone(), from: "set by --hostname-override".into() }),
        None => node_name::on_disk(decided, &config.root),
    }
}

/// Starts the thread of a source, watched over.
fn spawn(beats: &Heartbeats, name: &'static str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let beats = beats.clone();
    thread::Builder::new().name(name.into()).spawn(move || {
        let _watched = beats.enter(name);
        work();
    })
}

/// The work of the kubelet's source. While a kubelet tells its pods, the API server is left alone.
fn kubelet_source(
    config: &SourcesConfig,
    node: &Node,
    reporter: Reporter,
    api_server: Option<Arc<Control>>,
) -> Box<dyn FnOnce() + Send> {
    let answers = Box::new(move |now| {
        if let Some(control) = &api_server {
            control.rest(now);
        }
    });
    if let KubeletChoice::Http(url) = &config.kubelet_endpoint {
        let options = kubelet::page::PageOptions { url: url.clone(), every: config.kubelet_poll_interval, answers };
        return Box::new(move || kubelet::page::run(reporter, options));
    }
    let fixed = match &config.kubelet_endpoint {
        KubeletChoice::Unix(path) => Some(path.clone()),
        _ => None,
    };
    let node = node.clone();
    let locate = Box::new(move || vec![fixed.clone().unwrap_or_else(|| node.decide().pods_api())]);
    let options = kubelet::Options { locate, own: config.own_sockets.clone(), answers };
    Box::new(move || kubelet::run(reporter, options))
}

/// Starts the thread that brings polls forward. It ends when the other value is dropped.
fn start_hints(
    config: &SourcesConfig,
    node: &Node,
    nudge: Sender<Nudge>,
    contacts: &Arc<Contacts>,
) -> io::Result<(JoinHandle<()>, UnixStream)> {
    let locate = places::runtime(&config.runtime_endpoint, node.clone(), contacts);
    let settings = hints::HintsConfig {
        sockets: Box::new(move || locate().candidates),
        state_dir: config.runtime_state_dir.clone(),
        logs: config.pod_logs_dir.clone(),
        look_every: hints::LOOK_EVERY,
    };
    let (stop, stopped) = UnixStream::pair()?;
    let (every, beats) = (config.cri_poll_interval, config.heartbeats.clone());
    let work = move || {
        let watched = beats.enter("hints");
        if let Err(e) = hints::run(settings, nudge, &stopped) {
            log::warn!("hints: no inotify ({e}); changes in the runtime show at the next poll, every {every:?}");
        }
        watched.leave(); // polls go on without it
    };
    Ok((thread::Builder::new().name("hints".into()).stack_size(256 << 10).spawn(work)?, stop))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::testdir::TestDir;

    #[test]
    fn a_node_without_a_runtime_is_found_and_named() {
        let t = TestDir::new();
        let pods = t.path("etc/kubernetes/manifests");
        fs::create_dir_all(&pods).unwrap();
        fs::write(
            pods.join("web.yaml"),
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: x}]}\n",
        )
        .unwrap();
        let config = SourcesConfig {
            manifest_path: None,
            manifest_url: None,
            api_server: None,
            runtime_endpoint: SocketChoice::Auto,
            hostname_override: Some("node-9".into()),
            file_check_frequency: Duration::from_secs(3600),
            cri_poll_interval: Duration::from_secs(1),
            runtime_state_dir: None,
            kubelet_endpoint: KubeletChoice::Auto,
            kubelet_poll_interval: Duration::from_secs(5),
            pod_logs_dir: t.path("var/log/pods"),
            own_sockets: Vec::new(),
            root: t.path(""),
            heartbeats: Heartbeats::default(),
        };
        let (tx, rx) = bounded(16);
        let (stop, stopped) = bounded(0);
        let sources = start(&config, Remembered::default(), &Arc::default(), &tx, &stopped).unwrap();
        let (mut name, mut absent, mut web) = (None, false, false);
        while !(absent && web) {
            match rx.recv_timeout(Duration::from_secs(10)).expect("all of it in time") {
                Update::NodeName { name: n, .. } => name = Some(n),
                Update::Health(SourceId::Runtime, h) => absent |= h.state == HealthState::Absent,
                Update::Manifests { files, .. } => {
                    web |= files.iter().any(|f| f.pod.as_ref().is_some_and(|p| p.name == "web"));
                }
                _ => {}
            }
        }
        assert_eq!(name.as_deref(), Some("node-9"));
        drop(stop);
        drop(sources.hints);
        sources.threads.into_iter().for_each(|t| t.join().unwrap());
    }
}
