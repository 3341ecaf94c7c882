//! Why a container or a sandbox is not there yet, as far as it can be concluded.

use serde_json::Value;

use super::case::{has, list, number, text, Case};
use super::facts::{FileKind, ImageFact};
use super::span::bytes;
use super::subject::Subject;
use super::Remark;
use crate::codec::quantity::Quantity;
use crate::pod::defaults::image;

/// Why a container that was never started is not there.
#[must_use]
pub fn of_container(subject: &Subject<'_>) -> Vec<Remark> {
    let (case, name) = (subject.case, subject.name());
    if waits_for_init(subject) || has(case.pod, "/metadata/deletionTimestamp") {
        return Vec::new(); // the init container is what is to be talked about
    }
    if !text(subject.status, "/containerID").is_empty() {
        let what = "was created and was not started".to_owned();
        let remark = Remark::trouble("NotStarted", &name, what, case.teller());
        return vec![
            remark.advise("the runtime may be starting it just now, or fail to: its log and the kubelet's say so")
        ];
    }
    if !has_sandbox(case) || sandbox_is_not_ready(case) {
        return Vec::new(); // told of the pod as a whole
    }
    let mut out: Vec<Remark> = image(subject).into_iter().collect();
    if out.is_empty() {
        let what = "was never created, though the pod's sandbox is there".to_owned();
        let known = format!("{}: it has the sandbox and no such container", case.teller());
        let advice = "its image is being pulled or cannot be, or a volume, device or user of its spec is refused: the \
                      kubelet's log says which ('journalctl -u kubelet')";
        out.push(Remark::trouble("NotCreated", &name, what, &known).advise(advice));
    }
    out
}

/// Whether an init container before it has not ended well.
fn waits_for_init(subject: &Subject<'_>) -> bool {
    let statuses = subject.case.list("/status/initContainerStatuses");
    let before = subject.case.list("/spec/initContainers").iter().take_while(|c| *c != subject.spec);
    before.into_iter().any(|init| {
        let status = statuses.iter().find(|s| text(s, "/name") == text(init, "/name"));
        match status {
            Some(status) if text(init, "/restartPolicy") == "Always" => !has(status, "/state/running"),
            Some(status) => number(status, "/state/terminated/exitCode") != Some(0),
            None => true,
        }
    })
}

/// The image of a container that is not there.
fn image(subject: &Subject<'_>) -> Option<Remark> {
    let wanted = text(subject.spec, "/image");
    let name = subject.name();
    let spec = subject.case.spec_teller();
    if !wanted.contains('@') && image::tag(wanted).is_empty() {
        let what = format!("names an image that cannot be: {wanted:?}");
        let remark = Remark::trouble("InvalidImageName", &name, what, spec);
        return Some(remark.advise("correct 'image': REGISTRY/NAME:TAG, the name in lower case"));
    }
    if subject.case.looked_up.images.get(wanted) != Some(&ImageFact::Missing) {
        return None;
    }
    let asked = "the container runtime was asked for the image and has none";
    let load = "load it on the node: 'ctr -n k8s.io images import FILE'";
    Some(if text(subject.spec, "/imagePullPolicy") == "Never" {
        let what = format!("has no image: {wanted} is not on the node, and imagePullPolicy Never forbids to pull it");
        Remark::trouble("ErrImageNeverPull", &name, what, asked).advise(format!("{load}, or allow pulling"))
    } else {
        let what = format!("has no image: {wanted} is not on the node, so it is being pulled or cannot be");
        let advice = format!("check the name, the registry and its credentials; without a network {load}");
        Remark::trouble("ImageMissing", &name, what, asked).advise(advice)
    })
}

/// Whether the runtime made a sandbox for the pod.
pub fn has_sandbox(case: &Case<'_>) -> bool {
    case.is_from("cri") || !case.is_from("file")
}

/// Whether containers cannot start for want of a sandbox with an address.
pub fn sandbox_is_not_ready(case: &Case<'_>) -> bool {
    case.condition("PodReadyToStartContainers").is_some_and(|c| text(c, "/status") == "False")
}

/// Why nobody has begun to run a pod: what a kubelet would refuse it for, or wait for.
#[must_use]
pub fn of_pod(case: &Case<'_>) -> Vec<Remark> {
    let mut out = selector(case);
    out.extend(resources(case));
    out.extend(host_paths(case));
    out
}

