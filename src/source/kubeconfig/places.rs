//! Where kubelets keep their kubeconfig. The paths of one distribution only are looked at.

/// Of a pod: `token`, `ca.crt` (`kubernetes/client-go rest/config.go`, InClusterConfig).
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// kubeadm; then what kops, EKS and others use.
pub const GENERIC: [&str; 2] = ["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig"];
/// k3s.
pub const K3S: [&str; 1] = ["/var/lib/rancher/k3s/agent/kubelet.kubeconfig"];
/// RKE2.
pub const RKE2: [&str; 1] = ["/var/lib/rancher/rke2/agent/kubelet.kubeconfig"];
/// k0s.
pub const K0S: [&str; 1] = ["/var/lib/k0s/kubelet.conf"];
/// MicroK8s.
pub const MICROK8S: [&str; 1] = ["/var/snap/microk8s/current/credentials/kubelet.config"];
