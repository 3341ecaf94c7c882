//! The node's name, from the best place that has one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{select, Receiver, Sender};
use parking_lot::Mutex;

use super::certificate;
use super::node::Decided;
use super::settings;
use crate::heartbeat;
use crate::pod::observed::Sandbox;
use crate::source::apiserver::Control;
use crate::store::update::Update;

/// How good a place is; the first is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// `--hostname-override`.
    Option,
    /// The distribution's or the kubelet's configuration.
    Configuration,
    /// The kubelet's client certificate.
    Certificate,
    /// Names of static pods in the runtime.
    Sandboxes,
    /// The machine's host name.
    HostName,
}

/// A name and where it came from, in a person's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How good the place is.
    pub rank: Rank,
    /// The name.
    pub name: String,
    /// Where it came from.
    pub from: String,
}

/// Keeps the best name so far and tells the reconciler when a better one comes. Shared by the sources that may
/// learn the name; nobody else has its state.
#[derive(Debug)]
pub struct NodeName {
    best: Mutex<Option<Found>>,
    /// Needs the name to know what to ask for.
    api_server: Option<Arc<Control>>,
    tx: Sender<Update>,
    stop: Receiver<()>,
}

impl NodeName {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(tx: Sender<Update>, stop: Receiver<()>, api_server: Option<Arc<Control>>) -> Arc<Self> {
        Arc::new(Self { best: Mutex::new(None), api_server, tx, stop })
    }

    /// Takes `found` if it comes from as good a place as the name that is known, or a better one.
    pub fn offer(&self, found: Found) {
        let mut best = self.best.lock();
        if best.as_ref().is_some_and(|b| b.rank < found.rank || *b == found) {
            return;
        }
        log::info!("the node's name is {}: {}", found.name, found.from);
        if let Some(api_server) = &self.api_server {
            api_server.node(&found.name);
        }
        let update = Update::NodeName { name: found.name.clone(), from: found.from.clone() };
        *best = Some(found);
        // Under the lock, so that names arrive in the order in which they were taken.
        let _rest = heartbeat::rest(None);
        select! {
            send(self.tx, update) -> _ => {}
            recv(self.stop) -> _ => {}
        }
    }

    /// Looks at what the runtime's sandboxes say, unless a better place has spoken.
    pub fn offer_sandboxes(&self, sandboxes: &[Arc<Sandbox>]) {
        let known = match &*self.best.lock() {
            Some(best) if best.rank < Rank::Sandboxes => return,
            Some(best) => best.name.clone(),
            None => String::new(),
        };
        if let Some(name) = static_suffix(sandboxes, &known) {
            let from = "the names of static pods in the runtime end in it".into();
            self.offer(Found { rank: Rank::Sandboxes, name, from });
        }
    }
}

/// What the node's files say; the host name if they say nothing.
#[must_use]
pub fn on_disk(node: &Decided, root: &Path) -> Option<Found> {
    let configured = settings::yaml_key(&node.config(), "node-name")
        .or_else(|| settings::kubelet_arg(&node.config(), "hostname-override"))
        .or_else(|| settings::variable(&node.kubelet_flags(), "K3S_NODE_NAME"))
        .or_else(|| settings::flag(&node.kubelet_flags(), "hostname-override"));
    if let Some((name, file)) = configured {
        return Some(Found { rank: Rank::Configuration, name, from: format!("set in {}", file.display()) });
    }
    for file in node.certificates() {
        let name = fs::read_to_string(&file).ok().and_then(|pem| certificate::node_name(&pem));
        if let Some(name) = name {
            let from = format!("the kubelet's client certificate {} is issued for it", file.display());
            return Some(Found { rank: Rank::Certificate, name, from });
        }
    }
    let name = fs::read_to_string(root.join("proc/sys/kernel/hostname")).ok()?.trim().to_lowercase();
    let from = "the machine's host name; nothing on the node says otherwise".into();
    (!name.is_empty()).then_some(Found { rank: Rank::HostName, name, from })
}

