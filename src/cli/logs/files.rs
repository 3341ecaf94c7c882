//! Logs from the runtime's files on this node.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::follow::{self, Log};
use super::prefix::Prefixed;
use super::target::Target;
use super::wish::Wish;
use crate::cli::client::PodsClient;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::written;
use crate::logs::{LogError, LogFiles, LogPlace, LogReader};
use crate::pod::log_line::LogWriter;

/// Opens the logs of `targets` in the directory `root`, before anything is printed. Of several, those that are there.
///
/// # Errors
/// None is there ([`Exit::NotFound`]), or the files are for others ([`Exit::Permission`]) or broken.
pub fn open(root: &Path, targets: &[Target], wish: &Wish) -> Result<Vec<Log>, Failure> {
    let (mut open, mut missing) = (Vec::new(), None);
    for target in targets {
        let place = LogPlace {
            root,
            namespace: &target.namespace,
            pod: &target.pod,
            uids: &target.uids,
            container: &target.container,
        };
        let reader = LogFiles::find(&place, wish.previous).and_then(|files| LogReader::open(files, wish.tail));
        match reader {
            Ok(reader) => open.push(Log {
                target: target.clone(),
                reader,
                writer: LogWriter::new(wish.filter.clone()),
                lines: Prefixed::new(wish.prefix(&target.pod, &target.container)),
            }),
            // Of several containers, some have not started or have written nothing.
            Err(e @ LogError::NotFound) => missing = missing.or(Some(no_log(&e, target, wish.previous, root))),
            Err(e) => return Err(no_log(&e, target, wish.previous, root)),
        }
    }
    match missing {
        Some(missing) if open.is_empty() => Err(missing),
        _ => Ok(open),
    }
}

/// Prints them, one behind the other, and then what is written further, if that is wanted.
///
/// # Errors
/// A file cannot be read, or the daemon refuses us.
pub fn print(client: &PodsClient, mut logs: Vec<Log>, wish: &Wish) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    for log in &mut logs {
        if let Err(broken) = log.copy(&mut out) {
            return broken.done();
        }
    }
    if let Err(e) = out.flush() {
        return written(Err(e));
    }
    match wish.follow && !wish.previous {
        true => follow::on(client, logs, &mut out),
        false => Ok(()),
    }
}

/// Why there is no log, as far as the pod's status tells.
fn no_log(error: &LogError, target: &Target, previous: bool, root: &Path) -> Failure {
    let Target { namespace, pod, container, .. } = target;
    match error {
        LogError::Io(path, e) if e.kind() == io::ErrorKind::PermissionDenied => Failure::new(
            Exit::Permission,
            format!("error: no access to {}: {e}\nThe runtime's logs are for root alone: try sudo.", path.display()),
        ),
        LogError::NotFound if previous => Failure::new(
            Exit::NotFound,
            format!(
                "error: container {container} in pod {pod} has no earlier instance whose log is still there\nWithout -p \
                 the log of this one is printed; 'nodepods describe {namespace}/{pod}' shows how the last one ended."
            ),
        ),
        LogError::NotFound => {
            let why = match target.waiting.as_str() {
                "" => format!("has no log in {}", root.display()),
                reason => format!("is waiting to start: {reason}"),
            };
            let hint = format!("'nodepods why {namespace}/{pod}' says more.");
            Failure::new(Exit::NotFound, format!("error: container {container} in pod {pod} {why}\n{hint}"))
        }
        other => Failure::new(Exit::Failure, format!("error: {other}")),
    }
}