/// Labels of a node that are known without asking for it.
fn selector(case: &Case<'_>) -> Vec<Remark> {
    let node = case.node;
    let wanted = case.pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    let known = |key: &str| match key {
        "kubernetes.io/hostname" => Some(node.name.as_str()).filter(|n| !n.is_empty()),
        "kubernetes.io/os" | "beta.kubernetes.io/os" => Some("linux"),
        "kubernetes.io/arch" | "beta.kubernetes.io/arch" => Some(node.architecture).filter(|a| !a.is_empty()),
        _ => None,
    };
    let mut out = Vec::new();
    for (key, value) in wanted.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let spec = case.spec_teller();
        match known(key) {
            Some(have) if have == value => {}
            Some(have) => {
                let what = format!("wants a node with {key}={value}, and this one has {have}: a kubelet refuses it");
                let advice = "correct spec.nodeSelector, or remove it: a static pod stays on its node anyway";
                let known = format!("{spec}, compared with this node");
                out.push(Remark::trouble("NodeAffinity", "the pod", what, &known).advise(advice));
            }
            None => {
                let what =
                    format!("wants a node with {key}={value}; whether this one has that label cannot be seen here");
                let advice = "a static pod is refused (NodeAffinity) by a kubelet whose --node-labels lack it";
                out.push(Remark::unsure("NodeSelector", "the pod", what, spec).advise(advice));
            }
        }
    }
    out
}

/// Requests that are larger than the whole machine.
fn resources(case: &Case<'_>) -> Vec<Remark> {
    let containers = || case.list("/spec/containers").iter();
    let sum = |resource: &str| {
        let amounts = containers().map(|c| {
            let amount = text(c, &format!("/resources/requests/{resource}"));
            Quantity::parse(amount).map_or(0, |q| q.milli_value())
        });
        amounts.fold(0_i64, i64::saturating_add)
    };
    let known = format!("{}, compared with this machine", case.spec_teller());
    let advice = "ask for less: a kubelet takes a pod only if it fits beside the others";
    let mut out = Vec::new();
    if let Some(cpus) = case.node.cpus {
        let asked = sum("cpu");
        if asked > i64::try_from(cpus).unwrap_or(i64::MAX).saturating_mul(1000) {
            let asked = if asked % 1000 == 0 { (asked / 1000).to_string() } else { format!("{asked}m") };
            let what = format!("asks for {asked} CPUs, and this machine has {cpus}: a kubelet refuses it");
            out.push(Remark::trouble("OutOfcpu", "the pod", what, &known).advise(advice));
        }
    }
    if let Some(memory) = case.node.memory_total {
        let asked = u64::try_from(sum("memory") / 1000).unwrap_or(0);
        if asked > memory {
            let (asked, memory) = (bytes(asked), bytes(memory));
            let what = format!("asks for {asked} of memory, and this machine has {memory}: a kubelet refuses it");
            out.push(Remark::trouble("OutOfmemory", "the pod", what, &known).advise(advice));
        }
    }
    out
}

/// Paths of the node that must be there before the pod starts (`kubernetes/kubernetes pkg/volume/hostpath`).
fn host_paths(case: &Case<'_>) -> Vec<Remark> {
    let mut out = Vec::new();
    for volume in list(case.pod, "/spec/volumes") {
        let (path, wanted) = (text(volume, "/hostPath/path"), text(volume, "/hostPath/type"));
        let Some(found) = case.looked_up.host_paths.get(path) else { continue };
        let fits = match wanted {
            "Directory" => *found == FileKind::Directory,
            "File" => *found == FileKind::File,
            "Socket" => *found == FileKind::Socket,
            "CharDevice" => *found == FileKind::CharDevice,
            "BlockDevice" => *found == FileKind::BlockDevice,
            "DirectoryOrCreate" => matches!(found, FileKind::Directory | FileKind::Missing),
            "FileOrCreate" => matches!(found, FileKind::File | FileKind::Missing),
            _ => true,
        };
        if fits {
            continue;
        }
        let is = match found {
            FileKind::Missing => "does not exist",
            FileKind::Directory => "is a directory",
            FileKind::File => "is a file",
            FileKind::Socket => "is a socket",
            FileKind::CharDevice | FileKind::BlockDevice => "is a device",
            FileKind::Other => "is something else",
        };
        let about = format!("volume {}", text(volume, "/name"));
        let what = format!("needs {path} of type {wanted} on the node, and that {is}");
        let known = format!("{}, and a look at {path}", case.spec_teller());
        let remark = Remark::trouble("HostPathMismatch", &about, what, &known);
        out.push(remark.advise("a kubelet waits for it before it makes the sandbox: make it, or correct the volume"));
    }
    out
}
