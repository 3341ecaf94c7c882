//! The log: lines on standard error, through the `log` facade.
//!
//! Three forms: for people, with the time in front; for journald, with its `<N>` priority prefix and no time, which
//! the journal adds itself; and JSON, one object a line. Quiet by default: what is said at `info` is a change of
//! state. A line goes out in one write, so lines of different threads do not mix.

use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::linux::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::codec::json::escape;
use crate::codec::time::Time;
use crate::config::values::LogFormat;
use crate::plain::plain;

/// What lines of the gRPC library are filed under.
const GRPC: &str = "grpc";

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `2026-01-02T03:04:05Z info  source.cri: message`
    People,
    /// `<6>source.cri: message`
    Journal,
    /// `{"time":"...","level":"info","source":"source.cri","message":"..."}`
    Json,
}

/// Which lines are written: a level for everything, and others for parts of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter {
    all: LevelFilter,
    parts: Vec<(String, LevelFilter)>,
}

impl Filter {
    /// `debug`, or `info,source.cri=debug,serve=trace`.
    fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Self { all: LevelFilter::Info, parts: Vec::new() };
        for item in text.split(',').map(str::trim).filter(|i| !i.is_empty()) {
            let (part, level) = item.split_once('=').map_or((None, item), |(part, level)| (Some(part), level));
            let level = level.parse().map_err(|_| {
                format!("NODEPODS_LOG: {level:?} is no level; known are off, error, warn, info, debug, trace")
            })?;
            match part {
                None => filter.all = level,
                Some(part) => filter.parts.push((part.trim().to_string(), level)),
            }
        }
        Ok(filter)
    }

    /// The most specific part decides. The gRPC core is talkative: below `trace` only its warnings count.
    fn level(&self, source: &str) -> LevelFilter {
        let under = |part: &str| source.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let fitting = self.parts.iter().filter(|(part, _)| under(part));
        let general =
            if source == GRPC && self.all < LevelFilter::Trace { self.all.min(LevelFilter::Warn) } else { self.all };
        fitting.max_by_key(|(part, _)| part.len()).map_or(general, |(_, level)| *level)
    }

    fn highest(&self) -> LevelFilter {
        self.parts.iter().map(|(_, level)| *level).chain([self.all]).max().unwrap_or(self.all)
    }
}

struct Logger {
    form: Form,
    filter: Filter,
}

/// Starts logging: `verbosity` is the number of `-v`, and `NODEPODS_LOG`, where it is set, decides instead. A panic
/// is logged with its thread and place. Only the first call has an effect.
///
/// # Errors
/// `NODEPODS_LOG` cannot be read; logging works all the same then, as if it were not set.
pub fn start(format: LogFormat, verbosity: u8) -> Result<(), String> {
    let default = match verbosity {
        0 => LevelFilter::Info,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    let said = env::var("NODEPODS_LOG").ok().filter(|text| !text.is_empty()).map(|text| Filter::parse(&text));
    let by_flag = Filter { all: default, parts: Vec::new() };
    let (filter, result) = match said {
        None => (by_flag, Ok(())),
        Some(Ok(filter)) => (filter, Ok(())),
        Some(Err(e)) => (by_flag, Err(e)),
    };
    let form = match format {
        LogFormat::Json => Form::Json,
        LogFormat::Text if under_journald() => Form::Journal,
        LogFormat::Text => Form::People,
    };
    let highest = filter.highest();
    if log::set_boxed_logger(Box::new(Logger { form, filter })).is_ok() {
        log::set_max_level(highest);
        std::panic::set_hook(Box::new(log_panic));
    }
    result
}

/// Whether standard error is the journal's stream: `JOURNAL_STREAM` holds its device and inode (systemd.exec(5)).
/// Children of a service inherit the variable with another standard error, so both are compared.
fn under_journald() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", stderr.st_dev(), stderr.st_ino())
}

fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let thread = std::thread::current();
    let place = info.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
    log::error!(
        "a fault of this program: thread {:?} panicked at {place}: {}",
        thread.name().unwrap_or("unnamed"),
        text.unwrap_or("no text")
    );
}

