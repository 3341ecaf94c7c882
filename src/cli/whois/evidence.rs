//! What leads from the subject to a pod: clues that the daemon can answer, each with how it was come by.

use std::net::IpAddr;

use super::path::{self, Trace};
use super::port;
use super::process::{by_network, Proc, Process};
use super::subject::Subject;
use crate::cli::exit::{Exit, Failure};
use crate::pod::cgroup::CgroupNames;
use crate::sys;

/// What the daemon is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// `FindRequest.container_id`.
    ContainerId(String),
    /// `FindRequest.cgroup`.
    Cgroup(String),
    /// `FindRequest.ip`.
    Ip(IpAddr),
    /// `FindRequest.pod_uid`.
    PodUid(String),
}

/// One clue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// What to ask.
    pub clue: Clue,
    /// How we came to it, in a few words.
    pub how: String,
}

/// All that was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What to ask the daemon.
    pub leads: Vec<Lead>,
    /// What was seen that leads nowhere, such as a listener that belongs to no pod.
    pub notes: Vec<String>,
}

impl Evidence {
    /// Looks into `proc` as far as the subject needs it.
    ///
    /// # Errors
    /// A process or file does not exist, or we may not look at it.
    pub fn collect(subject: &Subject, proc: &Proc) -> Result<Self, Failure> {
        let mut evidence = Self::default();
        match subject {
            Subject::Pid(pid) => evidence.process(*pid, proc)?,
            Subject::Port(protocol, port) => {
                for listener in port::listeners(proc, *protocol, *port) {
                    for holder in &listener.holders {
                        evidence.listener(&listener, holder);
                    }
                }
                if evidence.leads.is_empty() && proc.processes().iter().any(|p| p.network.is_none()) {
                    evidence.notes.push(format!("not every process can be looked into; {}", more_rights()));
                }
            }
            Subject::Ip(ip) => evidence.lead(Clue::Ip(*ip), "its address"),
            Subject::ContainerId(id) => {
                evidence.lead(Clue::ContainerId(id.clone()), "its container id");
                // The UIDs of static pods are 32 hexadecimal digits, too.
                evidence.lead(Clue::PodUid(id.clone()), "its UID");
            }
            Subject::PodUid(uid) => evidence.lead(Clue::PodUid(uid.clone()), "its UID"),
            Subject::Cgroup(path) => evidence.lead(Clue::Cgroup(path.clone()), "the cgroup's path"),
            Subject::Path(path) => evidence.path(path, proc)?,
        }
        Ok(evidence)
    }

    fn lead(&mut self, clue: Clue, how: impl Into<String>) {
        self.leads.push(Lead { clue, how: how.into() });
    }

