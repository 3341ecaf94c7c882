//! What is looked up on the node for one pod: its images, the paths that it mounts, the ends of its logs.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::images;
use crate::cli::api_client::ApiClient;
use crate::codec::pod_bytes::PodBytes;
use crate::config::settings::POD_LOGS_DIR;
use crate::diagnosis::{FileKind, LogTail, NodeFacts, PodFacts};
use crate::logs::{LogError, LogFiles, LogPlace, LogReader};
use crate::pod::container_log;
use crate::pod::log_line::{LogFilter, LogWriter};
use crate::store::update::HealthState;

/// Lines of a log that are shown.
const TAIL: u64 = 5;
/// Lines of a log file that are read at most, parts of long lines included.
const MOST_PARTS: u64 = 10_000;
/// Bytes that are taken of a log from the daemon.
const MOST_BYTES: usize = 4 << 20;
/// Characters of one of them.
const WIDEST: usize = 400;

/// Looks things up.
#[derive(Debug)]
pub struct LookUp {
    runtime: Option<PathBuf>,
    logs: PathBuf,
    /// Reads logs for us that we cannot read.
    daemon: Option<ApiClient>,
    tail: u64,
}

impl LookUp {
    /// `logs` is the directory with the logs of all pods, where one is named; else `daemon` may have what we have not.
    #[must_use]
    pub fn new(node: &NodeFacts, logs: Option<&Path>, daemon: Option<ApiClient>, tail: Option<u64>) -> Self {
        let runtime = node.sources.iter().find(|s| s.name == "cri" && s.state == HealthState::Up);
        let socket = runtime.map(|s| PathBuf::from(s.target.trim_start_matches("unix://")));
        Self {
            runtime: socket,
            logs: logs.unwrap_or(Path::new(POD_LOGS_DIR)).to_owned(),
            daemon: daemon.filter(|_| logs.is_none()),
            tail: tail.unwrap_or(TAIL),
        }
    }

    /// Everything about a pod, in its encoded and its JSON form; logs only where they are wanted.
    #[must_use]
    pub fn pod(&self, bytes: &PodBytes, pod: &Value, with_logs: bool) -> PodFacts {
        let mut facts = PodFacts::default();
        for image in images_of_missing_containers(pod) {
            if let Some(fact) = self.runtime.as_deref().and_then(|socket| images::ask(socket, &image)) {
                facts.images.insert(image, fact);
            }
        }
        for path in host_paths(pod) {
            facts.host_paths.insert(path.clone(), kind(Path::new(&path)));
        }
        if with_logs && self.tail > 0 {
            let uids = container_log::uids(bytes);
            facts.logs = failed_containers(pod).into_iter().filter_map(|c| self.log(pod, &uids, &c)).collect();
        }
        facts
    }

    /// The end of a container's log. A log that does not exist is nothing to talk about.
    fn log(&self, pod: &Value, uids: &[String], failed: &Failed) -> Option<LogTail> {
        let place = LogPlace {
            root: &self.logs,
            namespace: text(pod, "/metadata/namespace"),
            pod: text(pod, "/metadata/name"),
            uids,
            container: &failed.name,
        };
        let found = LogFiles::find(&place, failed.previous).or_else(|_| LogFiles::find(&place, false));
        let error = match found.map(|files| (files.current(), self.lines(files))) {
            Ok((path, Ok(lines))) => {
                let path = path.to_string_lossy().into_owned();
                return Some(LogTail { container: failed.name.clone(), path, lines, ..LogTail::default() });
            }
            Ok((_, Err(error))) => error,
            Err(LogError::NotFound) => String::new(),
            Err(e) => in_words(&e),
        };
        let (path, lines, error) = match self.lines_of_daemon(&place, failed) {
            Some(lines) => ("the daemon, which reads logs for us".to_owned(), lines, String::new()),
            None if error.is_empty() => return None,
            None => (place.root.display().to_string(), Vec::new(), error),
        };
        Some(LogTail { container: failed.name.clone(), path, lines, error })
    }

    /// What the daemon reads for us of a log.
    fn lines_of_daemon(&self, place: &LogPlace<'_>, failed: &Failed) -> Option<Vec<String>> {
        let mut options = vec![("container", failed.name.clone()), ("tailLines", self.tail.to_string())];
        options.extend(failed.previous.then(|| ("previous", "true".to_owned())));
        let mut log = self.daemon.as_ref()?.log(place.namespace, place.pod, &options).ok()?;
        let text = log.bytes(MOST_BYTES).ok()?;
        Some(shown(&text))
    }

    fn lines(&self, files: LogFiles) -> Result<Vec<String>, String> {
        let mut reader = LogReader::open(files, Some(self.tail)).map_err(|e| in_words(&e))?;
        let (mut writer, mut line, mut out) = (LogWriter::new(LogFilter::default()), Vec::new(), Vec::new());
        // A log that grows faster than it is read would never end.
        let mut left = MOST_PARTS.max(self.tail);
        while left > 0 && reader.next_line(&mut line).map_err(|e| in_words(&e))? {
            writer.line(&line, &mut out);
            left -= 1;
        }
        Ok(shown(&out))
    }
}

