//! What this machine is, as far as the kernel says.

use std::fs;

use crate::pod::status::admission::NodeFacts;

/// The node's facts but for its name, which a source finds.
pub fn facts() -> NodeFacts {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (stat, meminfo) = (read("/proc/stat"), read("/proc/meminfo"));
    NodeFacts {
        name: String::new(),
        arch: arch(std::env::consts::ARCH).into(),
        cpu_milli: cpus(&stat).saturating_mul(1000),
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

/// CPUs that are online, out of `/proc/stat`: a line for each, below the one for all. Those that this process may use
/// are fewer where it has a quota or an affinity, and say nothing about the node.
fn cpus(stat: &str) -> i64 {
    let one = |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    i64::try_from(stat.lines().filter(one).count()).unwrap_or(0)
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

    #[test]
    fn the_cpus_are_those_of_the_node() {
        assert_eq!(cpus("cpu  9 0 9\ncpu0 4 0 4\ncpu1 3 0 3\ncpu12 2 0 2\nintr 7\ncpufreq 1\n"), 3);
        assert_eq!(cpus(""), 0);
    }
}