/// `nodepods::source::cri` as `source.cri`. The gRPC core gives no target.
fn source(target: &str) -> String {
    if target.is_empty() || target.starts_with("grpcio") {
        return GRPC.into();
    }
    target.strip_prefix("nodepods::").unwrap_or(target).replace("::", ".")
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.filter.level(&source(metadata.target()))
    }

    fn log(&self, record: &Record<'_>) {
        let source = source(record.target());
        if record.level() <= self.filter.level(&source) {
            let line = self.form.line(record.level(), &source, &plain(record.args().to_string()), SystemTime::now());
            // With standard error gone there is no place left to say so.
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

impl Form {
    fn line(self, level: Level, source: &str, message: &str, now: SystemTime) -> String {
        let word = level.as_str().to_ascii_lowercase();
        let people = || one_line(without_own_name(source, message));
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::People => write!(line, "{} {word:<5} {source}: {}", stamp(now), people()),
            Self::Journal => write!(line, "<{}>{source}: {}", priority(level), people()),
            Self::Json => {
                let _ = write!(line, r#"{{"time":"{}","level":"{word}","source":"#, stamp(now));
                escape(source, &mut line);
                line.push_str(r#","message":"#);
                escape(message, &mut line);
                line.write_char('}')
            }
        };
        line.push('\n');
        line
    }
}

/// Behind `source.cri: ` a message that begins with `cri: ` says that twice.
fn without_own_name<'m>(source: &str, message: &'m str) -> &'m str {
    let name = source.rsplit('.').next().unwrap_or(source);
    message.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message)
}

/// Names of files and pods come from outside: no line breaks and no terminal sequences from there.
fn one_line(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Levels of syslog(3).
const fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

fn stamp(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
    Time::from_unix(seconds).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn three_forms() {
        let at = UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        let line = |form: Form| form.line(Level::Info, "source.cri", "runtime \"x\"\nis\u{1b}[31m back", at);
        assert_eq!(line(Form::People), "2026-01-02T03:04:05Z info  source.cri: runtime \"x\" is [31m back\n");
        assert_eq!(line(Form::Journal), "<6>source.cri: runtime \"x\" is [31m back\n");
        let json: serde_json::Value = serde_json::from_str(&line(Form::Json)).unwrap();
        assert_eq!(json["time"], "2026-01-02T03:04:05Z");
        assert_eq!((json["level"].as_str(), json["source"].as_str()), (Some("info"), Some("source.cri")));
        assert_eq!(json["message"], "runtime \"x\"\nis\u{1b}[31m back");
        assert_eq!(line(Form::Json).lines().count(), 1);
    }

    #[test]
    fn no_source_is_named_twice() {
        let said = |source, message| Form::Journal.line(Level::Info, source, message, UNIX_EPOCH);
        assert_eq!(said("source.cri", "cri: containerd answers"), "<6>source.cri: containerd answers\n");
        assert_eq!(said("source.cri", "criterion: x"), "<6>source.cri: criterion: x\n");
        assert_eq!(said("checkpoint.saver", "checkpoint: x"), "<6>checkpoint.saver: checkpoint: x\n");
    }

    #[test]
    fn filters() {
        let filter = Filter::parse("warn, source=debug,source.cri=off").unwrap();
        let table = [
            ("store", LevelFilter::Warn),
            ("source", LevelFilter::Debug),
            ("source.manifests", LevelFilter::Debug),
            ("sources", LevelFilter::Warn),
            ("source.cri", LevelFilter::Off),
            ("source.cri.poll", LevelFilter::Off),
        ];
        for (source, level) in table {
            assert_eq!(filter.level(source), level, "{source}");
        }
        assert_eq!(filter.highest(), LevelFilter::Debug);
        assert_eq!(Filter::parse("").unwrap(), Filter { all: LevelFilter::Info, parts: vec![] });
        assert!(Filter::parse("loud").unwrap_err().contains("known are off, error"));
        assert_eq!(source("nodepods::source::cri"), "source.cri");
    }

    #[test]
    fn the_grpc_core_is_quiet_unless_asked() {
        let level = |text| Filter::parse(text).unwrap().level(&source(""));
        assert_eq!(level("debug"), LevelFilter::Warn);
        assert_eq!(level("error"), LevelFilter::Error);
        assert_eq!(level("trace"), LevelFilter::Trace);
        assert_eq!(level("info,grpc=debug"), LevelFilter::Debug);
    }
}
