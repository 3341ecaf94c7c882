//! What the path of a cgroup says about the pod and the container in it.
//!
//! The drivers of kubelets and runtimes write: cgroupfs `/kubepods/burstable/podUID/ID`, systemd
//! `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-ID.scope` (UID with `_` for
//! `-`), containerd without a systemd of its own `/system.slice/containerd.service/kubepods-podUID.slice:cri-containerd:ID`,
//! CRI-O `crio-ID` with or without `.scope` and a `container` below it, Docker `docker-ID.scope`. Sources:
//! `kubernetes/kubernetes pkg/kubelet/cm/cgroup_manager_linux.go`, `containerd/containerd internal/cri/server`,
//! `cri-o/cri-o internal/config/cgmgr`.

/// Names in the path of a cgroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupNames {
    /// UID of the pod.
    pub pod_uid: Option<String>,
    /// Ids of containers, outermost first: below the pod's own cgroup where there is one, so that the first is the
    /// pod's container and later ones run inside it.
    pub container_ids: Vec<String>,
}

impl CgroupNames {
    /// Reads a path, absolute or relative, below whichever mount point and with or without the rest of a line of
    /// `/proc/PID/cgroup`.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let mut names = Self::default();
        let mut below_kubepods = false;
        // A colon separates what would be two components (and the fields of /proc/PID/cgroup).
        for part in path.trim_end().split(['/', ':']) {
            if let Some(uid) = pod_uid(part, below_kubepods) {
                // The innermost pod counts: a node that is a container itself (kind, k3d) has pods of its own.
                names = Self { pod_uid: Some(uid), container_ids: Vec::new() };
            } else if let Some(id) = container_id(part) {
                names.container_ids.push(id.into());
            }
            below_kubepods |= part.starts_with("kubepods") || part.ends_with("-kubepods.slice");
        }
        names
    }

    /// Reads a `/proc/PID/cgroup`: of all hierarchies the first that names a pod, else the first with a container.
    #[must_use]
    pub fn of_process(file: &str) -> Self {
        let all: Vec<Self> = file.lines().map(Self::read).collect();
        let pod = all.iter().find(|names| names.pod_uid.is_some());
        pod.or_else(|| all.iter().find(|names| !names.container_ids.is_empty())).cloned().unwrap_or_default()
    }

    /// Whether the path says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pod_uid.is_none() && self.container_ids.is_empty()
    }
}

/// The UID in `podUID` or `kubepods-besteffort-podUID.slice`. Anything may be a UID below `kubepods`; elsewhere only
/// what looks like one.
fn pod_uid(part: &str, below_kubepods: bool) -> Option<String> {
    let slice = part.strip_suffix(".slice");
    let uid = match slice {
        Some(name) => name.rsplit_once("-pod")?.1.replace('_', "-"),
        None => part.strip_prefix("pod")?.to_string(),
    };
    let hex = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let usual = matches!(uid.len(), 32 | 36) && hex(&uid);
    let of_a_kubelet = slice.is_some_and(|name| name.contains("kubepods")) || below_kubepods;
    (usual || of_a_kubelet && !uid.is_empty()).then_some(uid)
}

/// The id at the end of `ID`, `crio-ID` or `cri-containerd-ID.scope`.
fn container_id(part: &str) -> Option<&str> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let id = name.rsplit_once('-').map_or(name, |(_, id)| id);
    (id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "0f5e2a1c-98d1-4a39-b1a5-6c0b6a1f7e02";
    const HASH: &str = "8d2b5b3b2b3d4a5f9a7c6e1d0f2a3b4c";

    #[test]
    fn paths_of_drivers_and_runtimes() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let escaped = UID.replace('-', "_");
        let table = [
            (format!("/kubepods/burstable/pod{UID}/{a}"), UID, vec![&a]),
            (format!("/kubepods/pod{UID}/{a}"), UID, vec![&a]),
            (format!("/kubepods/besteffort/pod{HASH}/{a}"), HASH, vec![&a]),
            (format!("/kubepods/podmy_own.uid/{a}"), "my_own.uid", vec![&a]),
            (format!("/kubepods/burstable/pod{UID}"), UID, vec![]),
            (format!("/kubepods/burstable/pod{UID}/crio-{a}"), UID, vec![&a]),
            (format!("/kubepods/burstable/pod{UID}/crio-{a}/container"), UID, vec![&a]),
            (format!("/kubepods/burstable/pod{UID}/crio-conmon-{a}"), UID, vec![&a]),
            (
                format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{escaped}.slice/cri-containerd-{a}.scope"),
                UID,
                vec![&a],
            ),
            (format!("/kubepods.slice/kubepods-pod{escaped}.slice/crio-{a}.scope/container"), UID, vec![&a]),
            (format!("/kubepods.slice/kubepods-pod{escaped}.slice/docker-{a}.scope"), UID, vec![&a]),
            (format!("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{HASH}.slice"), HASH, vec![]),
            (format!("/kubepods.slice/kubepods-podmy_own.slice/crio-{a}.scope"), "my-own", vec![&a]),
            (format!("/system.slice/containerd.service/kubepods-besteffort-pod{escaped}.slice:cri-containerd:{a}"), UID, vec![&a]),
            // a kubelet with a --cgroup-root
            (format!("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{escaped}.slice/cri-containerd-{a}.scope"), UID, vec![&a]),
            // a node that is a container: the outer id is not the pod's
            (format!("/docker/{b}/kubelet/kubepods/burstable/pod{UID}/{a}"), UID, vec![&a]),
            (format!("/../../system.slice/docker-{b}.scope/kubepods.slice/kubepods-pod{escaped}.slice/cri-containerd-{a}.scope"), UID, vec![&a]),
            // a container that runs containers
            (format!("/kubepods/pod{UID}/{a}/docker/{b}"), UID, vec![&a, &b]),
            (format!("/sys/fs/cgroup/memory/kubepods/pod{UID}/{a}/memory.limit_in_bytes"), UID, vec![&a]),
            (format!("/any/parent/pod{UID}/{a}"), UID, vec![&a]),
            (format!("/k8s.io/{a}"), "", vec![&a]),
            (format!("system.slice:docker:{a}"), "", vec![&a]),
            ("/user.slice/user-1000.slice/session-2.scope".into(), "", vec![]),
            ("/machine.slice/libpod-pod_1.slice/podman-1.scope".into(), "", vec![]),
            (format!("/podstore/{}", "A".repeat(64)), "", vec![]),
            (String::new(), "", vec![]),
        ];
        for (path, uid, ids) in table {
            let got = CgroupNames::read(&path);
            assert_eq!(got.pod_uid.as_deref().unwrap_or_default(), uid, "{path}");
            assert_eq!(got.container_ids.iter().collect::<Vec<_>>(), ids, "{path}");
            assert_eq!(got.is_empty(), uid.is_empty() && ids.is_empty());
            assert_eq!(CgroupNames::read(&format!("7:cpu,cpuacct:{path}\n")), got, "{path} as a line of /proc");
        }
    }

    #[test]
    fn of_all_hierarchies_the_one_with_a_pod() {
        let a = "a".repeat(64);
        let file = format!(
            "12:pids:/user.slice\n3:devices:/k8s.io/{a}\n1:name=systemd:/kubepods/pod{UID}/{a}\n0::/init.scope\n"
        );
        let got = CgroupNames::of_process(&file);
        assert_eq!((got.pod_uid.as_deref(), got.container_ids), (Some(UID), vec![a]));
        assert!(CgroupNames::of_process("0::/\n").is_empty());
    }
}
