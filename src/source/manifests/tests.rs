use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{bounded, Receiver, Sender};

use super::*;
use crate::pod::manifest::Manifest;
use crate::testdir::TestDir;

/// A stand-in for the real reader: `name: X` is a good manifest, all else is broken.
fn reader(origin: &str, bytes: &[u8]) -> ManifestFile {
    let name = std::str::from_utf8(bytes).ok().and_then(|t| t.strip_prefix("name: ")).map(str::trim);
    let finding = Finding {
        file: origin.into(),
        pod: None,
        line: 1,
        column: 1,
        field: "metadata.name".into(),
        severity: Severity::Error,
        reason: "Broken",
        message: "broken".into(),
    };
    ManifestFile {
        origin: origin.into(),
        pod: name.map(|name| {
            Manifest {
                name: name.into(),
                namespace: "default".into(),
                uid: None,
                metadata: Vec::new(),
                spec: Vec::new(),
            }
            .into()
        }),
        stale: false,
        findings: if name.is_none() { vec![finding] } else { Vec::new() },
    }
}

struct Running {
    updates: Receiver<Update>,
    reread: Sender<()>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(path: &Path, every: Duration) -> Self {
        Self::remembering(path, every, BTreeMap::new())
    }

    fn remembering(path: &Path, every: Duration, remembered: BTreeMap<String, Arc<Manifest>>) -> Self {
        let (tx, updates) = bounded(64);
        let (stop, stopped) = bounded(0);
        let path = path.to_path_buf();
        let (reread, rereads) = bounded(1);
        let reporter = Reporter::new(SourceId::File, tx, stopped);
        let locate: Locate = Box::new(move || Some(path.clone()));
        let thread = thread::spawn(move || run(reporter, locate, every, rereads, reader, remembered));
        Self { updates, reread, stop: Some(stop), thread: Some(thread) }
    }

