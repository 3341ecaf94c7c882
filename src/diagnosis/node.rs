//! What is wrong with the node as a whole.

use super::facts::{Disk, NodeFacts};
use super::span::{bytes, span};
use super::Remark;
use crate::pod::source::HealthState;

/// Memory below which a kubelet evicts (`kubernetes/kubernetes pkg/kubelet/apis/config/v1beta1/defaults_linux.go`).
const MEMORY: u64 = 100 << 20;
/// Free inodes in percent below which a kubelet evicts (same source).
const INODES_PERCENT: u64 = 5;

/// All remarks about the node. None means that nothing is wrong as far as can be seen.
#[must_use]
pub fn of_node(node: &NodeFacts, now: i64) -> Vec<Remark> {
    let mut out: Vec<Remark> = kubelet(node).into_iter().collect();
    out.extend(sources(node, now));
    out.extend(runtime(node));
    out.extend(memory(node));
    out.extend(of_disks(&node.disks));
    out
}

/// Without a kubelet nobody starts anything, unless something else on the node does: that is for its owner to know.
fn kubelet(node: &NodeFacts) -> Option<Remark> {
    let what =
        "runs no kubelet; unless something else does it, nobody starts pods, or containers that ended".to_owned();
    let remark =
        Remark::unsure("NoKubelet", "the node", what, "/proc: no process is called kubelet (or k3s, kubelite)");
    (node.kubelet_runs == Some(false)).then(|| remark.advise("'systemctl status kubelet' says why it does not run"))
}

fn sources(node: &NodeFacts, now: i64) -> Vec<Remark> {
    let mut out = Vec::new();
    for source in &node.sources {
        let name = match source.name.as_str() {
            "cri" => "the container runtime",
            "file" => "the manifest directory",
            "http" => "the manifest URL",
            "apiserver" => "the API server",
            "kubelet" => "the kubelet's Pods API",
            "checkpoint" => "the checkpoint",
            other => other,
        };
        let at = if source.target.is_empty() { String::new() } else { format!(" ({})", source.target) };
        let about = format!("{name}{at}");
        let since = if source.since > 0 { format!(" for {}", span(now - source.since)) } else { String::new() };
        let error = if source.error.is_empty() { String::new() } else { format!(": {}", source.error) };
        let known = "the daemon, which asks it all the time";
        let advice = match source.name.as_str() {
            "cri" => "is it running? 'systemctl status containerd' (or crio, k3s, rke2-server)",
            "file" => "check the path and its permissions",
            "apiserver" | "http" => "is the network up?",
            _ => "",
        };
        match source.state {
            HealthState::Down => {
                let error = if source.error.is_empty() { String::new() } else { format!(" ({})", source.error) };
                let what = format!("has not answered{since}{error}; its last known state is shown");
                out.push(Remark::trouble("SourceDown", &about, what, known).advise(advice));
            }
            HealthState::Starting => {
                let what = format!("has not answered yet{error}");
                out.push(Remark::trouble("SourceStarting", &about, what, known).advise(advice));
            }
            HealthState::Absent if source.name == "cri" => {
                let what = format!("was not found, so containers cannot be seen{error}");
                let advice = "start it, or name its socket with --container-runtime-endpoint";
                out.push(Remark::unsure("NoRuntime", &about, what, "the daemon").advise(advice));
            }
            HealthState::Up if !source.error.is_empty() => {
                out.push(Remark::unsure("SourceRemark", &about, format!("answers{error}"), known));
            }
            _ => {}
        }
    }
    out
}

fn runtime(node: &NodeFacts) -> Vec<Remark> {
    let mut out = Vec::new();
    for condition in node.runtime.iter().filter(|c| !c.status) {
        let (what, advice) = match condition.kind.as_str() {
            "RuntimeReady" => ("cannot run containers", "its own log says why: 'journalctl -u containerd' (or crio)"),
            "NetworkReady" => (
                "has no network for pods (CNI), so only pods with hostNetwork start",
                "is there a configuration in /etc/cni/net.d, and does the network's own pod run?",
            ),
            _ => ("reports a condition that does not hold", ""),
        };
        let what = format!("{what} ({} is false, {})", condition.kind, condition.reason);
        let mut remark =
            Remark::trouble(&condition.kind, "the container runtime", what.replace(", )", ")"), "CRI Status");
        remark.lines = condition.message.lines().map(str::to_owned).collect();
        out.push(remark.advise(advice));
    }
    out
}

fn memory(node: &NodeFacts) -> Option<Remark> {
    let available = node.memory_available.filter(|a| *a < MEMORY)?;
    let what = format!("has {} of memory left: a kubelet evicts pods below {}", bytes(available), bytes(MEMORY));
    let advice = "what uses it: 'systemd-cgtop -m'; pods without limits go first";
    Some(Remark::trouble("MemoryPressure", "the node", what, "MemAvailable in /proc/meminfo").advise(advice))
}

/// File systems on which there is too little room. None means that there is enough on all of them.
#[must_use]
pub fn of_disks(disks: &[Disk]) -> Vec<Remark> {
    let mut out: Vec<Remark> = Vec::new();
    for disk in disks {
        let left = percent(disk.available, disk.total);
        let known = format!("statfs({})", disk.path);
        let advice = "free some: unused images go with 'crictl rmi --prune', logs with 'journalctl --vacuum-size=100M'";
        if left < u128::from(disk.limit_percent) {
            let what = format!(
                "has {} ({left}%) of disk left for {}: a kubelet evicts pods and removes images below {}%",
                bytes(disk.available),
                disk.holds,
                disk.limit_percent
            );
            out.push(Remark::trouble("DiskPressure", "the node", what, &known).advise(advice));
        }
        let inodes = percent(disk.inodes_free, disk.inodes);
        if inodes < u128::from(INODES_PERCENT) {
            let what = format!(
                "has {inodes}% of inodes left for {}: a kubelet evicts pods below {INODES_PERCENT}%",
                disk.holds
            );
            out.push(Remark::trouble("DiskPressure", "the node", what, &known).advise("remove small files"));
        }
    }
    out
}

/// The room that a file system has, for people: `12 GiB (40%) of disk and 95% of inodes`.
#[must_use]
pub fn left(disk: &Disk) -> String {
    let space = format!("{} ({}%) of disk", bytes(disk.available), percent(disk.available, disk.total));
    match disk.inodes {
        0 => space, // this file system does not count them
        all => format!("{space} and {}% of inodes", percent(disk.inodes_free, all)),
    }
}

/// Nothing of nothing is no shortage.
fn percent(part: u64, all: u64) -> u128 {
    (u128::from(part) * 100).checked_div(u128::from(all)).unwrap_or(100)
}