    fn process(&mut self, pid: u32, proc: &Proc) -> Result<(), Failure> {
        let process = proc.process(pid).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Failure::new(
                Exit::NotFound,
                format!("error: no process {pid} here\nFor a port write :{pid}, for a container id id:{pid}."),
            ),
            std::io::ErrorKind::PermissionDenied => Failure::new(
                Exit::Permission,
                format!("error: cannot look at process {pid}: {e}\nHint: {}.", more_rights()),
            ),
            _ => Failure::new(Exit::Failure, format!("error: cannot look at process {pid}: {e}")),
        })?;
        if !process.names.is_empty() {
            self.lead(Clue::Cgroup(process.cgroup.clone()), format!("cgroup {}", process.cgroup_path()));
            return Ok(());
        }
        if let Some(id) = supervised(&proc.arguments(pid)) {
            self.lead(Clue::ContainerId(id), format!("{} keeps it running", process.name));
            return Ok(());
        }
        self.notes.push(format!("process {pid} ({}) is in cgroup {}", process.name, process.cgroup_path()));
        match process.network {
            None => self.notes.push(format!("its network namespace cannot be seen; {}", more_rights())),
            Some(network) if Some(network) == proc.node_network() => {
                self.notes.push("it is in the network namespace of the node".into());
            }
            Some(network) => self.network(network, proc),
        }
        Ok(())
    }

    /// Leads to the pods whose processes are in a network namespace.
    fn network(&mut self, network: u64, proc: &Proc) {
        let processes = proc.processes();
        let groups = by_network(&processes);
        let members = groups.get(&network).into_iter().flatten();
        let mut seen: Vec<Option<&str>> = Vec::new();
        for member in members.filter(|p| !p.names.is_empty()) {
            let pod = member.names.pod_uid.as_deref().or(member.names.container_ids.first().map(String::as_str));
            if !seen.contains(&pod) {
                seen.push(pod);
                let how = format!("the network namespace of process {} ({})", member.pid, member.name);
                self.lead(Clue::Cgroup(member.cgroup.clone()), how);
            }
        }
    }

    fn listener(&mut self, listener: &port::Listener, holder: &Process) {
        let who = format!("process {} ({})", holder.pid, holder.name);
        let how = match listener.certain {
            true => format!("{who} listens on {listener}"),
            false => format!("something beside {who} listens on {listener}"),
        };
        if holder.names.is_empty() {
            self.notes.push(how);
        } else {
            self.lead(Clue::Cgroup(holder.cgroup.clone()), how);
        }
    }

    fn path(&mut self, path: &std::path::Path, proc: &Proc) -> Result<(), Failure> {
        // Links lead on: /var/log/containers/*.log to /var/log/pods. Of a file that is gone the words still tell.
        let gone = |_| std::fs::read_link(path).unwrap_or_else(|_| path.to_path_buf());
        let real = path.canonicalize().unwrap_or_else(gone);
        for path in [path, &real] {
            match path::trace(path) {
                Some(Trace::Pid(pid)) => return self.process(pid, proc),
                Some(Trace::PodUid(uid)) => self.lead(Clue::PodUid(uid), format!("the path {}", path.display())),
                Some(Trace::ContainerId(id)) => {
                    self.lead(Clue::ContainerId(id), format!("the path {}", path.display()))
                }
                Some(Trace::Cgroup(text)) => self.lead(Clue::Cgroup(text.clone()), format!("the path {text}")),
                None => continue,
            }
            return Ok(());
        }
        match path::network_namespace(&real) {
            Some(network) => self.network(network, proc),
            None if !real.exists() => self.notes.push("there is no such file, and its path names no pod".into()),
            None => self.notes.push("the path names no pod, no container and no network namespace".into()),
        }
        Ok(())
    }

    /// What to say where nobody is behind the subject.
    #[must_use]
    pub fn told(&self, word: &str) -> String {
        let mut lines: Vec<String> = self
            .leads
            .iter()
            .filter_map(|lead| match &lead.clue {
                Clue::Cgroup(_) => Some(format!("Seen: {}.", lead.how)),
                _ => None,
            })
            .collect();
        lines.extend(self.notes.iter().map(|note| format!("Seen: {note}.")));
        if lines.is_empty() {
            lines.push(format!(
                "'nodepods get pods -o wide' shows what is known here; 'nodepods whois --help' what {word} may be."
            ));
        }
        lines.join("\n")
    }

    /// A failure to ask the daemon, with what is known without it.
    #[must_use]
    pub fn beside(&self, mut failure: Failure) -> Failure {
        for lead in &self.leads {
            let Clue::Cgroup(cgroup) = &lead.clue else { continue };
            let names = CgroupNames::of_process(cgroup);
            let uid = names.pod_uid.map(|uid| format!("pod UID {uid}"));
            let id = names.container_ids.first().map(|id| format!("container id {id}"));
            let words: Vec<_> = [uid, id].into_iter().flatten().collect();
            failure.message.push_str(&format!("\nKnown without it: {} ({}).", words.join(", "), lead.how));
        }
        failure
    }
}

/// What to do where the kernel does not let us look at a process.
fn more_rights() -> &'static str {
    match sys::process::effective_uid() {
        0 => "root lacks CAP_SYS_PTRACE here: run it outside of this container or unit",
        _ => "sudo may help",
    }
}

