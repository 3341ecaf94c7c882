//! What this machine is, as far as the kernel and the distribution's own file say.

use std::fs;

use crate::pod::status::admission::NodeFacts;

/// The node's facts but for its name, which a source finds.
#[must_use]
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
    fn the_cpus_are_those_of_the_node() {
        assert_eq!(cpus("cpu  9 0 9\ncpu0 4 0 4\ncpu1 3 0 3\ncpu12 2 0 2\nintr 7\ncpufreq 1\n"), 3);
        assert_eq!(cpus(""), 0);
    }
}
