//! Which pod a file on the node belongs to, as far as its path says.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use crate::pod::cgroup::CgroupNames;

use super::subject::is_uuid;

/// What a path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// A file of this process in `/proc`.
    Pid(u32),
    /// A directory of the pod with this UID: of a kubelet, or with its logs.
    PodUid(String),
    /// A directory or file of this container: of a runtime, or its log.
    ContainerId(String),
    /// A path below which a runtime keeps cgroups or containers.
    Cgroup(String),
}

/// What a path says by its words alone.
#[must_use]
pub fn trace(path: &Path) -> Option<Trace> {
    let words: Vec<&str> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(word) => std::str::from_utf8(word.as_bytes()).ok(),
            _ => None,
        })
        .collect();
    if let ["proc", pid, ..] = words.as_slice() {
        return pid.parse().ok().map(Trace::Pid);
    }
    // <kubelet root>/pods/UID/..., /var/log/pods/NAMESPACE_NAME_UID/CONTAINER/0.log
    let below_pods = words.iter().zip(words.iter().skip(1)).find(|(above, _)| **above == "pods").map(|(_, w)| *w);
    if let Some(word) = below_pods {
        let uid = word.rsplit_once('_').map_or(word, |(_, uid)| uid);
        let usual = is_uuid(uid) || uid.len() == 32 && uid.bytes().all(|b| b.is_ascii_hexdigit());
        if usual || word.matches('_').count() == 2 {
            return Some(Trace::PodUid(uid.into()));
        }
    }
    // /var/log/containers/NAME_NAMESPACE_CONTAINER-ID.log
    if let Some(id) = words.last().and_then(|w| w.strip_suffix(".log")).and_then(|w| w.rsplit_once('-')) {
        if let [id] = CgroupNames::read(id.1).container_ids.as_slice() {
            return Some(Trace::ContainerId(id.clone()));
        }
    }
    let whole = path.to_str()?;
    let names = CgroupNames::read(whole);
    (!names.is_empty()).then(|| Trace::Cgroup(whole.into()))
}

/// The number of the network namespace that is mounted on this file, such as `/run/netns/cni-...`.
#[must_use]
pub fn network_namespace(path: &Path) -> Option<u64> {
    let named = path.parent().is_some_and(|dir| dir.ends_with("netns"));
    std::fs::metadata(path).ok().filter(|meta| named && meta.is_file()).map(|meta| meta.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_paths() {
        let uid = "0f5e2a1c-98d1-4a39-b1a5-6c0b6a1f7e02";
        let hash = "8d2b5b3b2b3d4a5f9a7c6e1d0f2a3b4c";
        let id = "a".repeat(64);
        let pod = |uid: &str| Some(Trace::PodUid(uid.into()));
        let table = [
            ("/proc/42/root/etc".to_string(), Some(Trace::Pid(42))),
            (format!("/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/x"), pod(uid)),
            (format!("/var/lib/k0s/kubelet/pods/{hash}/etc-hosts"), pod(hash)),
            (format!("/var/log/pods/kube-system_etcd-n1_{hash}/etcd/0.log"), pod(hash)),
            ("/var/log/pods/shop_web_my-own-uid/main/0.log".into(), pod("my-own-uid")),
            (format!("/var/log/containers/web_shop_main-{id}.log"), Some(Trace::ContainerId(id.clone()))),
            (
                format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/rootfs"),
                Some(Trace::Cgroup(format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/rootfs"))),
            ),
            ("/var/lib/kubelet/pods/kubelet.sock".into(), None),
            ("/var/lib/kubelet/pods".into(), None),
            ("/etc/passwd".into(), None),
            ("/home/x/pods/readme_first".into(), None),
        ];
        for (path, want) in table {
            assert_eq!(trace(Path::new(&path)), want, "{path}");
        }
    }
}
