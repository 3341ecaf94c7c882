//! Directories in which a container's start or end shows.

use std::path::{Path, PathBuf};

use inotify::{EventMask, WatchMask};

/// What is kept in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// containerd: a directory for each container with a task, called by its id. Made before the container runs;
    /// renamed to a name with a dot, and removed, right before CRI says that it has ended.
    Tasks,
    /// CRI-O: a file for each container that has ended, called by its id.
    Exits,
    /// A directory for each pod with logs, made with its sandbox (`kubernetes/kubernetes pkg/kubelet/kuberuntime`).
    Logs,
    /// A directory in which one of the others may be made.
    Above,
}

/// What an event says about some container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// It is about to start.
    Starts,
    /// It has ended, as the runtime says in a moment; its id, where the event has it.
    Ended(Option<String>),
    /// A directory was made that is to be watched.
    Appeared,
}

impl Kind {
    /// What has to be watched.
    #[must_use]
    pub fn mask(self) -> WatchMask {
        let what = match self {
            Self::Tasks => WatchMask::CREATE | WatchMask::MOVED_FROM | WatchMask::DELETE,
            Self::Exits => WatchMask::CREATE | WatchMask::MOVED_TO,
            Self::Logs => WatchMask::CREATE | WatchMask::DELETE,
            Self::Above => WatchMask::CREATE | WatchMask::MOVED_TO,
        };
        what | WatchMask::ONLYDIR
    }

    /// What an event in such a directory means. `name` is that of the file or directory.
    #[must_use]
    pub fn hint(self, event: EventMask, name: &str) -> Option<Hint> {
        let on = |mask| event.intersects(mask);
        let ended = || Some(Hint::Ended(Some(name.to_owned())));
        match self {
            Self::Tasks if name.starts_with('.') => None, // what is left of one that has ended
            Self::Tasks if on(EventMask::CREATE) => Some(Hint::Starts),
            Self::Tasks if on(EventMask::MOVED_FROM | EventMask::DELETE) => ended(),
            Self::Exits if on(EventMask::CREATE | EventMask::MOVED_TO) => ended(),
            Self::Logs if on(EventMask::CREATE) => Some(Hint::Starts),
            Self::Logs if on(EventMask::DELETE) => Some(Hint::Ended(None)),
            Self::Above => Some(Hint::Appeared),
            _ => None,
        }
    }

    /// How many directories above one that is missing are looked at: those that the runtime makes itself.
    #[must_use]
    pub fn made_below(self) -> usize {
        match self {
            Self::Tasks => 2,
            Self::Exits | Self::Logs => 1,
            Self::Above => 0,
        }
    }
}

/// Where to look for the runtime behind `socket`. Directories that do not exist, or never will, cost nothing.
///
/// containerd keeps its state beside its socket (the default, k3s, RKE2), in `containerd` beside it (k0s, MicroK8s),
/// or in `state` beside the socket's directory; CRI-O has `exits` beside its socket.
#[must_use]
pub fn beside(socket: &Path) -> Vec<(PathBuf, Kind)> {
    let Some(dir) = socket.parent() else { return Vec::new() };
    let mut states = vec![dir.to_path_buf(), dir.join("containerd")];
    states.extend(dir.parent().map(|above| above.join("state")));
    let mut places: Vec<_> = states.iter().map(|state| (tasks(state), Kind::Tasks)).collect();
    places.push((dir.join("exits"), Kind::Exits));
    places
}

/// The task directory below containerd's state directory (`state` in its configuration).
#[must_use]
pub fn tasks(state: &Path) -> PathBuf {
    state.join("io.containerd.runtime.v2.task/k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_distribution_is_covered() {
        let table = [
            ("/run/containerd/containerd.sock", "/run/containerd", Kind::Tasks),
            ("/run/k3s/containerd/containerd.sock", "/run/k3s/containerd", Kind::Tasks),
            ("/run/k0s/containerd.sock", "/run/k0s/containerd", Kind::Tasks),
            ("/var/snap/microk8s/common/run/containerd.sock", "/var/snap/microk8s/common/run/containerd", Kind::Tasks),
            ("/var/run/crio/crio.sock", "/var/run/crio/exits", Kind::Exits),
        ];
        for (socket, place, kind) in table {
            let place = if kind == Kind::Tasks { tasks(Path::new(place)) } else { place.into() };
            assert!(beside(Path::new(socket)).contains(&(place, kind)), "{socket}");
        }
        assert_eq!(beside(Path::new("/")), []);
    }
}
