//! Whose container, cgroup or address it is: pods found in a snapshot by what a process or a packet shows.

use std::net::IpAddr;
use std::sync::Arc;

use super::snapshot::{PodEntry, Snapshot};
use crate::codec::wire::{self, Value};
use crate::pod::cgroup::CgroupNames;

/// Shortest part of a container id that is searched for.
pub const LEAST_PREFIX: usize = 4;

/// What is known of the pod that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// Id of a container or sandbox, whole or its beginning, without `containerd://`.
    ContainerId(String),
    /// What a cgroup's path says.
    Cgroup(CgroupNames),
    /// An address. Pods on the host's network share the host's.
    Ip(IpAddr),
    /// UID of the pod.
    PodUid(String),
}

/// What a container is to its pod. The numbers are those of `nodepods.v1.FoundContainer.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerKind {
    /// The pod does not say, such as of an instance that is long gone.
    Unknown = 0,
    /// One of `spec.containers`.
    Regular = 1,
    /// One of `spec.initContainers`.
    Init = 2,
    /// One of `spec.ephemeralContainers`.
    Ephemeral = 3,
    /// The sandbox, which holds the pod's namespaces.
    Sandbox = 4,
}

/// A container of a pod that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundContainer {
    /// The whole id.
    pub id: String,
    /// Its name in the pod; empty for a sandbox.
    pub name: String,
    /// What it is to the pod.
    pub kind: ContainerKind,
    /// The image as the status spells it; empty where this instance is not the one that the status shows.
    pub image: String,
    /// The image's id, likewise.
    pub image_id: String,
}

/// A pod that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The pod.
    pub pod: Arc<PodEntry>,
    /// The container, where the clue leads to one.
    pub container: Option<FoundContainer>,
}

/// All pods that the clue leads to; several where an address is shared or the beginning of an id fits more than one.
#[must_use]
pub fn find(snapshot: &Snapshot, clue: &Clue) -> Vec<Found> {
    let whole = |pod: &Arc<PodEntry>| Found { pod: Arc::clone(pod), container: None };
    match clue {
        Clue::ContainerId(id) => by_id(&snapshot.pods, id),
        Clue::PodUid(uid) => snapshot.by_uid(uid).map(whole).into_iter().collect(),
        Clue::Ip(ip) => {
            let ip = ip.to_canonical();
            let has = |pod: &&Arc<PodEntry>| pod.ips.iter().any(|own| own.parse() == Ok(ip));
            snapshot.pods.iter().filter(has).map(whole).collect()
        }
        Clue::Cgroup(names) => {
            let pod = names.pod_uid.as_deref().and_then(|uid| snapshot.by_uid(uid));
            let among = pod.map_or(snapshot.pods.as_slice(), std::slice::from_ref);
            let found = names.container_ids.iter().map(|id| by_id(among, id)).find(|found| !found.is_empty());
            found.unwrap_or_else(|| pod.map(whole).into_iter().collect())
        }
    }
}

/// Pods with a container whose id is, or else begins with, `id`.
fn by_id(pods: &[Arc<PodEntry>], id: &str) -> Vec<Found> {
    if id.len() < LEAST_PREFIX {
        return Vec::new();
    }
    let mut found = Vec::new();
    for pod in pods {
        for known in pod.container_ids.iter().filter(|known| known.id.starts_with(id)) {
            found.push(Found { pod: Arc::clone(pod), container: Some(described(pod, &known.id, &known.name)) });
        }
        // Without the runtime, what the pod's own status says.
        if pod.container_ids.is_empty() {
            let stated = statuses(pod).filter(|s| s.id.starts_with(id));
            found.extend(stated.map(|s| Found { pod: Arc::clone(pod), container: Some(s.container()) }));
        }
    }
    let exact: Vec<Found> =
        found.iter().filter(|f| f.container.as_ref().is_some_and(|c| c.id == id)).cloned().collect();
    if exact.is_empty() {
        found
    } else {
        exact
    }
}

/// Puts together what the pod's status says of this instance.
fn described(pod: &PodEntry, id: &str, name: &str) -> FoundContainer {
    let kind = if name.is_empty() { ContainerKind::Sandbox } else { ContainerKind::Unknown };
    let bare = FoundContainer { id: id.into(), name: name.into(), kind, image: String::new(), image_id: String::new() };
    match statuses(pod).find(|s| s.name == name) {
        Some(status) if status.id == id => status.container(),
        Some(status) => FoundContainer { kind: status.kind, ..bare },
        None => bare,
    }
}

/// One of the container statuses of a pod.
struct Status<'a> {
    kind: ContainerKind,
    name: &'a str,
    /// Without the runtime's name in front.
    id: &'a str,
    image: &'a str,
    image_id: &'a str,
}

impl Status<'_> {
    fn container(&self) -> FoundContainer {
        FoundContainer {
            id: self.id.into(),
            name: self.name.into(),
            kind: self.kind,
            image: self.image.into(),
            image_id: self.image_id.into(),
        }
    }
}