/// What the names of file and URL pods end in: `<name>-<node>` (`kubernetes/kubernetes pkg/kubelet/config/common.go`).
/// The name that is known, be it the host's or one found here before, where it fits them all; else, with two names or
/// more, the longest common ending after a `-`.
fn static_suffix(sandboxes: &[Arc<Sandbox>], known: &str) -> Option<String> {
    let from_file = |s: &&Arc<Sandbox>| {
        let source = s.annotations.get("kubernetes.io/config.source").map(String::as_str);
        matches!(source, Some("file" | "http"))
    };
    let mut names: Vec<&str> = sandboxes.iter().filter(from_file).map(|s| s.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let (first, others) = names.split_first()?;
    let fits = |suffix: &str| others.iter().all(|n| n.strip_suffix(suffix).is_some_and(|n| n.ends_with('-')));
    let mut endings = first.match_indices('-').filter_map(|(at, _)| first.get(at + 1..)).filter(|e| !e.is_empty());
    if endings.clone().any(|e| e == known && fits(e)) {
        return Some(known.into());
    }
    if others.is_empty() {
        return None;
    }
    endings.find(|e| fits(e)).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::super::certificate::tests::PEM;
    use super::super::node::Node;
    use super::*;
    use crate::testdir::TestDir;

    fn sandboxes(names: &[&str], source: &str) -> Vec<Arc<Sandbox>> {
        let annotations = [("kubernetes.io/config.source".to_string(), source.to_string())];
        let one =
            |n: &&str| Sandbox { name: (*n).into(), annotations: annotations.clone().into(), ..Sandbox::default() };
        names.iter().map(|n| Arc::new(one(n))).collect()
    }

    #[test]
    fn what_static_pods_end_in() {
        for (names, host, want) in [
            (&["etcd-node-1", "kube-proxy-node-1"][..], "other", Some("node-1")),
            (&["etcd-node-1", "etcd-node-1"], "other", None),
            (&["etcd-node-1"], "node-1", Some("node-1")),
            (&["etcd-node-1"], "1", Some("1")),
            (&["a-x", "b-y"], "x", None),
            (&["nodash", "b-y"], "y", None),
            (&[], "x", None),
        ] {
            assert_eq!(static_suffix(&sandboxes(names, "file"), host).as_deref(), want, "{names:?} {host}");
        }
        assert_eq!(static_suffix(&sandboxes(&["etcd-n1", "proxy-n1"], "api"), "n1"), None);
    }

    #[test]
    fn places_in_their_order() {
        let t = TestDir::new();
        let root = t.path("");
        let put = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let found = || on_disk(&Node::new(&root).decide(), &root).map(|f| (f.rank, f.name));
        assert_eq!(found(), None);
        put("proc/sys/kernel/hostname", "Host.Example\n");
        assert_eq!(found(), Some((Rank::HostName, "host.example".into())));
        put("var/lib/kubelet/pki/kubelet-client-current.pem", PEM);
        assert_eq!(found(), Some((Rank::Certificate, "Node-A1.example".into())));
        put("etc/default/kubelet", "KUBELET_EXTRA_ARGS=--hostname-override=edge-7");
        assert_eq!(found(), Some((Rank::Configuration, "edge-7".into())));
        put("var/lib/rancher/k3s/agent/x", "");
        put("etc/rancher/k3s/config.yaml", "node-name: k3s-node");
        assert_eq!(found(), Some((Rank::Configuration, "k3s-node".into())));
    }

    #[test]
    fn only_a_place_as_good_or_better_is_heard() {
        let (tx, rx) = crossbeam_channel::bounded(8);
        let (_stop, stopped) = crossbeam_channel::bounded(0);
        let names = NodeName::new(tx, stopped, None);
        let found = |rank, name: &str| Found { rank, name: name.into(), from: "x".into() };
        names.offer(found(Rank::HostName, "host"));
        names.offer_sandboxes(&sandboxes(&["a-n1", "b-n1"], "file"));
        names.offer(found(Rank::HostName, "host"));
        names.offer(found(Rank::Certificate, "cert"));
        names.offer(found(Rank::Certificate, "cert"));
        names.offer_sandboxes(&sandboxes(&["a-n1", "b-n1"], "file"));
        names.offer(found(Rank::Certificate, "renamed"));
        let told: Vec<_> = rx
            .try_iter()
            .filter_map(|u| match u {
                Update::NodeName { name, .. } => Some(name),
                _ => None,
            })
            .collect();
        assert_eq!(told, ["host", "n1", "cert", "renamed"]);
    }

    #[test]
    fn a_name_that_fits_is_kept_however_often_the_runtime_is_asked() {
        let (tx, rx) = crossbeam_channel::bounded(8);
        let (_stop, stopped) = crossbeam_channel::bounded(0);
        let names = NodeName::new(tx, stopped, None);
        names.offer(Found { rank: Rank::HostName, name: "n1".into(), from: "x".into() });
        for _ in 0..3 {
            // Their names have more in common than the node's.
            names.offer_sandboxes(&sandboxes(&["shop-web-n1", "blog-web-n1"], "file"));
        }
        let told = rx.try_iter().filter(|u| matches!(u, Update::NodeName { name, .. } if name != "n1"));
        assert_eq!(told.count(), 0);
        names.offer_sandboxes(&sandboxes(&["shop-web-n2", "blog-n2"], "file"));
        assert!(
            rx.try_iter().any(|u| matches!(u, Update::NodeName { name, .. } if name == "n2")),
            "none that does not"
        );
    }
}
