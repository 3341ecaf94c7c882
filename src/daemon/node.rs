//! What this machine is, as far as the kernel says.

use std::fs;
use std::thread;

use crate::pod::status::admission::NodeFacts;

/// The node's facts but for its name, which a source finds.
pub fn facts() -> NodeFacts {
    let cpus = thread::available_parallelism().map_or(0, |n| i64::try_from(n.get()).unwrap_or(0));
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    NodeFacts {
        name: String::new(),
        arch: arch(std::env::consts::ARCH).into(),
        cpu_milli: cpus * 1000,
        memory_bytes: memory(&meminfo).unwrap_or(0),
    }
}

/// The label value of `kubernetes.io/arch`: Go's name of the architecture.
fn arch(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// `MemTotal` of /proc/meminfo in bytes.
fn memory(meminfo: &str) -> Option<i64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine() {
        let facts = facts();
        assert!(facts.cpu_milli >= 1000 && facts.memory_bytes > 1 << 20 && !facts.arch.is_empty(), "{facts:?}");
        assert_eq!(memory("MemTotal:       16 kB\nMemFree: 1 kB\n"), Some(16384));
        assert_eq!(memory("nothing"), None);
    }
}