/// Field numbers of `PodStatus` and `ContainerStatus`: `kubernetes/api core/v1/generated.proto`.
fn statuses(pod: &PodEntry) -> impl Iterator<Item = Status<'_>> {
    wire::fields(pod.bytes.status()).map_while(Result::ok).filter_map(|field| {
        let kind = match field.number {
            8 => ContainerKind::Regular,
            10 => ContainerKind::Init,
            13 => ContainerKind::Ephemeral,
            _ => return None,
        };
        let Value::Bytes(bytes) = field.value else { return None };
        let mut status = Status { kind, name: "", id: "", image: "", image_id: "" };
        for field in wire::fields(bytes).map_while(Result::ok) {
            let Value::Bytes(bytes) = field.value else { continue };
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            match field.number {
                1 => status.name = text,
                6 => status.image = text,
                7 => status.image_id = text,
                8 => status.id = text.split_once("://").map_or(text, |(_, id)| id),
                _ => {}
            }
        }
        Some(status)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json;
    use crate::codec::pod_bytes::PodBytes;
    use crate::codec::schema::id;
    use crate::store::snapshot::{PodId, RuntimeId};
    use serde_json::{json, Value as Json};

    fn pod(uid: &str, ids: &[(&str, &str)], ips: &[&str], status: &Json) -> Arc<PodEntry> {
        let status = json::to_wire(id::POD_STATUS, status).unwrap().bytes;
        let known = |(id, name): &(&str, &str)| RuntimeId { id: (*id).into(), name: (*name).into() };
        Arc::new(PodEntry {
            id: Arc::new(PodId { uid: uid.into(), namespace: "ns".into(), name: format!("pod-{uid}") }),
            phase: "Running".into(),
            container_ids: ids.iter().map(known).collect(),
            ips: ips.iter().map(ToString::to_string).collect(),
            revision: 1,
            bytes: PodBytes::from_sections(b"", b"", &status, b""),
        })
    }

    fn node() -> Snapshot {
        let statuses = json!({
            "containerStatuses": [{"name": "main", "containerID": "containerd://aaaa2", "image": "img:1", "imageID": "sha256:1"}],
            "initContainerStatuses": [{"name": "setup", "containerID": "containerd://aaaa3"}],
        });
        let known = [("aaaa2", "main"), ("aaaa1", "main"), ("aaaa3", "setup"), ("aaaa9", "old"), ("aaaa0", "")];
        let far = json!({"containerStatuses": [{"name": "far", "containerID": "cri-o://bbbb1"}]});
        let pods = vec![
            pod("u1", &known, &["10.0.0.5", "fd00::5"], &statuses),
            pod("u2", &[("cccc1", "x"), ("cccc12", "y")], &["192.168.0.1"], &json!({})),
            pod("u3", &[], &["192.168.0.1"], &far),
        ];
        Snapshot { pods, initialized: true, ..Snapshot::empty(1) }
    }

    /// `uid/name/kind/image`.
    fn got(clue: &Clue) -> Vec<String> {
        let line = |f: Found| match f.container {
            Some(c) => format!("{}/{}/{:?}/{}", f.pod.id.uid, c.name, c.kind, c.image),
            None => f.pod.id.uid.clone(),
        };
        find(&node(), clue).into_iter().map(line).collect()
    }

    #[test]
    fn by_container_id() {
        for (id, want) in [
            ("aaaa2", vec!["u1/main/Regular/img:1"]),
            ("aaaa1", vec!["u1/main/Regular/"]),
            ("aaaa3", vec!["u1/setup/Init/"]),
            ("aaaa9", vec!["u1/old/Unknown/"]),
            ("aaaa0", vec!["u1//Sandbox/"]),
            ("bbbb1", vec!["u3/far/Regular/"]),
            ("bbbb", vec!["u3/far/Regular/"]),
            ("cccc1", vec!["u2/x/Unknown/"]),
            ("cccc", vec!["u2/x/Unknown/", "u2/y/Unknown/"]),
            ("cccc123", vec![]),
            ("ccc", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(got(&Clue::ContainerId(id.into())), want, "{id}");
        }
    }

    #[test]
    fn by_address_and_uid() {
        let ip = |ip: &str| got(&Clue::Ip(ip.parse().unwrap()));
        assert_eq!(ip("10.0.0.5"), ["u1"]);
        assert_eq!(ip("::ffff:10.0.0.5"), ["u1"]);
        assert_eq!(ip("fd00:0:0::5"), ["u1"]);
        assert_eq!(ip("192.168.0.1"), ["u2", "u3"]);
        assert!(ip("10.0.0.6").is_empty());
        assert_eq!(got(&Clue::PodUid("u3".into())), ["u3"]);
        assert!(got(&Clue::PodUid("u".into())).is_empty());
    }

    #[test]
    fn by_cgroup() {
        let clue = |uid: Option<&str>, ids: &[&str]| {
            let container_ids = ids.iter().map(ToString::to_string).collect();
            got(&Clue::Cgroup(CgroupNames { pod_uid: uid.map(str::to_string), container_ids }))
        };
        assert_eq!(clue(Some("u1"), &["aaaa2"]), ["u1/main/Regular/img:1"]);
        assert_eq!(clue(Some("u1"), &[]), ["u1"]);
        assert_eq!(clue(Some("u1"), &["dddd1"]), ["u1"], "a container that is newer than the last poll");
        assert_eq!(clue(Some("gone"), &["aaaa3"]), ["u1/setup/Init/"], "a UID that the pod had before");
        assert_eq!(clue(None, &["eeee1", "aaaa0"]), ["u1//Sandbox/"]);
        assert!(clue(None, &["eeee1"]).is_empty() && clue(None, &[]).is_empty());
    }
}
