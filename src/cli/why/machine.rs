//! What this machine says of itself: processors, memory, disks.

use std::fs;
use std::path::Path;

use super::kubelet;
use crate::cli::disks;
use crate::diagnosis::NodeFacts;

/// The facts, with those of the machine added. What cannot be found out stays absent.
#[must_use]
pub fn with_machine(mut facts: NodeFacts) -> NodeFacts {
    // A limit on this process is none on the node, so it is not asked how much this process may use.
    facts.cpus = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| processors(&text));
    facts.architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    if let Ok(text) = fs::read_to_string("/proc/meminfo") {
        facts.memory_total = meminfo(&text, "MemTotal");
        facts.memory_available = meminfo(&text, "MemAvailable");
    }
    facts.kubelet_runs = kubelet::runs(Path::new("/proc"));
    facts.disks = disks::of_kubelet(Path::new("/"));
    facts
}

/// The processors that `/proc/cpuinfo` lists.
fn processors(text: &str) -> Option<u64> {
    let count = text.lines().filter(|line| line.split(':').next().is_some_and(|key| key.trim() == "processor")).count();
    u64::try_from(count).ok().filter(|n| *n > 0)
}

/// A line of `/proc/meminfo` in bytes.
fn meminfo(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_in_kibibytes() {
        let text =
            "MemTotal:       16303428 kB\nMemFree:          228584 kB\nMemAvailable:    9037552 kB\nHugePages:  0\n";
        assert_eq!(meminfo(text, "MemTotal"), Some(16_303_428 * 1024));
        assert_eq!(meminfo(text, "MemAvailable"), Some(9_037_552 * 1024));
        assert_eq!((meminfo(text, "Mem"), meminfo(text, "HugePages"), meminfo("", "MemTotal")), (None, None, None));
    }

    #[test]
    fn processors_are_counted() {
        assert_eq!(processors("processor\t: 0\nmodel name\t: processor\n\nprocessor\t: 1\n"), Some(2));
        assert_eq!(processors(""), None);
    }

    #[test]
    fn this_machine_has_a_processor_and_memory() {
        let facts = with_machine(NodeFacts::default());
        assert!(facts.cpus.is_some_and(|n| n > 0) && facts.memory_total > facts.memory_available, "{facts:?}");
    }
}
