//! Any bytes as the log of a container, as they are and as a compressed file.
#![no_main]

#[path = "../../src/logs/gzip.rs"]
mod gzip;

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use nodepods::codec::time::Time;
use nodepods::pod::log_line::{LogFilter, LogStream, LogWriter};

/// Most bytes that are unpacked: small files can hold very long ones.
const MOST: u64 = 1 << 20;

fn read(log: &[u8], choice: u8) {
    let limit_bytes = (choice & 1 != 0).then_some(u64::from(choice));
    let filter = LogFilter {
        since: Time::parse("2024-01-02T03:04:06Z").filter(|_| choice & 2 != 0),
        timestamps: choice & 4 != 0,
        stream: (choice & 8 != 0).then_some(LogStream::Stderr),
        limit_bytes,
    };
    let (mut writer, mut out) = (LogWriter::new(filter), Vec::new());
    for line in log.split_inclusive(|b| *b == b'\n') {
        writer.line(line, &mut out);
    }
    assert!(out.len() <= log.len(), "nothing is shown that was not written");
    assert!(limit_bytes.is_none_or(|limit| out.len() as u64 <= limit));
    assert!(!writer.is_full() || limit_bytes == Some(out.len() as u64));
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, log)) = data.split_first() else { return };
    read(log, *choice);
    let Ok(packed) = gzip::GzipReader::new(log) else { return };
    let mut unpacked = Vec::new();
    let _ = packed.take(MOST).read_to_end(&mut unpacked); // damaged somewhere: what came before it counts
    read(&unpacked, *choice);
});
