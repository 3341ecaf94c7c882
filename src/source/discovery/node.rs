//! Which distribution this node runs, and where its parts are. Asked again and again: what comes later is found.

use std::fs;
use std::path::{Path, PathBuf};

use super::distribution::{Distribution, GENERIC, KNOWN, KUBEEDGE};
use super::settings;
use crate::source::cri::Sockets;

/// A node's file system, as seen below `root` (`/` but for tests).
#[derive(Clone, Debug)]
pub struct Node {
    root: PathBuf,
}

/// The distribution that was decided on, with its data directory.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Its table row.
    pub distribution: &'static Distribution,
    data: String,
    root: PathBuf,
}

impl Node {
    /// A node whose files lie below `root`.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// Decides which distribution this is. One whose runtime is there wins over what another one left behind; a
    /// generic node needs a kubelet's configuration and a runtime socket to win over a left-over data directory.
    #[must_use]
    pub fn decide(&self) -> Decided {
        let generic = self.look_at(&GENERIC);
        let marked: Vec<Decided> = KNOWN.iter().map(|d| self.look_at(d)).filter(Decided::is_marked).collect();
        if let Some(alive) = marked.iter().find(|d| !d.sockets().is_empty()) {
            return alive.clone();
        }
        if generic.is_marked() && !generic.sockets().is_empty() {
            return generic;
        }
        let edge = self.look_at(&KUBEEDGE);
        marked.into_iter().next().or(Some(edge).filter(Decided::is_marked)).unwrap_or(generic)
    }

    fn look_at(&self, distribution: &'static Distribution) -> Decided {
        let mut found = Decided { distribution, data: distribution.data.into(), root: self.root.clone() };
        if let Some((data, _)) = settings::yaml_key(&found.places(distribution.config), "data-dir") {
            found.data = data.trim_end_matches('/').into();
        }
        found
    }
}

impl Decided {
    fn place(&self, path: &str) -> PathBuf {
        self.under_root(&path.replace("{data}", &self.data))
    }

