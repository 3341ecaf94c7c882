//! What a container left behind to say why it ended.
//!
//! The rules are the kubelet's (`kubernetes/kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go`,
//! getTerminationMessage): the end of the file that is mounted at the termination message path; if that is empty,
//! the policy is `FallbackToLogsOnError` and the exit code is not 0, the end of the container's log.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::log_tail;
use crate::pod::observed::Container;

const PATH: &str = "io.kubernetes.container.terminationMessagePath";
const POLICY: &str = "io.kubernetes.container.terminationMessagePolicy";
/// `kubecontainer.MaxContainerTerminationMessageLength`.
const MAX_MESSAGE: u64 = 4096;
/// Enough for 80 lines, or for the 2048 bytes that are kept of longer ones.
const LOG_BLOCK: u64 = 64 << 10;

/// The raw termination message of a container that has exited; empty where there is none.
#[must_use]
pub fn message(container: &Container) -> Vec<u8> {
    let annotation = |key: &str| container.annotations.get(key).map(String::as_str).unwrap_or_default();
    let path = annotation(PATH);
    let mount = container.mounts.iter().find(|m| !path.is_empty() && m.container_path == path);
    let text = match mount.map(|m| end_of(Path::new(&m.host_path), MAX_MESSAGE)) {
        Some(Ok((bytes, _))) => bytes,
        Some(Err(e)) if e.kind() != ErrorKind::NotFound => {
            log::debug!("cri: termination message of container {}: {e}", container.id);
            return Vec::new();
        }
        _ => Vec::new(),
    };
    let fallback = annotation(POLICY) == "FallbackToLogsOnError" && container.exit_code != 0;
    if !text.is_empty() || !fallback || container.log_path.is_empty() {
        return text;
    }
    match end_of(Path::new(&container.log_path), LOG_BLOCK) {
        Ok((block, whole)) => log_tail::last_output(&block, whole),
        Err(e) => {
            log::debug!("cri: log of container {}: {e}", container.id);
            Vec::new()
        }
    }
}

/// The last `max` bytes of a regular file, and whether that is all of it. A link in the file's place is not
/// followed: what a pod can write to must not name a file of the node.
fn end_of(path: &Path, max: u64) -> io::Result<(Vec<u8>, bool)> {
    if !path.is_absolute() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the runtime gave no absolute path"));
    }
    let mut file: File = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let start = about.len().saturating_sub(max);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes)?;
    Ok((bytes, start == 0))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::pod::observed::Mount;
    use crate::testdir::TestDir;

    fn exited(dir: &TestDir, policy: &str, exit_code: i32) -> Container {
        let mount = |container_path: &str, host: &str| Mount {
            container_path: container_path.into(),
            host_path: dir.path(host).to_string_lossy().into_owned(),
            ..Mount::default()
        };
        Container {
            annotations: [(PATH, "/dev/why"), (POLICY, policy)].map(|(k, v)| (k.into(), v.into())).into(),
            mounts: vec![mount("/etc/hosts", "hosts"), mount("/dev/why", "why")],
            log_path: dir.path("0.log").to_string_lossy().into_owned(),
            exit_code,
            ..Container::default()
        }
    }

    #[test]
    fn the_file_then_the_log() {
        let log = "2026-01-01T00:00:00Z stderr F from the log\n";
        let long = "x".repeat(5000) + "end";
        let cases = [
            ("File", 1, Some("file says"), "file says"),
            ("File", 1, Some(""), ""),
            ("File", 1, None, ""),
            ("FallbackToLogsOnError", 1, Some("file says"), "file says"),
            ("FallbackToLogsOnError", 1, Some(""), "from the log\n"),
            ("FallbackToLogsOnError", 1, None, "from the log\n"),
            ("FallbackToLogsOnError", 0, Some(""), ""),
            ("File", 0, Some(long.as_str()), &long[long.len() - 4096..]),
        ];
        for (policy, exit, file, want) in cases {
            let t = TestDir::new();
            fs::write(t.path("0.log"), log).unwrap();
            if let Some(text) = file {
                fs::write(t.path("why"), text).unwrap();
            }
            let got = String::from_utf8(message(&exited(&t, policy, exit))).unwrap();
            assert_eq!(got, want, "{policy} {exit} {file:?}");
        }
    }

    #[test]
    fn links_and_special_files_are_not_read() {
        let t = TestDir::new();
        fs::write(t.path("secret"), "secret").unwrap();
        symlink(t.path("secret"), t.path("why")).unwrap();
        symlink(t.path("secret"), t.path("0.log")).unwrap();
        assert_eq!(message(&exited(&t, "File", 1)), b"");
        fs::remove_file(t.path("why")).unwrap();
        assert_eq!(message(&exited(&t, "FallbackToLogsOnError", 1)), b"");
        fs::create_dir(t.path("why")).unwrap();
        assert_eq!(message(&exited(&t, "File", 1)), b"");
    }
}
