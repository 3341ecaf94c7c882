//! Where the daemon reads and writes: what Landlock grants.
//!
//! A rule binds an inode. A directory that vanishes and comes back is another inode, so what is granted is the
//! nearest ancestor that stays.

use std::path::{Path, PathBuf};

use crate::config::settings::Settings;
use crate::config::values::{Endpoint, KubeletEndpoint};
use crate::harden::places::Places;
use crate::machine;
use crate::source::kubeconfig::Choice;

/// Read where the node's parts are looked for: manifests, runtimes' and kubelets' configuration and credentials, logs,
/// cgroups, time zone and trusted certificates. Any of them may appear later. gRPC reads its seeds from a device.
const FOUND: [&str; 13] = [
    "/dev/null",
    "/dev/urandom",
    "/etc",
    "/proc",
    "/run",
    "/sys/fs/cgroup",
    machine::OS_RELEASE,
    "/usr/local/share",
    "/usr/share",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/snap",
];

/// What these settings need.
#[must_use]
pub fn of(settings: &Settings) -> Places {
    let mut places = Places { read: FOUND.map(PathBuf::from).to_vec(), ..Places::default() };
    places.read.extend(settings.pod_manifest_path.as_deref().map(lasting_ancestor));
    places.read.extend(settings.runtime_state_dir.as_deref().map(lasting_ancestor));
    if let Some(Endpoint::Unix(path)) = &settings.runtime {
        places.read.extend(Some(lasting_ancestor(path)));
    }
    if let Some(KubeletEndpoint::Unix(path)) = &settings.kubelet {
        places.read.extend(Some(lasting_ancestor(path)));
    }
    if let Some(Choice::File(path)) = &settings.kubeconfig {
        places.read.extend(Some(lasting_ancestor(path)));
    }
    for file in settings.kubeconfig.iter().flat_map(Choice::files) {
        places.read.extend(Some(lasting_ancestor(&file)));
    }
    places.read.extend(std::env::var_os("SSL_CERT_FILE").as_deref().map(Path::new).map(lasting_ancestor));
    let default: &[&str] = if settings.sockets.is_empty() { &crate::config::settings::DEFAULT_SOCKETS } else { &[] };
    let sockets = settings.sockets.iter().chain(&settings.http_sockets).map(PathBuf::as_path);
    for socket in sockets.chain(default.iter().map(Path::new)) {
        places.write.extend(socket.parent().map(lasting_ancestor));
    }
    for socket in &settings.narrow_sockets {
        places.write.extend(socket.path.parent().map(lasting_ancestor));
    }
    // Made before it is granted, and ours: it is not replaced.
    places.write.extend(settings.state_dir.clone());
    places.write.extend(settings.downward_dir.clone());
    if let Some(directory) = settings.metrics_textfile.as_deref().and_then(Path::parent) {
        places.write.push(directory.to_path_buf());
    }
    places.listens = settings.metrics_listen.is_some();
    places.connects = settings.manifest_url.is_some()
        || settings.kubeconfig.is_some()
        || matches!(settings.kubelet, Some(KubeletEndpoint::Http(_)));
    places
}

/// The nearest existing ancestor of a path: not the path itself, which may be replaced. Never the root, which would
/// grant everything: below it, the path itself has to do.
fn lasting_ancestor(path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    let ancestor = path.ancestors().skip(1).find(|a| a.exists());
    ancestor.filter(|a| a.parent().is_some()).unwrap_or(path).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_replaced_is_granted_by_what_holds_it() {
        assert_eq!(lasting_ancestor(Path::new("/usr/bin/env")), Path::new("/usr/bin"));
        assert_eq!(lasting_ancestor(Path::new("/usr/bin/no/such/dir")), Path::new("/usr/bin"));
        assert_eq!(lasting_ancestor(Path::new("/usr")), Path::new("/usr"), "not the root");
        assert_eq!(lasting_ancestor(Path::new("/no-such-dir/x")), Path::new("/no-such-dir/x"), "not the root");
    }
}
