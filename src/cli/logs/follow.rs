//! Files that are written further.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use super::prefix::Prefixed;
use super::target::Target;
use crate::cli::client::PodsClient;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::written;
use crate::codec::pod_bytes::PodBytes;
use crate::logs::{LogError, LogReader};
use crate::pod::container_log::LogState;
use crate::pod::log_line::LogWriter;

/// How often the files are looked at for more.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// With every so many looks, the daemon is asked whether the containers still run.
const ASK_EVERY: u32 = 4;

/// The log of one container while it is printed.
pub struct Log {
    /// Whose.
    pub target: Target,
    /// The lines of its files.
    pub reader: LogReader,
    /// What of them is shown.
    pub writer: LogWriter,
    /// How they are shown.
    pub lines: Prefixed,
}

/// Why copying ended early.
pub enum Broken {
    /// The file cannot be read.
    Log(LogError),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Broken {
    /// What the command comes to.
    pub fn done(self) -> Result<(), Failure> {
        match self {
            Self::Log(e) => Err(Failure::new(Exit::Failure, format!("error: {e}"))),
            Self::Output(e) => written(Err(e)),
        }
    }
}

impl Log {
    /// Prints what is there.
    pub fn copy(&mut self, out: &mut impl Write) -> Result<(), Broken> {
        let (mut line, mut shown) = (Vec::new(), Vec::new());
        while !self.writer.is_full() && self.reader.next_line(&mut line).map_err(Broken::Log)? {
            shown.clear();
            self.writer.line(&line, &mut shown);
            self.lines.write(&shown, out).map_err(Broken::Output)?;
        }
        Ok(())
    }

    /// Whether this instance of the container still runs in `pod`.
    fn runs_in(&self, pod: &PodBytes) -> bool {
        LogState::of(pod, &self.target.container).is_written(self.reader.instance())
    }
}

/// Prints what is written until all the containers have ended, the daemon goes away or nobody reads.
///
/// # Errors
/// The daemon refuses us, or a file cannot be read.
pub fn on(client: &PodsClient, mut logs: Vec<Log>, out: &mut impl Write) -> Result<(), Failure> {
    let mut looks = 0_u32;
    while !logs.is_empty() {
        thread::sleep(LOOK_EVERY);
        looks += 1;
        // Asked before the files are read: what was written by then is printed.
        let ended = if looks % ASK_EVERY == 0 { ended(client, &logs)? } else { Vec::new() };
        for log in &mut logs {
            if let Err(broken) = log.copy(out) {
                return broken.done();
            }
        }
        if let Err(e) = out.flush() {
            return written(Err(e));
        }
        logs.retain(|log| !log.writer.is_full() && !ended.contains(&log.target));
    }
    Ok(())
}

/// Those that do not run any more, as far as the daemon tells.
fn ended(client: &PodsClient, logs: &[Log]) -> Result<Vec<Target>, Failure> {
    let mut ended = Vec::new();
    for log in logs {
        let uid = log.target.uids.first().map(String::as_str).unwrap_or_default();
        let runs = match client.get(uid) {
            Ok(pod) => log.runs_in(&pod),
            Err(failure) if failure.exit == Exit::NotFound => false,
            // The files are there without the daemon, too.
            Err(failure) if failure.exit == Exit::Unavailable => true,
            Err(failure) => return Err(failure),
        };
        if !runs {
            ended.push(log.target.clone());
        }
    }
    Ok(ended)
}
