//! A line of a container's log as runtimes write it (CRI format), and which of them a reader wants.
//!
//! `2016-10-06T00:17:09.669794202Z stdout F log content`: time, stream, tags, then what the container wrote. The tag
//! `P` says that the line goes on in the next one (`kubernetes/kubernetes
//! staging/src/k8s.io/cri-client/pkg/logs/logs.go`).

use crate::codec::time::Time;

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// When it was written, as it stands in the file.
    pub time: &'a str,
    /// Where to.
    pub stream: LogStream,
    /// The container wrote no line break behind it: the next line continues it.
    pub partial: bool,
    /// What the container wrote, without a line break.
    pub content: &'a [u8],
}

/// Where a container wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl<'a> LogLine<'a> {
    /// Reads a line, with or without its line break; `None` where it is not in CRI format.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut parts = line.splitn(4, |b| *b == b' ');
        let time = std::str::from_utf8(parts.next()?).ok()?;
        Time::parse(time)?;
        let stream = match parts.next()? {
            b"stdout" => LogStream::Stdout,
            b"stderr" => LogStream::Stderr,
            _ => return None,
        };
        let partial = match parts.next()?.split(|b| *b == b':').next()? {
            b"P" => true,
            b"F" => false,
            _ => return None,
        };
        Some(Self { time, stream, partial, content: parts.next().unwrap_or_default() })
    }
}

/// What of a log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Nothing older than this.
    pub since: Option<Time>,
    /// Each line with its time in front.
    pub timestamps: bool,
    /// Only what was written here.
    pub stream: Option<LogStream>,
    /// Most bytes of output.
    pub limit_bytes: Option<u64>,
}

/// Turns lines of a log file into what the container wrote.
#[derive(Debug)]
pub struct LogWriter {
    filter: LogFilter,
    left: u64,
    /// The last line that was shown is continued by the next one.
    continued: bool,
}

impl LogWriter {
    /// Nothing shown yet.
    #[must_use]
    pub fn new(filter: LogFilter) -> Self {
        let left = filter.limit_bytes.unwrap_or(u64::MAX);
        Self { filter, left, continued: false }
    }

    /// Appends what a reader sees of a line of the file. Lines that are not in CRI format are left out.
    pub fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let Some(line) = LogLine::parse(line) else { return };
        if self.filter.stream.is_some_and(|stream| stream != line.stream) {
            return;
        }
        if self.filter.since.is_some_and(|since| Time::parse(line.time).is_none_or(|at| at < since)) {
            return;
        }
        if self.filter.timestamps && !self.continued {
            self.put(line.time.as_bytes(), out);
            self.put(b" ", out);
        }
        self.put(line.content, out);
        if !line.partial {
            self.put(b"\n", out);
        }
        self.continued = line.partial;
    }

    /// The limit of bytes is reached: nothing more will be shown.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        out.extend_from_slice(bytes.get(..n).unwrap_or_default());
        self.left -= n as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: [&[u8]; 5] = [
        b"2024-01-02T03:04:05.000000001Z stdout F one\n",
        b"2024-01-02T03:04:06Z stderr P two \n",
        b"2024-01-02T03:04:06.5+02:00 stderr F\n",
        b"rubbish\n",
        b"2024-01-02T03:04:07Z stdout F:x \xff three  \n",
    ];

    fn shown(filter: LogFilter) -> String {
        let (mut writer, mut out) = (LogWriter::new(filter), Vec::new());
        LOG.iter().for_each(|line| writer.line(line, &mut out));
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn lines() {
        let want = LogLine {
            time: "2024-01-02T03:04:07Z",
            stream: LogStream::Stdout,
            partial: false,
            content: b"\xff three  ",
        };
        assert_eq!(LogLine::parse(LOG[4]), Some(want));
        assert!(LogLine::parse(LOG[1]).is_some_and(|l| l.partial));
        for bad in
            ["", "x", "2024-01-02T03:04:07Z", "2024-01-02T03:04:07Z stdin F x", "2024-01-02T03:04:07Z stdout Q x"]
        {
            assert_eq!(LogLine::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn what_a_reader_sees() {
        assert_eq!(shown(LogFilter::default()), "one\ntwo \n\u{fffd} three  \n");
        let timestamps = LogFilter { timestamps: true, ..LogFilter::default() };
        let want = "2024-01-02T03:04:05.000000001Z one\n2024-01-02T03:04:06Z two \n\
                    2024-01-02T03:04:07Z \u{fffd} three  \n";
        assert_eq!(shown(timestamps), want);
        let errors = LogFilter { stream: Some(LogStream::Stderr), ..LogFilter::default() };
        assert_eq!(shown(errors), "two \n");
        let since = Time::parse("2024-01-02T03:04:06Z");
        assert_eq!(shown(LogFilter { since, ..LogFilter::default() }), "two \u{fffd} three  \n");
        assert_eq!(shown(LogFilter { limit_bytes: Some(6), ..LogFilter::default() }), "one\ntw");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_shown_or_left_out(bytes: Vec<u8>, limit: u64) {
            let (mut out, filter) = (Vec::new(), LogFilter { limit_bytes: Some(limit), ..LogFilter::default() });
            LogWriter::new(filter).line(&bytes, &mut out);
            proptest::prop_assert!(out.len() <= bytes.len());
        }
    }
}
