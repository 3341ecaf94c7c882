//! The lines of a log, over rotated files and while it grows.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::files::{LogError, LogFiles};
use super::gzip::GzipReader;
use crate::sys::file_id::FileId;

/// Runtimes cut at 16 KiB; what comes behind this is taken for another line.
const LONGEST: u64 = 256 * 1024;
const BLOCK: usize = 32 * 1024;

/// Reads the log of one instance of a container from the oldest line that is wanted.
pub struct LogReader {
    files: LogFiles,
    /// Rotated files that are still to be read, and how many lines of the first one are not wanted.
    rotated: VecDeque<PathBuf>,
    skip: u64,
    /// How many lines of the end are wanted, until they were looked for.
    tail: Option<u64>,
    now: Option<Box<dyn BufRead + Send>>,
    /// The file that the runtime writes, and what it was when it was opened.
    current: Option<(BufReader<File>, FileId)>,
    /// The file that was seen in its place. Until then the runtime may have written to the old one.
    successor: Option<FileId>,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
}

impl LogReader {
    /// Opens the log; with `tail` its last so many lines are read. This is quick: they are looked for when the first of
    /// them is read, which takes long where they are many gigabytes.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn open(files: LogFiles, tail: Option<u64>) -> Result<Self, LogError> {
        let path = files.current();
        let file = files.open(&path)?;
        let id = FileId::of_fd(file.as_raw_fd()).map_err(|e| LogError::Io(path, e))?;
        let mut rotated: VecDeque<PathBuf> = files.rotated()?.into();
        // It may have been rotated since it was opened: then it is read as what it was.
        rotated.retain(|path| FileId::of_path(path).ok() != Some(id));
        let current = Some((BufReader::with_capacity(BLOCK, file), id));
        Ok(Self { files, rotated, skip: 0, tail, now: None, current, successor: None, partial: Vec::new() })
    }

    /// Goes to where the last so many lines begin.
    fn go_to_tail(&mut self, wanted: u64) -> Result<(), LogError> {
        let Some((file, _)) = &mut self.current else { return Ok(()) };
        let failed = |e| LogError::Io(self.files.current(), e);
        let (offset, mut missing) = tail_of(file.get_mut(), wanted).map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut needed = 0; // of the rotated files, from the newest
        for path in self.rotated.iter().rev() {
            if missing == 0 {
                break;
            }
            let lines = open_rotated(&self.files, path)?.map_or(0, count);
            needed += 1;
            self.skip = lines.saturating_sub(missing);
            missing = missing.saturating_sub(lines);
        }
        self.rotated.drain(..self.rotated.len() - needed);
        Ok(())
    }

    /// Which instance of the container it is.
    #[must_use]
    pub fn instance(&self) -> u64 {
        self.files.instance()
    }

    /// Puts the next line into `line`, with its line break; false where there is none, for now. Where the runtime has
    /// begun another file, that is gone on with.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, LogError> {
        line.clear();
        if let Some(wanted) = self.tail.take() {
            self.go_to_tail(wanted)?;
        }
        loop {
            if let Some(now) = &mut self.now {
                match now.by_ref().take(LONGEST).read_until(b'\n', line) {
                    Ok(1..) if self.skip == 0 => return Ok(true),
                    Ok(1..) => self.skip -= 1,
                    Ok(0) => self.now = None,
                    Err(e) => {
                        log::warn!(
                            "{}: a rotated log is broken: {e}; going on behind it",
                            self.files.current().display()
                        );
                        self.now = None;
                    }
                }
                line.clear();
                continue;
            }
            let Some(path) = self.rotated.pop_front() else { break };
            self.now = open_rotated(&self.files, &path)?;
        }
        self.skip = 0;
        self.next_of_current(line)
    }

    fn next_of_current(&mut self, line: &mut Vec<u8>) -> Result<bool, LogError> {
        loop {
            if let Some((file, _)) = &mut self.current {
                let room = LONGEST.saturating_sub(self.partial.len() as u64);
                let read = file.by_ref().take(room).read_until(b'\n', &mut self.partial);
                read.map_err(|e| LogError::Io(self.files.current(), e))?;
                if self.partial.ends_with(b"\n") || self.partial.len() as u64 >= LONGEST {
                    std::mem::swap(line, &mut self.partial);
                    self.partial.clear();
                    return Ok(true);
                }
            }
            if !self.turn_over()? {
                return Ok(false);
            }
        }
    }

    /// Goes on with the file at the path where it is another one than before; true where there may be more to read.
    /// The old one has been read to its end then since the new one was seen.
    fn turn_over(&mut self) -> Result<bool, LogError> {
        let path = self.files.current();
        let now = FileId::of_path(&path).ok();
        if now.is_none() || now == self.current.as_ref().map(|(_, id)| *id) {
            return Ok(false); // not rotated, or between two files
        }
        if std::mem::replace(&mut self.successor, now) != now {
            return Ok(true);
        }
        match self.files.open(&path) {
            Ok(file) => {
                let id = FileId::of_fd(file.as_raw_fd()).map_err(|e| LogError::Io(path, e))?;
                self.current = Some((BufReader::with_capacity(BLOCK, file), id));
                self.partial.clear();
                Ok(true)
            }
            Err(LogError::NotFound) => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// A rotated file; none where the kubelet has removed it meanwhile or it is broken: the rest of the log is still good.
fn open_rotated(files: &LogFiles, path: &Path) -> Result<Option<Box<dyn BufRead + Send>>, LogError> {
    let file = match files.open(path) {
        Ok(file) => BufReader::with_capacity(BLOCK, file),
        Err(LogError::NotFound) => return Ok(None),
        Err(e) => return Err(e),
    };
    if path.extension().is_none_or(|e| e != "gz") {
        return Ok(Some(Box::new(file)));
    }
    match GzipReader::new(file) {
        Ok(unpacked) => Ok(Some(Box::new(BufReader::with_capacity(BLOCK, unpacked)))),
        Err(e) => {
            log::warn!("{}: a rotated log is broken: {e}; going on behind it", path.display());
            Ok(None)
        }
    }
}

/// Where the last `wanted` lines of a file begin, and how many there are too few.
fn tail_of(file: &mut File, wanted: u64) -> io::Result<(u64, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    if wanted == 0 {
        return Ok((length, 0));
    }
    let mut block = vec![0; BLOCK];
    let (mut end, mut breaks) = (length, 0);
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let piece = block.get_mut(..(end - start) as usize).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        for (at, _) in piece.iter().enumerate().rev().filter(|(_, b)| **b == b'\n') {
            let behind = start + at as u64 + 1;
            // The break at the very end of the file ends its last line; each other one begins a line.
            if behind < length {
                breaks += 1;
                if breaks == wanted {
                    return Ok((behind, 0));
                }
            }
        }
        end = start;
    }
    let lines = if length == 0 { 0 } else { breaks + 1 };
    Ok((0, wanted - lines))
}

/// Lines of a file, up to where it is broken; the last one may have no line break.
fn count(mut file: Box<dyn BufRead + Send>) -> u64 {
    let (mut lines, mut open) = (0, false);
    loop {
        let piece = match file.fill_buf() {
            Ok([]) => return lines + u64::from(open),
            Ok(piece) => piece,
            Err(_) => return lines,
        };
        lines += piece.iter().filter(|b| **b == b'\n').count() as u64;
        open = piece.last() != Some(&b'\n');
        let n = piece.len();
        file.consume(n);
    }
}

#[cfg(test)]
mod tests;
