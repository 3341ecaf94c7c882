//! What somebody asks about, told apart by how it is written.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::cli::exit::Failure;
use crate::pod::cgroup::CgroupNames;
use crate::store::locate::LEAST_PREFIX;

/// A transport protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A process.
    Pid(u32),
    /// A port on which something listens; of both protocols where none is named.
    Port(Option<Protocol>, u16),
    /// An address of a pod.
    Ip(IpAddr),
    /// A container's or sandbox's id, or its beginning.
    ContainerId(String),
    /// A pod's UID.
    PodUid(String),
    /// The path of a cgroup.
    Cgroup(String),
    /// A file or directory on the node.
    Path(PathBuf),
}

/// The largest process id there is (`PID_MAX_LIMIT` of Linux): longer runs of digits are the beginning of an id.
const MOST_PID: u32 = 1 << 22;

const FORMS: &str = "want a process id, :PORT, an IP address, a container id, a pod UID, the path of a cgroup or of a \
    file; where that is ambiguous, with pid:, port:, tcp:, udp:, ip:, id:, uid:, cgroup: or path: in front";

impl Subject {
    /// Reads one word of the command line.
    ///
    /// # Errors
    /// It is none of these: a usage error.
    pub fn read(word: &str) -> Result<Self, Failure> {
        let subject = Self::named(word).unwrap_or_else(|| Self::guessed(word).ok_or(FORMS));
        subject.map_err(|problem| Failure::usage("whois", format!("{word:?}: {problem}")))
    }

    /// A word that says what it is, or what is wrong with the rest of it.
    fn named(word: &str) -> Option<Result<Self, &'static str>> {
        let (kind, rest) = word.split_once(':')?;
        let port = |protocol| {
            let number = rest.parse().ok().filter(|p| *p != 0);
            number.map(|p| Self::Port(protocol, p)).ok_or("want a port, a number from 1 to 65535")
        };
        let some = |subject: fn(String) -> Self| match rest {
            "" => Err("nothing stands behind the colon"),
            rest => Ok(subject(rest.into())),
        };
        Some(match kind {
            "pid" => rest.parse().map(Self::Pid).map_err(|_| "want a process id, a number"),
            "" if !rest.starts_with(':') => port(None),
            "port" => port(None),
            "tcp" => port(Some(Protocol::Tcp)),
            "udp" => port(Some(Protocol::Udp)),
            "ip" => rest.parse().map(Self::Ip).map_err(|_| "want an IP address"),
            "id" => id(rest).map(Self::ContainerId).ok_or("want an id, 4 to 64 hexadecimal digits"),
            "uid" => some(Self::PodUid),
            // One that names no pod is a path like any other, with nobody behind it.
            "cgroup" if !CgroupNames::read(rest).is_empty() => Ok(Self::Cgroup(rest.into())),
            "cgroup" | "path" => some(|rest| Self::Path(rest.into())),
            _ => return None,
        })
    }

    fn guessed(word: &str) -> Option<Self> {
        if let Ok(ip) = word.parse() {
            return Some(Self::Ip(ip));
        }
        if let Some(pid) = word.parse().ok().filter(|pid| *pid <= MOST_PID) {
            return Some(Self::Pid(pid));
        }
        if let Some((_, id)) = word.split_once("://") {
            return self::id(id).map(Self::ContainerId);
        }
        if word.contains('/') {
            let cgroup = word.starts_with("/sys/fs/cgroup") || word.contains("kubepods") && !word.contains("/pods/");
            return Some(match cgroup && !CgroupNames::read(word).is_empty() {
                true => Self::Cgroup(word.into()),
                false => Self::Path(word.into()),
            });
        }
        if is_uuid(word) {
            return Some(Self::PodUid(word.into()));
        }
        id(word).map(Self::ContainerId)
    }
}

/// An id is hexadecimal in every runtime.
fn id(text: &str) -> Option<String> {
    let text = text.split_once("://").map_or(text, |(_, id)| id);
    let fits = (LEAST_PREFIX..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| text.to_ascii_lowercase())
}

/// Whether a text has the form of a UUID.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn words_are_told_apart() {
        let uid = "0f5e2a1c-98d1-4a39-b1a5-6c0b6a1f7e02";
        let cgroup = format!("/sys/fs/cgroup/kubepods.slice/kubepods-pod{}.slice", uid.replace('-', "_"));
        let long = "a".repeat(64);
        let table = [
            ("1", Subject::Pid(1)),
            ("pid:77", Subject::Pid(77)),
            ("123456", Subject::Pid(123_456)),
            (":80", Subject::Port(None, 80)),
            ("port:8080", Subject::Port(None, 8080)),
            ("tcp:443", Subject::Port(Some(Protocol::Tcp), 443)),
            ("udp:53", Subject::Port(Some(Protocol::Udp), 53)),
            ("10.0.0.1", Subject::Ip("10.0.0.1".parse().unwrap())),
            ("fd00::1", Subject::Ip("fd00::1".parse().unwrap())),
            ("::1", Subject::Ip("::1".parse().unwrap())),
            ("ip:::1", Subject::Ip("::1".parse().unwrap())),
            ("4f2a9c", Subject::ContainerId("4f2a9c".into())),
            ("123456789012", Subject::ContainerId("123456789012".into())),
            ("id:123456", Subject::ContainerId("123456".into())),
            ("4F2A", Subject::ContainerId("4f2a".into())),
            (&format!("containerd://{long}"), Subject::ContainerId(long.clone())),
            (&format!("id:cri-o://{long}"), Subject::ContainerId(long.clone())),
            (uid, Subject::PodUid(uid.into())),
            ("uid:my-own", Subject::PodUid("my-own".into())),
            (&cgroup, Subject::Cgroup(cgroup.clone())),
            (&cgroup[15..], Subject::Cgroup(cgroup[15..].into())),
            (&format!("cgroup:/k8s.io/{long}"), Subject::Cgroup(format!("/k8s.io/{long}"))),
            ("/var/log/pods/x", Subject::Path("/var/log/pods/x".into())),
            ("cgroup:/user.slice", Subject::Path("/user.slice".into())),
            ("./file", Subject::Path("./file".into())),
            ("path:file", Subject::Path("file".into())),
        ];
        for (word, want) in table {
            assert_eq!(Subject::read(word), Ok(want), "{word}");
        }
    }

    #[test]
    fn what_is_nothing_of_the_kind() {
        for word in ["", "web", "abc", ":", ":0", ":99999", "pid:x", "pid:-1", "10.0.0", "tcp:", "id:xyz9", "cgroup:"] {
            assert_eq!(Subject::read(word).unwrap_err().exit, Exit::Usage, "{word}");
        }
        assert!(Subject::read(":99999").unwrap_err().message.contains("from 1 to 65535"));
    }
}
