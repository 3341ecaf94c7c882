//! Whether a kubelet runs on this machine: its process in `/proc`.

use std::fs;
use std::path::Path;

/// Names of processes that are a kubelet or hold one.
const NAMES: [&str; 8] =
    ["kubelet", "k3s", "k3s-server", "k3s-agent", "kubelite", "microshift", "edgecore", "hyperkube"];

/// Whether there is such a process. `None` where not all processes can be seen: from within a container, or where
/// `/proc` hides those of others.
#[must_use]
pub fn runs(proc: &Path) -> Option<bool> {
    let name = |pid: &str| fs::read_to_string(proc.join(pid).join("comm")).map(|name| name.trim_end().to_owned());
    // Process 2 is the kernel's, and it is there only for those who see the whole machine.
    if name("2").ok()? != "kthreadd" {
        return None;
    }
    let entries = fs::read_dir(proc).ok()?;
    let mut pids = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
    Some(
        pids.any(|pid| pid.starts_with(|c: char| c.is_ascii_digit()) && name(&pid).is_ok_and(|n| NAMES.contains(&&*n))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_among_the_processes() {
        let proc = std::env::temp_dir().join(format!("nodepods-proc-{}", std::process::id()));
        let process = |pid: &str, name: &str| {
            fs::create_dir_all(proc.join(pid)).unwrap();
            fs::write(proc.join(pid).join("comm"), format!("{name}\n")).unwrap();
        };
        process("1", "systemd");
        let hidden = runs(&proc);
        process("2", "kthreadd");
        process("self", "kubelet"); // no process of its own
        let without = runs(&proc);
        process("77", "k3s-agent");
        let with = runs(&proc);
        fs::remove_dir_all(&proc).unwrap();
        assert_eq!((hidden, without, with), (None, Some(false), Some(true)));
    }
}
