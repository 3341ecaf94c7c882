//! How full the file systems are that pods depend on.

use std::path::{Path, PathBuf};

use crate::diagnosis::Disk;
use crate::sys::disk;

/// Free space in percent below which a kubelet evicts: on the file system of pods, volumes and logs (nodefs), and on
/// that of images and containers (imagefs). `kubernetes/kubernetes pkg/kubelet/apis/config/v1beta1/defaults_linux.go`.
pub const NODEFS_PERCENT: u64 = 10;
/// The same for imagefs.
pub const IMAGEFS_PERCENT: u64 = 15;

/// Where kubelets and runtimes keep what they need, as far as it is there. k0s and MicroK8s have the runtime's files in
/// directories of their own.
const RUNTIMES: [&str; 5] = [
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/rancher",
    "/var/lib/k0s/containerd",
    "/var/snap/microk8s/common/var/lib/containerd",
];

/// The file systems that a kubelet looks at, by the directories of this machine.
#[must_use]
pub fn of_kubelet(root: &Path) -> Vec<Disk> {
    let nodefs = at(root, Path::new("/var/lib/kubelet"), "pods and their volumes", NODEFS_PERCENT);
    let runtimes =
        RUNTIMES.iter().filter_map(|path| at(root, Path::new(path), "images and containers", IMAGEFS_PERCENT));
    nodefs.into_iter().chain(runtimes).collect()
}

/// The file system of one directory below `root`, which is `/` but for tests; `None` where there is no such directory.
#[must_use]
pub fn at(root: &Path, path: &Path, holds: &'static str, limit_percent: u64) -> Option<Disk> {
    let room = disk::room(&below(root, path)).ok()?;
    Some(Disk {
        path: path.to_string_lossy().into_owned(),
        holds,
        available: room.available,
        total: room.total,
        inodes_free: room.inodes_free,
        inodes: room.inodes,
        limit_percent,
    })
}

/// An absolute path as it is below another root.
pub fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_that_are_there() {
        let root = std::env::temp_dir().join(format!("nodepods-disks-{}", std::process::id()));
        std::fs::create_dir_all(root.join("var/lib/rancher")).unwrap();
        let disks = of_kubelet(&root);
        std::fs::remove_dir_all(&root).unwrap();
        let told: Vec<_> = disks.iter().map(|d| (d.path.as_str(), d.limit_percent, d.total > 0)).collect();
        assert_eq!(told, [("/var/lib/rancher", IMAGEFS_PERCENT, true)]);
    }
}