/// The container that a runtime's supervisor looks after: `containerd-shim-runc-v2 -id ID`, `conmon -c ID`.
fn supervised(arguments: &[String]) -> Option<String> {
    let program = arguments.first()?.rsplit('/').next()?;
    let flags: &[&str] = match program {
        "conmon" => &["-c", "--cid"],
        _ if program.starts_with("containerd-shim") => &["-id"],
        _ => return None,
    };
    let at = arguments.iter().position(|word| flags.contains(&word.as_str()))?;
    arguments.get(at + 1).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::process::tests::FakeProc;
    use super::*;
    use std::fs;

    fn words(evidence: &Evidence) -> Vec<String> {
        evidence.leads.iter().map(|l| l.how.clone()).chain(evidence.notes.iter().map(|n| format!("({n})"))).collect()
    }

    #[test]
    fn processes_by_cgroup_network_and_supervisor() {
        let fake = FakeProc::new("evidence");
        let id = "a".repeat(64);
        fake.add(1, "init", "0::/init.scope\n", 10, &[]);
        fake.add(30, "pause", &format!("0::/k8s.io/{id}\n"), 11, &[]);
        fake.add(31, "app", &format!("0::/k8s.io/{id}\n"), 11, &[]);
        fake.add(40, "tcpdump", "0::/user.slice\n", 11, &[]);
        fake.add(41, "sshd", "0::/system.slice/ssh.service\n", 10, &[]);
        let shim = fake.add(42, "containerd-shim", "0::/system.slice/containerd.service\n", 10, &[]);
        fs::write(shim.join("cmdline"), format!("/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0{id}\0"))
            .unwrap();
        let of = |pid| words(&Evidence::collect(&Subject::Pid(pid), &fake.proc()).unwrap());
        assert_eq!(of(31), [format!("cgroup /k8s.io/{id}")]);
        assert_eq!(
            of(40),
            ["the network namespace of process 30 (pause)", "(process 40 (tcpdump) is in cgroup /user.slice)"]
        );
        assert_eq!(
            of(41),
            [
                "(process 41 (sshd) is in cgroup /system.slice/ssh.service)",
                "(it is in the network namespace of the node)"
            ]
        );
        assert_eq!(of(42), ["containerd-shim keeps it running"]);
        let gone = Evidence::collect(&Subject::Pid(8080), &fake.proc()).unwrap_err();
        assert_eq!(gone.exit, Exit::NotFound);
        assert!(gone.message.contains("For a port write :8080"), "{gone}");
    }

    #[test]
    fn what_is_known_without_the_daemon() {
        let (uid, id) = ("0f5e2a1c-98d1-4a39-b1a5-6c0b6a1f7e02", "a".repeat(64));
        let subject = Subject::Cgroup(format!("/kubepods/pod{uid}/{id}"));
        let evidence = Evidence::collect(&subject, &FakeProc::new("without").proc()).unwrap();
        let failure = evidence.beside(Failure::new(Exit::Unavailable, "error: no daemon"));
        assert_eq!(
            failure.message,
            format!("error: no daemon\nKnown without it: pod UID {uid}, container id {id} (the cgroup's path).")
        );
        assert_eq!(evidence.told("x"), "Seen: the cgroup's path.");
    }

    #[test]
    fn supervisors() {
        let of = |line: &str| supervised(&line.split(' ').map(str::to_string).collect::<Vec<_>>());
        assert_eq!(of("/usr/libexec/crio/conmon -b /run/x -c abcd --exit-dir /y").as_deref(), Some("abcd"));
        assert_eq!(of("/opt/containerd-shim-runc-v2 -namespace k8s.io -id ef01").as_deref(), Some("ef01"));
        assert_eq!(of("/usr/bin/conmon -x"), None);
        assert_eq!(of("sh -c abcd"), None);
    }
}