    fn under_root(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn places(&self, paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(|p| self.place(p)).collect()
    }

    /// Files of the distribution's own configuration.
    #[must_use]
    pub fn config(&self) -> Vec<PathBuf> {
        self.places(self.distribution.config)
    }

    /// KubeletConfiguration files.
    #[must_use]
    pub fn kubelet_config(&self) -> Vec<PathBuf> {
        self.places(self.distribution.kubelet_config)
    }

    /// Files with kubelet flags.
    #[must_use]
    pub fn kubelet_flags(&self) -> Vec<PathBuf> {
        self.places(self.distribution.kubelet_flags)
    }

    /// The kubelet's client certificates.
    #[must_use]
    pub fn certificates(&self) -> Vec<PathBuf> {
        self.places(self.distribution.certificates)
    }

    /// Where the kubelet's kubeconfig may be.
    #[must_use]
    pub fn kubeconfigs(&self) -> Vec<PathBuf> {
        self.places(self.distribution.kubeconfigs)
    }

    /// Where the kubelet serves its own Pods API, where it does.
    #[must_use]
    pub fn pods_api(&self) -> PathBuf {
        self.place(self.distribution.kubelet_root).join("pods-api/pods-api.sock")
    }

    fn is_marked(&self) -> bool {
        self.place(self.distribution.marker).exists()
    }

    /// Why the node was taken for this distribution, in a person's words.
    #[must_use]
    pub fn why(&self) -> String {
        let marker = self.place(self.distribution.marker);
        match self.is_marked() {
            true => format!("{} is there", marker.display()),
            false => "no known distribution is here".into(),
        }
    }

    /// The runtime sockets that exist: the configured one alone where there is one, else the usual ones.
    fn sockets(&self) -> Vec<PathBuf> {
        let mut all = match self.configured_runtime() {
            Some((endpoint, _)) => vec![self.under_root(endpoint.strip_prefix("unix://").unwrap_or(&endpoint))],
            None => self.places(self.distribution.sockets),
        };
        all.retain(|p| p.exists());
        // `/var/run` is a link to `/run` on most systems.
        let mut seen = Vec::new();
        all.retain(|p| {
            let real = fs::canonicalize(p).unwrap_or_else(|_| p.clone());
            let new = !seen.contains(&real);
            seen.push(real);
            new
        });
        all
    }

    /// The runtime's endpoint and the file that names it.
    fn configured_runtime(&self) -> Option<(String, PathBuf)> {
        settings::yaml_key(&self.config(), "container-runtime-endpoint")
            .or_else(|| settings::flag(&self.kubelet_flags(), "container-runtime-endpoint"))
            .or_else(|| settings::yaml_key(&self.kubelet_config(), "containerRuntimeEndpoint"))
    }

    /// The manifest path and the file that names it.
    fn configured_manifests(&self) -> Option<(String, PathBuf)> {
        settings::kubelet_arg(&self.config(), "pod-manifest-path")
            .or_else(|| settings::flag(&self.kubelet_flags(), "pod-manifest-path"))
            .or_else(|| settings::yaml_key(&self.kubelet_config(), "staticPodPath"))
    }

    /// How [`Decided::runtime`] is known, in a person's words.
    #[must_use]
    pub fn runtime_from(&self) -> String {
        self.from(self.configured_runtime(), "runtime")
    }

    /// How [`Decided::manifests`] is known, in a person's words.
    #[must_use]
    pub fn manifests_from(&self) -> String {
        self.from(self.configured_manifests(), "manifest directory")
    }

    fn from(&self, configured: Option<(String, PathBuf)>, what: &str) -> String {
        match configured {
            Some((_, file)) => format!("set in {}", file.display()),
            None => format!("the usual {what} of a {} node", self.distribution.name),
        }
    }

    /// Where the runtime may be. Every distribution but the generic one brings its own, so it is expected.
    #[must_use]
    pub fn runtime(&self) -> Sockets {
        Sockets { candidates: self.sockets(), expected: self.distribution.name != GENERIC.name || self.is_marked() }
    }

    /// Where static pod manifests are, or will be.
    #[must_use]
    pub fn manifests(&self) -> Option<PathBuf> {
        match self.configured_manifests() {
            Some((path, _)) => Some(self.under_root(&path.replace("${SNAP_DATA}", &self.data))),
            None => self.distribution.manifests.map(|p| self.place(p)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;

    struct Case {
        about: &'static str,
        files: &'static [(&'static str, &'static str)],
        name: &'static str,
        sockets: &'static [&'static str],
        expected: bool,
        manifests: Option<&'static str>,
    }

    const CONTAINERD: &str = "/run/containerd/containerd.sock";
    const K3S: &str = "/run/k3s/containerd/containerd.sock";
    const USUAL: Option<&str> = Some("/etc/kubernetes/manifests");

    #[test]
    fn which_node_is_this() {
        let cases = [
            Case { about: "nothing", files: &[], name: "generic", sockets: &[], expected: false, manifests: USUAL },
            Case {
                about: "kubeadm",
                files: &[("/var/lib/kubelet/config.yaml", "staticPodPath: /srv/pods\n"), (CONTAINERD, "")],
                name: "generic",
                sockets: &[CONTAINERD],
                expected: true,
                manifests: Some("/srv/pods"),
            },
            Case {
                about: "kubeadm with CRI-O named by flag",
                files: &[
                    (
                        "/var/lib/kubelet/kubeadm-flags.env",
                        "A=\"--container-runtime-endpoint=unix:///run/crio/crio.sock\"",
                    ),
                    (CONTAINERD, ""),
                    ("/run/crio/crio.sock", ""),
                ],
                name: "generic",
                sockets: &["/run/crio/crio.sock"],
                expected: false,
                manifests: USUAL,
            },
            Case {
                about: "k3s with left-overs of kubeadm",
                files: &[
                    ("/var/lib/rancher/k3s/agent/x", ""),
                    (K3S, ""),
                    ("/etc/kubernetes/manifests/old.yaml", ""),
                    (CONTAINERD, ""),
                ],
                name: "k3s",
                sockets: &[K3S],
                expected: true,
                manifests: Some("/var/lib/rancher/k3s/agent/pod-manifests"),
            },
            Case {
                about: "kubeadm with left-overs of k3s",
                files: &[("/var/lib/rancher/k3s/agent/x", ""), ("/var/lib/kubelet/config.yaml", ""), (CONTAINERD, "")],
                name: "generic",
                sockets: &[CONTAINERD],
                expected: true,
                manifests: USUAL,
            },
            Case {
                about: "k3s that has not started yet, with its data elsewhere",
                files: &[("/etc/rancher/k3s/config.yaml", "data-dir: /data/k3s/\n"), ("/data/k3s/agent/x", "")],
                name: "k3s",
                sockets: &[],
                expected: true,
                manifests: Some("/data/k3s/agent/pod-manifests"),
            },
            Case {
                about: "RKE2",
                files: &[("/var/lib/rancher/rke2/agent/x", ""), (K3S, "")],
                name: "RKE2",
                sockets: &[K3S],
                expected: true,
                manifests: Some("/var/lib/rancher/rke2/agent/pod-manifests"),
            },
            Case {
                about: "k0s",
                files: &[("/var/lib/k0s/kubelet/x", ""), ("/run/k0s/containerd.sock", "")],
                name: "k0s",
                sockets: &["/run/k0s/containerd.sock"],
                expected: true,
                manifests: None,
            },
            Case {
                about: "MicroK8s with a manifest directory in its arguments",
                files: &[
                    ("/var/snap/microk8s/current/args/kubelet", "--pod-manifest-path=${SNAP_DATA}/pods\n"),
                    ("/var/snap/microk8s/common/run/containerd.sock", ""),
                ],
                name: "MicroK8s",
                sockets: &["/var/snap/microk8s/common/run/containerd.sock"],
                expected: true,
                manifests: Some("/var/snap/microk8s/current/pods"),
            },
            Case {
                about: "KubeEdge",
                files: &[("/etc/kubeedge/config/edgecore.yaml", ""), (CONTAINERD, "")],
                name: "KubeEdge",
                sockets: &[CONTAINERD],
                expected: true,
                manifests: Some("/etc/kubeedge/manifests"),
            },
        ];
        for case in cases {
            let t = TestDir::new();
            let root = t.path("");
            for (path, text) in case.files {
                let path = root.join(path.trim_start_matches('/'));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let got = Node::new(&root).decide();
            let under = |p: &&str| root.join(p.trim_start_matches('/'));
            assert_eq!(got.distribution.name, case.name, "{}", case.about);
            let sockets = Sockets { candidates: case.sockets.iter().map(under).collect(), expected: case.expected };
            assert_eq!(got.runtime(), sockets, "{}", case.about);
            assert_eq!(got.manifests(), case.manifests.as_ref().map(under), "{}", case.about);
        }
    }

    #[test]
    fn where_a_kubelet_serves_its_pods_api() {
        for (marker, socket) in [
            ("/var/lib/kubelet/config.yaml", "/var/lib/kubelet/pods-api/pods-api.sock"),
            ("/var/lib/rancher/k3s/agent/x", "/var/lib/kubelet/pods-api/pods-api.sock"),
            ("/var/lib/rancher/rke2/agent/x", "/var/lib/kubelet/pods-api/pods-api.sock"),
            ("/var/lib/k0s/kubelet/x", "/var/lib/k0s/kubelet/pods-api/pods-api.sock"),
            ("/var/snap/microk8s/current/x", "/var/snap/microk8s/common/var/lib/kubelet/pods-api/pods-api.sock"),
        ] {
            let t = TestDir::new();
            let root = t.path("");
            let path = root.join(marker.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            assert_eq!(Node::new(&root).decide().pods_api(), root.join(socket.trim_start_matches('/')), "{marker}");
        }
    }
}
