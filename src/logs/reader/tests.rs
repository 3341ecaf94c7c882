use super::super::files::LogPlace;
use super::*;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// A log directory of one pod, removed at the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("nodepods-logs-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("default_web_u1/main")).unwrap();
        Self(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join("default_web_u1/main").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let file = OpenOptions::new().append(true).create(true).open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn find_in(&self, container: &str, previous: bool) -> Result<LogFiles, LogError> {
        let uids = ["other".to_owned(), "u1".to_owned()];
        let place = LogPlace { root: &self.0, namespace: "default", pod: "web", uids: &uids, container };
        LogFiles::find(&place, previous)
    }

    fn open(&self, tail: Option<u64>) -> LogReader {
        LogReader::open(self.find_in("main", false).unwrap(), tail).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rest(reader: &mut LogReader) -> String {
    let (mut all, mut line) = (String::new(), Vec::new());
    while reader.next_line(&mut line).unwrap() {
        all.push_str(std::str::from_utf8(&line).unwrap());
    }
    all
}

/// `printf 'one\ntwo\n' | gzip -n`
const ONE_TWO: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\xcf\x4b\xe5\x2a\x29\xcf\xe7\x02\0\xe6\x0b\xba\x12\x08\0\0\0";

#[test]
fn rotated_and_compressed_files_come_first() {
    let place = Place::new();
    fs::write(place.path("0.log.20240101-000000.gz"), ONE_TWO).unwrap();
    fs::write(place.path("0.log.20240102-000000.gz"), "half written").unwrap();
    place.append("0.log.20240102-000000", "three\nfour\n");
    place.append("0.log", "five\nsix\n");
    place.append("0.log.tmp", "rubbish\n");
    place.append("1.log.x", "rubbish\n");
    let all = ["one\n", "two\n", "three\n", "four\n", "five\n", "six\n"];
    assert_eq!(rest(&mut place.open(None)), all.concat());
    for tail in 0..=7 {
        let want = all[all.len().saturating_sub(tail)..].concat();
        assert_eq!(rest(&mut place.open(Some(tail as u64))), want, "the last {tail}");
    }
}

#[test]
fn tails_of_long_files() {
    let place = Place::new();
    let lines: Vec<String> = (0..9000).map(|n| format!("line {n} {}\n", "x".repeat(n % 50))).collect();
    place.append("0.log", &lines.concat());
    for tail in [1, 2, 700, 8999, 9000, 9001] {
        let want = lines[lines.len().saturating_sub(tail)..].concat();
        assert_eq!(rest(&mut place.open(Some(tail as u64))), want, "the last {tail}");
    }
}

#[test]
fn a_growing_file_is_followed_over_its_rotation() {
    let place = Place::new();
    place.append("0.log", "one\ntw");
    let mut reader = place.open(None);
    assert_eq!(rest(&mut reader), "one\n");
    place.append("0.log", "o\n");
    assert_eq!(rest(&mut reader), "two\n");
    place.append("0.log", "three\n");
    fs::rename(place.path("0.log"), place.path("0.log.20240101-000000")).unwrap();
    assert_eq!(rest(&mut reader), "three\n");
    place.append("0.log", "four\n");
    assert_eq!(rest(&mut reader), "four\n");
}

#[test]
fn what_was_written_right_before_a_rotation_is_not_lost() {
    let place = Place::new();
    place.append("0.log", "one\n");
    let mut reader = place.open(None);
    assert_eq!(rest(&mut reader), "one\n");
    // After the reader has come to the end of the file, and before it looks whether there is another one.
    place.append("0.log", "two\n");
    fs::rename(place.path("0.log"), place.path("0.log.20240101-000000")).unwrap();
    place.append("0.log", "three\n");
    assert!(reader.turn_over().unwrap());
    assert_eq!(rest(&mut reader), "two\nthree\n");
}

#[test]
fn the_end_of_a_log_is_looked_for_when_it_is_read_and_not_when_it_is_opened() {
    let place = Place::new();
    place.append("0.log", "one\ntwo\n");
    let mut reader = place.open(Some(1));
    place.append("0.log", "three\n");
    assert_eq!(rest(&mut reader), "three\n", "opening is for threads that others wait for");
}

#[test]
fn a_file_that_is_rotated_while_the_log_is_opened_counts_once() {
    let place = Place::new();
    place.append("0.log.20240101-000000", "one\n");
    fs::hard_link(place.path("0.log.20240101-000000"), place.path("0.log")).unwrap();
    for tail in [None, Some(5)] {
        assert_eq!(rest(&mut place.open(tail)), "one\n");
    }
}

#[test]
fn instances() {
    let place = Place::new();
    assert!(matches!(place.find_in("main", false), Err(LogError::NotFound)));
    place.append("9.log", "old\n");
    assert!(matches!(place.find_in("main", true), Err(LogError::NotFound)));
    place.append("10.log", "new\n");
    assert_eq!(place.find_in("main", false).unwrap().instance(), 10);
    assert_eq!(place.find_in("main", true).unwrap().instance(), 9);
    assert!(matches!(place.find_in("side", false), Err(LogError::NotFound)));
}

#[test]
fn nothing_outside_the_directory_of_the_pod_is_read() {
    let place = Place::new();
    for container in ["", ".", "..", "../../x", "a/b"] {
        assert!(matches!(place.find_in(container, false), Err(LogError::Outside(_))), "{container}");
    }
    let secret = place.0.join("secret");
    fs::write(&secret, "secret\n").unwrap();
    std::os::unix::fs::symlink(&secret, place.path("0.log")).unwrap();
    let files = place.find_in("main", false).unwrap();
    assert!(matches!(LogReader::open(files, None), Err(LogError::Outside(_))));
    let elsewhere = place.0.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("0.log"), "secret\n").unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.0.join("default_web_u1/side")).unwrap();
    let files = place.find_in("side", false).unwrap();
    assert!(matches!(LogReader::open(files, None), Err(LogError::Outside(_))));
    fs::create_dir(place.path("1.log")).unwrap();
    let files = place.find_in("main", false).unwrap();
    assert!(matches!(LogReader::open(files, None), Err(LogError::Outside(_))));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever stands in the files, reading ends, and a tail is the end of the whole.
    #[test]
    fn any_bytes_in_any_file(
        rotated in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        zipped in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
        lines in proptest::collection::vec("[ -~é]{0,40}", 0..12),
        tail in 0_u64..6,
    ) {
        let place = Place::new();
        fs::write(place.path("0.log.20260102-030405"), &rotated).unwrap();
        fs::write(place.path("0.log.20260102-030404.gz"), &zipped).unwrap();
        fs::write(place.path("0.log"), lines.iter().map(|l| format!("{l}\n")).collect::<String>()).unwrap();
        let read = |tail| {
            let (mut reader, mut line, mut all) = (place.open(tail), Vec::new(), Vec::new());
            while reader.next_line(&mut line).unwrap_or(false) {
                all.push(line.clone());
            }
            all
        };
        let (whole, end) = (read(None), read(Some(tail)));
        proptest::prop_assert!(end.len() as u64 <= tail);
        if whole.len() as u64 >= tail && lines.len() as u64 >= tail {
            proptest::prop_assert!(whole.ends_with(&end));
        }
    }
}
