//! What this machine is, as far as the kernel and the distribution's own file say.

use std::env::consts;
use std::fs;

use crate::pod::status::admission::NodeFacts;

/// The node's facts but for its name, which a source finds. 0 stands for what the kernel does not say.
#[must_use]
pub fn facts() -> NodeFacts {
    let figure = |n: Option<u64>| n.and_then(|n| i64::try_from(n).ok()).unwrap_or(0);
    NodeFacts {
        name: String::new(),
        arch: architecture().into(),
        cpu_milli: figure(cpus()).saturating_mul(1000),
        memory_bytes: figure(memory("MemTotal")),
    }
}

/// Go's name of the architecture, which labels of nodes and platforms of images have: `amd64`, `arm64`.
#[must_use]
pub fn architecture() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// CPUs that are online. Those that this process may use are fewer where it has a quota or an affinity, and say nothing
/// about the node.
#[must_use]
pub fn cpus() -> Option<u64> {
    count(&fs::read_to_string("/proc/stat").ok()?)
}

/// A figure of `/proc/meminfo`, such as `MemTotal`, in bytes.
#[must_use]
pub fn memory(figure: &str) -> Option<u64> {
    bytes(&fs::read_to_string("/proc/meminfo").ok()?, figure)
}

/// `/proc/stat` has a line for each CPU, below the one for all.
fn count(stat: &str) -> Option<u64> {
    let one = |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    u64::try_from(stat.lines().filter(one).count()).ok().filter(|n| *n > 0)
}

fn bytes(meminfo: &str, figure: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The release of the running kernel, such as `6.1.0-18-amd64`; empty where /proc is not there.
#[must_use]
pub fn kernel_version() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}

/// `PRETTY_NAME` of os-release(5), such as `Debian GNU/Linux 12 (bookworm)`; empty where nobody says it.
#[must_use]
pub fn os_image() -> String {
    let read = |path: &str| fs::read_to_string(path).ok();
    let text = read("/etc/os-release").or_else(|| read(OS_RELEASE)).unwrap_or_default();
    pretty_name(&text).unwrap_or_default().to_owned()
}

/// Where /etc/os-release leads to.
pub const OS_RELEASE: &str = "/usr/lib/os-release";

fn pretty_name(os_release: &str) -> Option<&str> {
    let value = os_release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="))?.trim();
    Some(value.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine() {
        let facts = facts();
        assert!(facts.cpu_milli >= 1000 && facts.memory_bytes > 1 << 20 && !facts.arch.is_empty(), "{facts:?}");
        assert!(!kernel_version().is_empty());
    }

    #[test]
    fn the_name_of_a_distribution() {
        let text = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";
        assert_eq!(pretty_name(text), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(pretty_name("PRETTY_NAME=Alpine\n"), Some("Alpine"));
        assert_eq!(pretty_name("NAME=x\n"), None);
    }

    #[test]
    fn meminfo_is_in_kibibytes() {
        let text =
            "MemTotal:       16303428 kB\nMemFree:          228584 kB\nMemAvailable:    9037552 kB\nHugePages:  0\n";
        assert_eq!(bytes(text, "MemTotal"), Some(16_303_428 * 1024));
        assert_eq!(bytes(text, "MemAvailable"), Some(9_037_552 * 1024));
        assert_eq!((bytes(text, "Mem"), bytes(text, "HugePages"), bytes("", "MemTotal")), (None, None, None));
    }

    #[test]
    fn the_cpus_are_those_of_the_node() {
        assert_eq!(count("cpu  9 0 9\ncpu0 4 0 4\ncpu1 3 0 3\ncpu12 2 0 2\nintr 7\ncpufreq 1\n"), Some(3));
        assert_eq!(count(""), None);
    }
}
