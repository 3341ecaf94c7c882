//! Processes as `/proc` shows them: their cgroups and their network namespaces.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::pod::cgroup::CgroupNames;

/// A mounted proc(5).
#[derive(Clone, Debug)]
pub struct Proc {
    root: PathBuf,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its name (`/proc/PID/comm`).
    pub name: String,
    /// `/proc/PID/cgroup`.
    pub cgroup: String,
    /// What that says.
    pub names: CgroupNames,
    /// Number of its network namespace; `None` where we may not see it.
    pub network: Option<u64>,
}

impl Process {
    /// The path of its cgroup, for people: of the hierarchy that says most.
    #[must_use]
    pub fn cgroup_path(&self) -> &str {
        let path = |line: &'_ str| line.splitn(3, ':').nth(2).map(str::len).map(|n| line.len() - n);
        let telling = self.cgroup.lines().find(|line| CgroupNames::read(line) == self.names);
        let line = telling.or_else(|| self.cgroup.lines().next()).unwrap_or_default();
        path(line).and_then(|at| line.get(at..)).unwrap_or(line)
    }
}

impl Proc {
    /// The one at `root`, which is `/proc` but in tests.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, pid: u32, rest: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(rest)
    }

    /// A process.
    ///
    /// # Errors
    /// It does not exist (any more), or we may not look.
    pub fn process(&self, pid: u32) -> io::Result<Process> {
        let cgroup = fs::read_to_string(self.path(pid, "cgroup"))?;
        let name = fs::read_to_string(self.path(pid, "comm")).unwrap_or_default().trim_end().to_string();
        Ok(Process { pid, name, names: CgroupNames::of_process(&cgroup), cgroup, network: self.network(pid) })
    }

    /// All processes, as far as we may look at them, in the order of their ids.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut pids: Vec<u32> = entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        pids.into_iter().filter_map(|pid| self.process(pid).ok()).collect()
    }

    /// The number of a process's network namespace.
    #[must_use]
    pub fn network(&self, pid: u32) -> Option<u64> {
        let link = fs::read_link(self.path(pid, "ns/net")).ok()?;
        numbered(link.to_str()?, "net")
    }

    /// The network namespace of the node: that of process 1, or ours where we may not see that one.
    #[must_use]
    pub fn node_network(&self) -> Option<u64> {
        self.network(1).or_else(|| self.network(std::process::id()))
    }

    /// The arguments of a process.
    #[must_use]
    pub fn arguments(&self, pid: u32) -> Vec<String> {
        let bytes = fs::read(self.path(pid, "cmdline")).unwrap_or_default();
        bytes.split(|b| *b == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// The sockets of a process by their inode numbers; empty where we may not look.
    #[must_use]
    pub fn sockets(&self, pid: u32) -> Vec<u64> {
        let entries = fs::read_dir(self.path(pid, "fd")).into_iter().flatten().flatten();
        entries.filter_map(|e| numbered(fs::read_link(e.path()).ok()?.to_str()?, "socket")).collect()
    }

    /// A table of `/proc/PID/net`, such as `tcp6`: of the network namespace that the process is in.
    #[must_use]
    pub fn net_table(&self, pid: u32, table: &str) -> String {
        fs::read_to_string(self.path(pid, &format!("net/{table}"))).unwrap_or_default()
    }
}

/// Processes by network namespace; those whose namespace we may not see are left out.
#[must_use]
pub fn by_network(processes: &[Process]) -> BTreeMap<u64, Vec<&Process>> {
    let mut groups: BTreeMap<u64, Vec<&Process>> = BTreeMap::new();
    for process in processes {
        if let Some(network) = process.network {
            groups.entry(network).or_default().push(process);
        }
    }
    groups
}

/// Reads `socket:[123]`.
fn numbered(link: &str, kind: &str) -> Option<u64> {
    link.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    /// A directory that looks like /proc, gone when dropped.
    pub struct FakeProc(pub PathBuf);

    impl FakeProc {
        pub fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("nodepods-proc-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).unwrap();
            Self(root)
        }

        pub fn add(&self, pid: u32, comm: &str, cgroup: &str, network: u64, sockets: &[u64]) -> PathBuf {
            let dir = self.0.join(pid.to_string());
            for sub in ["ns", "fd", "net"] {
                fs::create_dir_all(dir.join(sub)).unwrap();
            }
            fs::write(dir.join("comm"), format!("{comm}\n")).unwrap();
            fs::write(dir.join("cgroup"), cgroup).unwrap();
            symlink(format!("net:[{network}]"), dir.join("ns/net")).unwrap();
            symlink("/dev/null", dir.join("fd/0")).unwrap();
            for (i, inode) in sockets.iter().enumerate() {
                symlink(format!("socket:[{inode}]"), dir.join(format!("fd/{}", i + 3))).unwrap();
            }
            dir
        }

        pub fn proc(&self) -> Proc {
            Proc::at(&self.0)
        }
    }

    impl Drop for FakeProc {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_read() {
        let fake = FakeProc::new("read");
        let id = "a".repeat(64);
        fake.add(7, "sh", &format!("2:pids:/user.slice\n0::/k8s.io/{id}\n"), 99, &[5, 6]);
        fs::create_dir(fake.0.join("self")).unwrap();
        let proc = fake.proc();
        let process = proc.process(7).unwrap();
        assert_eq!(
            (process.name.as_str(), process.network, process.cgroup_path()),
            ("sh", Some(99), &*format!("/k8s.io/{id}"))
        );
        assert_eq!(process.names.container_ids, [id]);
        let mut sockets = proc.sockets(7);
        sockets.sort_unstable();
        assert_eq!(sockets, [5, 6]);
        assert_eq!(proc.processes(), [process]);
        assert_eq!(proc.process(8).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn this_process() {
        let proc = Proc::at(Path::new("/proc"));
        let own = proc.process(std::process::id()).unwrap();
        assert_eq!(own.network, proc.network(std::process::id()));
        assert!(own.cgroup_path().starts_with('/'), "{own:?}");
        assert!(by_network(std::slice::from_ref(&own)).values().flatten().any(|p| p.pid == own.pid));
    }
}