    /// Waits for the state in which the pods are exactly these; a stale one is written `name!`.
    fn expect(&self, want: &[&str]) -> Vec<ManifestFile> {
        let mut seen = Vec::new();
        loop {
            match self.updates.recv_timeout(Duration::from_secs(10)) {
                Ok(Update::Manifests { files, .. }) => {
                    let got = names(&files);
                    if got == want {
                        return files;
                    }
                    seen.push(got);
                }
                Ok(_) => {}
                Err(e) => panic!("waited for {want:?}, saw {seen:?}: {e}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn names(files: &[ManifestFile]) -> Vec<String> {
    let pods = files.iter().filter_map(|f| Some((f.pod.as_ref()?, f.stale)));
    pods.map(|(p, stale)| format!("{}{}", p.name, if stale { "!" } else { "" })).collect()
}

/// No re-read comes in time: whatever shows was seen by inotify.
const NEVER: Duration = Duration::from_secs(3600);

fn put(path: &Path, name: &str) {
    let new = path.with_file_name(format!(".{name}.new"));
    fs::write(&new, format!("name: {name}\n")).unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn a_former_run_stands_in_for_what_is_broken_now() {
    let dir = TestDir::new();
    fs::write(dir.path("a"), "name: a").unwrap();
    fs::write(dir.path("b"), "!").unwrap();
    let good = |path: &str, name: &str| {
        let origin = dir.path(path).to_string_lossy().into_owned();
        let manifest = reader(&origin, format!("name: {name}").as_bytes()).pod.unwrap();
        (origin, manifest)
    };
    let remembered = BTreeMap::from([good("a", "old"), good("b", "b"), good("c", "c")]);
    let source = Running::remembering(&dir.path(""), Duration::from_secs(3600), remembered);
    source.expect(&["a", "b!"]);
    // The file of the third one was gone: what comes in its place later is something else.
    fs::write(dir.path("c"), "!").unwrap();
    fs::write(dir.path("d"), "name: d").unwrap();
    source.expect(&["a", "b!", "d"]);
}

#[test]
fn which_entries_count() {
    let t = TestDir::new();
    let d = t.path("m");
    fs::create_dir_all(d.join("sub")).unwrap();
    for (file, pod) in [("b.yaml", "b"), ("a", "a"), ("c.bak~", "c"), (".hidden.yaml", "h"), ("sub/x.yaml", "x")] {
        fs::write(d.join(file), format!("name: {pod}")).unwrap();
    }
    fs::write(t.path("elsewhere"), "name: linked").unwrap();
    symlink(t.path("elsewhere"), d.join("z.yaml")).unwrap();
    symlink(d.join("sub"), d.join("linkdir")).unwrap();
    let big = fs::File::create(d.join("big.json")).unwrap();
    big.set_len(scan::MAX_BYTES + 1).unwrap();
    let run = Running::start(&d, NEVER);
    let files = run.expect(&["a", "b", "c", "linked"]);
    let findings: Vec<String> = files.iter().flat_map(|f| &f.findings).map(ToString::to_string).collect();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("big.json") && findings[0].contains("10 MiB"), "{findings:?}");
}

#[test]
fn files_come_change_break_and_go() {
    let t = TestDir::new();
    let d = t.path("m");
    fs::create_dir(&d).unwrap();
    let run = Running::start(&d, NEVER);
    run.expect(&[]);
    put(&d.join("one.yaml"), "one");
    run.expect(&["one"]);
    fs::write(d.join("two.yaml"), "name: two").unwrap();
    run.expect(&["one", "two"]);
    fs::write(d.join("two.yaml"), "nonsense").unwrap();
    let files = run.expect(&["one", "two!"]);
    assert_eq!(
        files[1].findings[0].to_string(),
        format!("{}:1:1: metadata.name: broken", d.join("two.yaml").display())
    );
    fs::write(d.join("two.yaml"), "name: second").unwrap();
    run.expect(&["one", "second"]);
    fs::rename(d.join("one.yaml"), d.join("three.yaml")).unwrap();
    let files = run.expect(&["one", "second"]);
    assert!(files[0].origin.ends_with("three.yaml"), "{files:?}");
    fs::remove_file(d.join("three.yaml")).unwrap();
    run.expect(&["second"]);
    fs::hard_link(d.join("two.yaml"), d.join("link")).unwrap();
    let files = run.expect(&["second"]);
    assert_eq!(files[0].findings[0].reason, "DuplicatePod", "a second name of the same file");
    fs::remove_file(d.join("link")).unwrap();
    run.expect(&["second"]);
    fs::rename(d.join("two.yaml"), t.path("away")).unwrap();
    run.expect(&[]);
}

#[test]
fn a_path_that_comes_and_goes_with_its_parents() {
    let t = TestDir::new();
    let d = t.path("a/b/m");
    let run = Running::start(&d, NEVER);
    assert!(
        matches!(run.updates.recv(), Ok(Update::Health(_, h)) if h.state == HealthState::Starting && h.error.contains("does not exist"))
    );
    run.expect(&[]);
    fs::create_dir_all(&d).unwrap();
    put(&d.join("one"), "one");
    run.expect(&["one"]);
    fs::remove_dir_all(&d).unwrap();
    run.expect(&[]);
    fs::create_dir(&d).unwrap();
    put(&d.join("two"), "two");
    run.expect(&["two"]);
    fs::rename(t.path("a"), t.path("away")).unwrap();
    run.expect(&[]);
    fs::rename(t.path("away"), t.path("a")).unwrap();
    run.expect(&["two"]);
    fs::remove_dir_all(t.path("a")).unwrap();
    run.expect(&[]);
    fs::create_dir_all(&d).unwrap();
    put(&d.join("three"), "three");
    run.expect(&["three"]);
}

#[test]
fn links_that_are_swapped() {
    let t = TestDir::new();
    for (dir, pod) in [("v1", "old"), ("v2", "new"), ("other", "far")] {
        fs::create_dir_all(t.path("m").join(dir)).unwrap();
        fs::write(t.path("m").join(dir).join("pod.yaml"), format!("name: {pod}")).unwrap();
    }
    let m = t.path("m");
    symlink("v1", m.join("..data")).unwrap();
    symlink("..data/pod.yaml", m.join("pod.yaml")).unwrap();
    symlink(&m, t.path("link")).unwrap();
    let run = Running::start(&t.path("link"), NEVER);
    run.expect(&["old"]);
    symlink("v2", m.join("..data_tmp")).unwrap();
    fs::rename(m.join("..data_tmp"), m.join("..data")).unwrap();
    run.expect(&["new"]);
    symlink(m.join("other"), t.path("link.new")).unwrap();
    fs::rename(t.path("link.new"), t.path("link")).unwrap();
    run.expect(&["far"]);
    fs::remove_file(t.path("link")).unwrap();
    run.expect(&[]);
}

#[test]
fn one_file_as_path() {
    let t = TestDir::new();
    let f = t.path("pod.yaml");
    put(&f, "one");
    let run = Running::start(&f, NEVER);
    run.expect(&["one"]);
    put(&f, "two");
    run.expect(&["two"]);
    fs::write(&f, "name: three").unwrap();
    run.expect(&["three"]);
    fs::remove_file(&f).unwrap();
    run.expect(&[]);
}

#[test]
fn two_files_with_one_pod() {
    let t = TestDir::new();
    fs::write(t.path("a.yaml"), "name: same").unwrap();
    fs::write(t.path("b.yaml"), "name: same").unwrap();
    let run = Running::start(&t.path(""), NEVER);
    let files = run.expect(&["same"]);
    assert!(files[0].pod.is_none() && files[1].pod.is_some());
    assert_eq!(files[0].findings[0].reason, "DuplicatePod");
    assert_eq!(files[1].findings[0].severity, Severity::Warning);
    fs::write(t.path("b.yaml"), "broken").unwrap();
    let files = run.expect(&["same"]);
    assert!(files[0].pod.is_some(), "a good file wins over the last good version of a broken one");
    fs::remove_file(t.path("a.yaml")).unwrap();
    run.expect(&["same!"]);
}

#[test]
fn what_inotify_cannot_see_shows_at_the_re_read() {
    let t = TestDir::new();
    fs::write(t.path("target"), "name: one").unwrap();
    fs::create_dir(t.path("m")).unwrap();
    symlink(t.path("target"), t.path("m/pod.yaml")).unwrap();
    let run = Running::start(&t.path("m"), Duration::from_millis(50));
    run.expect(&["one"]);
    // The directory sees nothing of this.
    fs::write(t.path("target"), "name: two").unwrap();
    run.expect(&["two"]);
    fs::remove_file(t.path("target")).unwrap();
    let files = run.expect(&["two!"]);
    assert!(files[0].findings[0].message.contains("link leads to a file that does not exist"));
}

#[test]
fn a_re_read_that_is_asked_for() {
    let t = TestDir::new();
    fs::write(t.path("target"), "name: one").unwrap();
    fs::create_dir(t.path("m")).unwrap();
    symlink(t.path("target"), t.path("m/pod.yaml")).unwrap();
    let run = Running::start(&t.path("m"), NEVER);
    run.expect(&["one"]);
    fs::write(t.path("target"), "name: other").unwrap();
    run.reread.send(()).unwrap();
    run.expect(&["other"]);
}

#[test]
fn full_looks_go_on_without_a_reader_of_events() {
    let t = TestDir::new();
    let (tx, updates) = bounded(64);
    let (stop, stopped) = bounded(0);
    let (reread, rereads) = bounded(1);
    let path = t.path("");
    let mut source = Manifests {
        reporter: Reporter::new(SourceId::File, tx, stopped),
        locate: Box::new(move || Some(path.clone())),
        every: Duration::from_secs(3600),
        reread: rereads,
        cache: Cache::new(reader, BTreeMap::new()),
        path: None,
        existed: false,
        watch: None,
        watch_failed: true,
        writing: HashMap::new(),
        passed_over: Vec::new(),
        touched: HashSet::new(),
        sent: None,
    };
    let (reader_of_events, batches) = bounded(1);
    drop(reader_of_events);
    let thread = thread::spawn(move || {
        let Stopped = source.work(&batches);
    });
    let running = Running { updates, reread, stop: Some(stop), thread: Some(thread) };
    running.expect(&[]);
    put(&t.path("a.yaml"), "a");
    running.reread.send(()).unwrap();
    running.expect(&["a"]);
}

#[test]
fn lost_events_mean_a_look_at_everything() {
    let events = Events::start().unwrap();
    let watch = PathWatch::new(events.watches.clone());
    let wd = events.watches.clone().add("/", inotify::WatchMask::DELETE_SELF).unwrap();
    assert_eq!(watch.meaning(&wd, inotify::EventMask::Q_OVERFLOW, None), Meaning::Everything);
    assert_eq!(watch.meaning(&wd, inotify::EventMask::MODIFY, None), Meaning::Nothing);
    drop(events.batches);
    assert!(watch.wake_reader());
    events.thread.join().unwrap();
}

#[test]
fn a_storm_of_writes_ends_in_the_last_state() {
    let t = TestDir::new();
    let run = Running::start(&t.path(""), NEVER);
    run.expect(&[]);
    let names: Vec<PathBuf> = (0..20).map(|i| t.path(&format!("f{i:02}"))).collect();
    for round in 0..30 {
        for (i, path) in names.iter().enumerate() {
            fs::write(path, format!("name: p{i:02}-{round}")).unwrap();
        }
    }
    let want: Vec<String> = (0..20).map(|i| format!("p{i:02}-29")).collect();
    run.expect(&want.iter().map(String::as_str).collect::<Vec<_>>());
}
