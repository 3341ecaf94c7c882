//! `pods/NAME/log`: what a container wrote, from the runtime's files.
//!
//! Options and words: `kubernetes/kubernetes pkg/registry/core/pod/strategy.go` and `pkg/kubelet/kubelet.go`.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outgoing::{Outgoing, Woken};
use super::pods;
use super::query::Query;
use super::refusal::Refusal;
use super::reply::{Produce, Reply};
use super::request::Request;
use super::shared::{self, Shared};
use crate::codec::time::Time;
use crate::logs::{LogError, LogFiles, LogPlace, LogReader};
use crate::pod::container_log::{self, LogState};
use crate::pod::container_names::ContainerNames;
use crate::pod::log_line::{LogFilter, LogStream, LogWriter};
use crate::store::snapshot::{PodEntry, PodId};
use crate::store::Store;

/// How often a followed log is looked at for more.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// With every so many lines it is looked whether anybody still wants them.
const LOOK_UP_EVERY: u32 = 4096;

/// Answers with a log.
pub(crate) fn answer(shared: &Shared, request: &Request, namespace: &str, name: &str) -> Result<Reply, Refusal> {
    let snapshot = shared.known()?;
    let options = Options::read(&request.query)?;
    let pod = pods::find(&snapshot, namespace, name)?;
    let container = container_of(pod, request.query.text("container"))?;
    let uids = container_log::uids(&pod.bytes);
    let place = LogPlace { root: &shared.log_root, namespace, pod: name, uids: &uids, container: &container };
    let reader = LogFiles::find(&place, options.previous).and_then(|files| LogReader::open(files, options.tail));
    let reader = reader.map_err(|e| no_log(e, pod, &container, &options))?;
    Ok(Reply::produced(
        "text/plain",
        LogBody {
            store: Arc::clone(&shared.store),
            id: Arc::clone(&pod.id),
            container,
            follow: options.follow && !options.previous,
            reader,
            writer: LogWriter::new(options.filter),
        },
    ))
}

struct Options {
    follow: bool,
    previous: bool,
    tail: Option<u64>,
    filter: LogFilter,
}

impl Options {
    fn read(query: &Query) -> Result<Self, Refusal> {
        let refuse = Refusal::BadRequest;
        let switch = |key| query.switch(key).unwrap_or(false);
        let least = |key: &str, least: i64| match query.number(key)? {
            Some(n) if n < least => {
                Err(refuse(format!("{key}: Invalid value: {n}: must be greater than or equal to {least}")))
            }
            n => Ok(n.and_then(|n| u64::try_from(n).ok())),
        };
        let ago = least("sinceSeconds", 1)?;
        let since = match (query.text("sinceTime"), ago) {
            (Some(_), Some(_)) => {
                return Err(refuse("at most one of `sinceTime` or `sinceSeconds` may be specified".into()))
            }
            (Some(text), None) => match Time::parse(text) {
                Some(time) => Some(time),
                None => return Err(refuse(format!("sinceTime: {text:?} is not a time such as 2021-01-11T07:47:02Z"))),
            },
            (None, Some(ago)) => {
                Some(Time::from_unix(shared::now().saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX))))
            }
            (None, None) => None,
        };
        let stream = match query.text("stream") {
            None | Some("All") => None,
            Some("Stdout") => Some(LogStream::Stdout),
            Some("Stderr") => Some(LogStream::Stderr),
            Some(other) => return Err(refuse(format!("stream: {other:?} is none of \"All\", \"Stdout\", \"Stderr\""))),
        };
        let limit_bytes = least("limitBytes", 1)?;
        let tail = least("tailLines", 0)?;
        if stream.is_some() && tail.is_some() {
            return Err(refuse("`tailLines` and specific `stream` are mutually exclusive for now".into()));
        }
        Ok(Self {
            follow: switch("follow"),
            previous: switch("previous"),
            tail,
            filter: LogFilter { since, timestamps: switch("timestamps"), stream, limit_bytes },
        })
    }
}

/// The container that is meant: the named one, or the only one.
fn container_of(pod: &PodEntry, named: Option<&str>) -> Result<String, Refusal> {
    let names = ContainerNames::read(&pod.bytes).map_err(|e| Refusal::Internal(e.to_string()))?;
    let pod = &pod.id.name;
    match (named, names.regular.as_slice()) {
        (Some(named), _) if names.has(named) => Ok(named.to_owned()),
        (Some(named), _) => Err(Refusal::BadRequest(format!("container {named} is not valid for pod {pod}"))),
        (None, [only]) => Ok(only.clone()),
        (None, several) => {
            let or_init = match names.init.as_slice() {
                [] => String::new(),
                init => format!(" or one of the init containers: [{}]", init.join(" ")),
            };
            let choice = several.join(" ");
            let problem =
                format!("a container name must be specified for pod {pod}, choose one of: [{choice}]{or_init}");
            Err(Refusal::BadRequest(problem))
        }
    }
}

/// Says why there is no log, as far as the pod's status tells.
fn no_log(error: LogError, pod: &PodEntry, container: &str, options: &Options) -> Refusal {
    if !matches!(error, LogError::NotFound) {
        log::warn!("log of {container} in {}/{}: {error}", pod.id.namespace, pod.id.name);
        return Refusal::Internal(error.to_string());
    }
    let pod_name = &pod.id.name;
    if options.previous {
        let problem = format!("previous terminated container {container:?} in pod {pod_name:?} not found");
        return Refusal::BadRequest(problem);
    }
    Refusal::BadRequest(match LogState::of(&pod.bytes, container).waiting.as_str() {
        "" => format!("container {container:?} in pod {pod_name:?} has no log on this node"),
        reason => format!("container {container:?} in pod {pod_name:?} is waiting to start: {reason}"),
    })
}

/// A log while it is sent.
struct LogBody {
    store: Arc<Store>,
    id: Arc<PodId>,
    container: String,
    follow: bool,
    reader: LogReader,
    writer: LogWriter,
}

impl Produce for LogBody {
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()> {
        let (mut line, mut text) = (Vec::new(), Vec::new());
        loop {
            // Looked at before the end of the file is: what was written by then is read.
            let more_to_come = self.follow && self.is_running();
            let mut read = 0_u32;
            while self.reader.next_line(&mut line).map_err(io::Error::other)? {
                // What is left out of a log may be all of it: nothing is written that would fail.
                read = read.wrapping_add(1);
                if read % LOOK_UP_EVERY == 0 {
                    match out.wait(None, Instant::now()) {
                        Woken::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                        Woken::Stopping => return Ok(()),
                        Woken::Changed | Woken::Time => {}
                    }
                }
                text.clear();
                self.writer.line(&line, &mut text);
                out.write(&text)?;
                if self.writer.is_full() {
                    return Ok(());
                }
            }
            if !more_to_come {
                return Ok(());
            }
            out.flush()?;
            match out.wait(None, Instant::now() + LOOK_EVERY) {
                Woken::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Woken::Stopping => return Ok(()),
                Woken::Changed | Woken::Time => {}
            }
        }
    }
}

impl LogBody {
    /// Whether this instance of the container still runs.
    fn is_running(&self) -> bool {
        let current = self.store.current();
        let pod = current.by_uid(&self.id.uid);
        pod.is_some_and(|pod| LogState::of(&pod.bytes, &self.container).is_written(self.reader.instance()))
    }
}
