//! Whether there is room on the disks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::check::Check;
use crate::cli::disks::{at, below, of_kubelet, NODEFS_PERCENT};
use crate::config::settings::{POD_LOGS_DIR, STATE_DIR};
use crate::diagnosis::{self, Disk};

/// The daemon's own directories and the kubelet's, a line for each file system. `root` is `/` but for tests.
pub fn checks(root: &Path, state: Option<&Path>, logs: &Path) -> Vec<Check> {
    let mut disks = of_kubelet(root);
    let ours = state.and_then(|state| {
        // Before the first start it is not there yet, and will lie where its parent does.
        let there = state.ancestors().find(|path| below(root, path).exists())?;
        Some(Disk { path: state.display().to_string(), ..at(root, there, "what the daemon keeps", NODEFS_PERCENT)? })
    });
    disks.extend(ours);
    disks.extend(at(root, logs, "the logs of pods", NODEFS_PERCENT));
    let mut checks: Vec<Check> = diagnosis::of_disks(&disks)
        .into_iter()
        .map(|remark| Check::bad("disk", format!("{} ({})", remark.headline(), remark.known), remark.advice))
        .collect();
    if checks.is_empty() {
        checks.extend(by_file_system(root, &disks).into_values().map(|disks| Check::ok("disk", room(&disks))));
    }
    checks
}

/// The directories that share a file system, by its device number.
fn by_file_system<'a>(root: &Path, disks: &'a [Disk]) -> BTreeMap<u64, Vec<&'a Disk>> {
    let mut out: BTreeMap<u64, Vec<&Disk>> = BTreeMap::new();
    for disk in disks {
        let there = Path::new(&disk.path).ancestors().find_map(|path| fs::metadata(below(root, path)).ok());
        out.entry(there.map_or(0, |m| m.dev())).or_default().push(disk);
    }
    out
}

fn room(disks: &[&Disk]) -> String {
    let paths: Vec<_> = disks.iter().map(|disk| disk.path.as_str()).collect();
    let left = disks.first().map(|disk| diagnosis::left(disk)).unwrap_or_default();
    format!("{left} free for {}", paths.join(", "))
}

/// The same where the configuration does not say where these are.
pub fn with_defaults(root: &Path) -> Vec<Check> {
    checks(root, Some(Path::new(STATE_DIR)), Path::new(POD_LOGS_DIR))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Verdict;

    #[test]
    fn one_line_for_a_file_system() {
        let root = std::env::temp_dir().join(format!("nodepods-doctor-disk-{}", std::process::id()));
        fs::create_dir_all(root.join("var/lib/kubelet")).unwrap();
        fs::create_dir_all(root.join("var/log/pods")).unwrap();
        let checks = with_defaults(&root);
        fs::remove_dir_all(&root).unwrap();
        if checks.iter().any(|c| c.verdict == Verdict::Bad) {
            // The disk of this machine is full: then that is what has to be said.
            assert!(checks.iter().all(|c| c.seen.contains("a kubelet evicts") && !c.advice.is_empty()), "{checks:?}");
            return;
        }
        let seen: Vec<_> = checks.iter().map(|c| c.seen.split_once(" free for ").map(|(_, paths)| paths)).collect();
        assert_eq!(seen, [Some("/var/lib/kubelet, /var/lib/nodepods, /var/log/pods")]);
    }
}
