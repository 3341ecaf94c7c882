//! Where each distribution keeps its parts. Paths are data; `{data}` stands for its data directory.

/// One distribution's places, as it sets them up when nobody says otherwise.
#[derive(Debug)]
pub struct Distribution {
    /// Its name for people.
    pub name: &'static str,
    /// Where `data-dir` may be set: a file, or a directory of `*.yaml` drop-ins.
    pub config: &'static [&'static str],
    /// The data directory where `config` does not move it.
    pub data: &'static str,
    /// It is this one when this exists.
    pub marker: &'static str,
    /// Runtime sockets, the likeliest first.
    pub sockets: &'static [&'static str],
    /// The manifest directory; `None` where there is none unless configured.
    pub manifests: Option<&'static str>,
    /// KubeletConfiguration files.
    pub kubelet_config: &'static [&'static str],
    /// Files with kubelet flags: one a line, or in a variable of an environment file.
    pub kubelet_flags: &'static [&'static str],
    /// The kubelet's client certificate, in PEM.
    pub certificates: &'static [&'static str],
    /// The kubelet's kubeconfig.
    pub kubeconfigs: &'static [&'static str],
    /// The kubelet's directory.
    pub kubelet_root: &'static str,
}

/// RKE2 comes before k3s: an RKE2 node has k3s' runtime paths, and nothing of k3s' own data.
pub static KNOWN: [Distribution; 4] = [
    Distribution {
        name: "RKE2",
        config: &["/etc/rancher/rke2/config.yaml", "/etc/rancher/rke2/config.yaml.d"],
        data: "/var/lib/rancher/rke2",
        marker: "{data}/agent",
        sockets: &["/run/k3s/containerd/containerd.sock"],
        manifests: Some("{data}/agent/pod-manifests"),
        kubelet_config: &[],
        kubelet_flags: &[],
        certificates: &["{data}/agent/client-kubelet.crt"],
        kubeconfigs: &["{data}/agent/kubelet.kubeconfig"],
        kubelet_root: "/var/lib/kubelet",
    },
    Distribution {
        name: "k3s",
        config: &["/etc/rancher/k3s/config.yaml", "/etc/rancher/k3s/config.yaml.d"],
        data: "/var/lib/rancher/k3s",
        marker: "{data}/agent",
        sockets: &["/run/k3s/containerd/containerd.sock", "/run/k3s/cri-dockerd/cri-dockerd.sock"],
        manifests: Some("{data}/agent/pod-manifests"),
        kubelet_config: &[],
        kubelet_flags: &["/etc/systemd/system/k3s.service.env", "/etc/systemd/system/k3s-agent.service.env"],
        certificates: &["{data}/agent/client-kubelet.crt"],
        kubeconfigs: &["{data}/agent/kubelet.kubeconfig"],
        kubelet_root: "/var/lib/kubelet",
    },
    Distribution {
        name: "k0s",
        config: &[],
        data: "/var/lib/k0s",
        marker: "{data}/kubelet",
        sockets: &["/run/k0s/containerd.sock"],
        manifests: None,
        kubelet_config: &["{data}/kubelet-config.yaml"],
        kubelet_flags: &[],
        certificates: &["{data}/kubelet/pki/kubelet-client-current.pem"],
        kubeconfigs: &["{data}/kubelet.conf"],
        kubelet_root: "{data}/kubelet",
    },
    Distribution {
        name: "MicroK8s",
        config: &[],
        data: "/var/snap/microk8s/current",
        marker: "{data}",
        sockets: &["/var/snap/microk8s/common/run/containerd.sock"],
        manifests: None,
        kubelet_config: &[],
        kubelet_flags: &["{data}/args/kubelet"],
        certificates: &["{data}/certs/kubelet.crt"],
        kubeconfigs: &["{data}/credentials/kubelet.config"],
        kubelet_root: "/var/snap/microk8s/common/var/lib/kubelet",
    },
];

/// kubeadm, CRI-O, MicroShift, or nothing but a runtime.
pub static GENERIC: Distribution = Distribution {
    name: "generic",
    config: &[],
    data: "/var/lib/kubelet",
    marker: "{data}/config.yaml",
    sockets: &[
        "/run/containerd/containerd.sock",
        "/run/crio/crio.sock",
        "/var/run/crio/crio.sock",
        "/run/cri-dockerd.sock",
    ],
    manifests: Some("/etc/kubernetes/manifests"),
    kubelet_config: &["{data}/config.yaml"],
    kubelet_flags: &["{data}/kubeadm-flags.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet"],
    certificates: &["{data}/pki/kubelet-client-current.pem"],
    // kubeadm; then kops, EKS and others.
    kubeconfigs: &["/etc/kubernetes/kubelet.conf", "{data}/kubeconfig"],
    kubelet_root: "/var/lib/kubelet",
};

/// KubeEdge's edgecore: a generic node with manifests of its own.
pub static KUBEEDGE: Distribution = Distribution {
    name: "KubeEdge",
    config: &[],
    data: "/etc/kubeedge",
    marker: "{data}/config/edgecore.yaml",
    sockets: GENERIC.sockets,
    manifests: Some("{data}/manifests"),
    kubelet_config: &[],
    kubelet_flags: &[],
    certificates: &[],
    kubeconfigs: GENERIC.kubeconfigs,
    kubelet_root: "/var/lib/kubelet",
};