/// Why a log cannot be read, with what to do.
fn in_words(error: &LogError) -> String {
    match error {
        LogError::Io(_, e) if e.kind() == ErrorKind::PermissionDenied => format!("{error}; try sudo"),
        other => other.to_string(),
    }
}

/// The lines of a log as they are shown.
fn shown(log: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(log).lines().map(|line| line.chars().take(WIDEST).collect()).collect()
}

/// A container whose log may say why.
#[derive(Debug, PartialEq, Eq)]
struct Failed {
    name: String,
    /// It runs again: the log of the instance before is meant.
    previous: bool,
}

/// Containers that ended badly, or were started again, or keep others waiting.
fn failed_containers(pod: &Value) -> Vec<Failed> {
    let mut out = Vec::new();
    for (list, is_init) in [("/status/initContainerStatuses", true), ("/status/containerStatuses", false)] {
        for status in each(pod, list) {
            let number = |at: &str| status.pointer(at).and_then(Value::as_i64);
            let runs = status.pointer("/state/running").is_some();
            let again = number("/restartCount").is_some_and(|n| n > 0);
            let ended = number("/state/terminated/exitCode").is_some_and(|code| code != 0 || again);
            if ended || again || (is_init && runs) {
                let name = text(status, "/name").to_owned();
                out.push(Failed { name, previous: runs && again });
            }
        }
    }
    out
}

/// Images of containers that were never created.
fn images_of_missing_containers(pod: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let lists =
        [("/spec/initContainers", "/status/initContainerStatuses"), ("/spec/containers", "/status/containerStatuses")];
    for (specs, statuses) in lists {
        for container in each(pod, specs) {
            let name = text(container, "/name");
            let is_there = |s: &&Value| text(s, "/name") == name && !text(s, "/containerID").is_empty();
            let image = text(container, "/image").to_owned();
            if !image.is_empty() && !each(pod, statuses).iter().any(|s| is_there(&s)) && !out.contains(&image) {
                out.push(image);
            }
        }
    }
    out
}

/// Paths of the node that the pod wants to be of some type.
fn host_paths(pod: &Value) -> Vec<String> {
    let volumes = each(pod, "/spec/volumes").iter().filter(|v| !text(v, "/hostPath/type").is_empty());
    volumes.map(|v| text(v, "/hostPath/path").to_owned()).filter(|path| path.starts_with('/')).collect()
}

fn kind(path: &Path) -> FileKind {
    match fs::metadata(path).map(|m| m.file_type()) {
        Err(_) => FileKind::Missing,
        Ok(t) if t.is_dir() => FileKind::Directory,
        Ok(t) if t.is_file() => FileKind::File,
        Ok(t) if t.is_socket() => FileKind::Socket,
        Ok(t) if t.is_char_device() => FileKind::CharDevice,
        Ok(t) if t.is_block_device() => FileKind::BlockDevice,
        Ok(_) => FileKind::Other,
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn each<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn containers_whose_logs_may_say_why() {
        let pod = json!({"status": {
            "initContainerStatuses": [{"name": "wait", "state": {"running": {}}, "restartCount": 0}],
            "containerStatuses": [
                {"name": "well", "state": {"running": {}}, "restartCount": 0},
                {"name": "again", "state": {"running": {}}, "restartCount": 2},
                {"name": "failed", "state": {"terminated": {"exitCode": 1}}, "restartCount": 0},
                {"name": "done", "state": {"terminated": {"exitCode": 0}}, "restartCount": 0},
                {"name": "missing", "state": {"waiting": {}}, "restartCount": 0},
            ],
        }});
        let got: Vec<_> = failed_containers(&pod).into_iter().map(|f| (f.name, f.previous)).collect();
        assert_eq!(got, [("wait".to_owned(), false), ("again".to_owned(), true), ("failed".to_owned(), false)]);
    }

    #[test]
    fn images_and_paths_that_matter() {
        let pod = json!({
            "spec": {
                "containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:2"}, {"name": "c", "image": "i:2"}],
                "volumes": [{"hostPath": {"path": "/", "type": "File"}}, {"hostPath": {"path": "/x"}}, {"emptyDir": {}}],
            },
            "status": {"containerStatuses": [{"name": "a", "containerID": "c://1"}, {"name": "b"}]},
        });
        assert_eq!(images_of_missing_containers(&pod), ["i:2"]);
        assert_eq!(host_paths(&pod), ["/"]);
        assert_eq!((kind(Path::new("/")), kind(Path::new("/no/such"))), (FileKind::Directory, FileKind::Missing));
        assert_eq!(kind(Path::new("/dev/null")), FileKind::CharDevice);
    }
}
