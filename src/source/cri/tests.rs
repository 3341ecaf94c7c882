use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{bounded, Sender};
use grpcio::RpcStatusCode;
use parking_lot::Mutex;
use protobuf::Message;

use super::fake_runtime::{not_ready, socket, FakeRuntime, Fault, Shown};
use super::*;
use crate::pod::observed::ContainerState;
use crate::proto::runtime as cri;
use crate::store::update::{Health, SourceId};
use crate::testdir::TestDir;

const WAIT: Duration = Duration::from_secs(20);

struct Running {
    updates: Receiver<Update>,
    hint: Sender<Nudge>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(every: Duration, locate: Locate) -> Self {
        let (tx, updates) = bounded(64);
        let (stop, stopped) = bounded(0);
        let (hint, hints) = bounded(1);
        let reporter = Reporter::new(SourceId::Runtime, tx, stopped);
        let thread = thread::spawn(move || run(reporter, locate, Box::new(|_| ()), every, hints));
        Self { updates, hint, stop: Some(stop), thread: Some(thread) }
    }

    fn at(path: &Path) -> Self {
        let path = path.to_path_buf();
        let sockets = move || Sockets { candidates: vec![path.clone()], expected: true };
        Self::start(Duration::from_millis(50), Box::new(sockets))
    }

    fn state(&self) -> Arc<RuntimeState> {
        loop {
            if let Update::Runtime(state) = self.updates.recv_timeout(WAIT).expect("a runtime state in time") {
                return state;
            }
        }
    }

    fn state_where(&self, good: impl Fn(&RuntimeState) -> bool) -> Arc<RuntimeState> {
        loop {
            let state = self.state();
            if good(&state) {
                return state;
            }
        }
    }

    fn health_where(&self, good: impl Fn(&Health) -> bool) -> Health {
        loop {
            match self.updates.recv_timeout(WAIT).expect("a health in time") {
                Update::Health(_, h) if good(&h) => return h,
                _ => {}
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

fn shown() -> Arc<Mutex<Shown>> {
    let mut s = Shown::default();
    s.sandbox("s1", "10.0.0.1");
    s.sandbox("s2", "10.0.0.2");
    s.container("c1", "s1", cri::ContainerState::CONTAINER_RUNNING);
    let over = s.container("c2", "s1", cri::ContainerState::CONTAINER_EXITED);
    over.exit_code = 3;
    over.finished_at = 5;
    Arc::new(Mutex::new(s))
}

/// Waits until `method` was called `n` more times.
fn calls(fake: &FakeRuntime, method: &str, n: u32) {
    let until = fake.with(|s| s.count(method)) + n;
    while fake.with(|s| s.count(method)) < until {
        thread::yield_now();
    }
}

#[test]
fn a_runtime_that_is_slow_to_take_a_connection_is_reached() {
    let t = TestDir::new();
    let (near, far) = (socket(&t), t.path("far"));
    let _fake = FakeRuntime::start(&far, &shown());
    let gate = UnixListener::bind(&near).unwrap();
    thread::spawn(move || {
        for taken in gate.incoming().map_while(Result::ok) {
            // Many times the shortest back-off, and a fraction of what a call may take.
            thread::sleep(Duration::from_millis(600));
            let Ok(through) = UnixStream::connect(&far) else { return };
            let (from, to) = (taken.try_clone().unwrap(), through.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut &from, &mut &to));
            thread::spawn(move || io::copy(&mut &through, &mut &taken));
        }
    });
    assert_eq!(Running::at(&near).state().sandboxes.len(), 2);
}

#[test]
fn only_what_changed_is_asked_about_and_told() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    let run = Running::at(&socket(&t));
    let first = run.state();
    assert_eq!((first.runtime_name.as_str(), first.sandboxes.len(), first.containers.len()), ("fake", 2, 2));
    assert_eq!(first.sandboxes[0].ips, ["10.0.0.1"]);
    assert_eq!((first.containers[1].state, first.containers[1].exit_code), (ContainerState::Exited, 3));
    calls(&fake, "ListContainers", 4);
    assert!(!run.updates.try_iter().any(|u| matches!(u, Update::Runtime(_))), "nothing new, nothing told");
    for call in ["PodSandboxStatus s1", "PodSandboxStatus s2", "ContainerStatus c1", "ContainerStatus c2"] {
        assert_eq!(fake.with(|s| s.count(call)), 1, "{call}");
    }
    fake.with(|s| {
        let c = s.container("c1", "s1", cri::ContainerState::CONTAINER_EXITED);
        c.finished_at = 9;
        c.reason = "Completed".into();
    });
    let second = run.state();
    assert_eq!(second.containers[0].reason, "Completed");
    assert!(Arc::ptr_eq(&first.containers[1], &second.containers[1]));
    assert!(Arc::ptr_eq(&first.sandboxes[0], &second.sandboxes[0]));
    assert_eq!(fake.with(|s| (s.count("ContainerStatus c1"), s.count("ContainerStatus c2"))), (2, 1));
    fake.with(|s| {
        s.sandboxes.remove("s2");
        s.sandbox("s1", "").state = not_ready();
    });
    let third = run.state();
    assert_eq!(third.sandboxes.len(), 1);
    assert!(!third.sandboxes[0].ready && third.sandboxes[0].ips.is_empty());
}

#[test]
fn what_was_incomplete_is_asked_for_again() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    fake.with(|s| {
        s.sandbox("s1", "");
        s.container("c2", "s1", cri::ContainerState::CONTAINER_EXITED).finished_at = 0;
    });
    let run = Running::at(&socket(&t));
    run.state();
    fake.with(|s| {
        s.sandbox("s1", "10.0.0.9");
        s.container("c2", "s1", cri::ContainerState::CONTAINER_EXITED).finished_at = 7;
    });
    run.state_where(|s| s.sandboxes[0].ips == ["10.0.0.9"] && s.containers[1].finished_at == 7);
}

#[test]
fn what_was_listed_and_not_found_is_asked_for_again() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    fake.with(|s| s.faults.insert("ContainerStatus", Fault::Status(RpcStatusCode::NOT_FOUND, "not yet")));
    let run = Running::at(&socket(&t));
    assert_eq!(run.state().containers.len(), 0);
    fake.with(|s| s.faults.clear()); // the lists stay as they were
    run.state_where(|s| s.containers.len() == 2);
}

#[test]
fn an_exit_code_that_was_not_told_is_none() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    fake.with(|s| s.faults.insert("ContainerStatus", Fault::Status(RpcStatusCode::UNKNOWN, "the shim is gone")));
    let run = Running::at(&socket(&t));
    let ended = |s: &RuntimeState| s.containers.iter().map(|c| c.end_unknown).collect::<Vec<_>>();
    assert_eq!(ended(&run.state()), [false, true], "one runs, one has ended somehow");
    fake.with(|s| s.faults.clear());
    let told = run.state_where(|s| ended(s) == [false, false]);
    assert_eq!((told.containers[1].exit_code, told.containers[1].finished_at), (3, 5));
    fake.with(|s| {
        s.faults.insert("ContainerStatus", Fault::Status(RpcStatusCode::UNKNOWN, "the shim is gone"));
        s.container("c1", "s1", cri::ContainerState::CONTAINER_EXITED).exit_code = 4;
    });
    let lost = run.state_where(|s| ended(s) == [true, false]);
    assert_eq!(lost.containers[1].exit_code, 3, "what has ended does not change");
    fake.with(|s| s.faults.clear());
    assert_eq!(run.state_where(|s| ended(s) == [false, false]).containers[0].exit_code, 4);
}

#[test]
fn a_restart_loses_nothing() {
    let t = TestDir::new();
    let shown = shown();
    let fake = FakeRuntime::start(&socket(&t), &shown);
    let run = Running::at(&socket(&t));
    run.health_where(|h| h.state == HealthState::Up);
    drop(fake);
    let down = run.health_where(|h| h.state == HealthState::Down);
    assert_eq!(down.target, socket(&t).to_string_lossy());
    shown.lock().container("c3", "s2", cri::ContainerState::CONTAINER_RUNNING);
    shown
        .lock()
        .faults
        .insert("ListPodSandbox", Fault::Status(RpcStatusCode::UNKNOWN, "server is not initialized yet"));
    let fake = FakeRuntime::start(&socket(&t), &shown);
    run.health_where(|h| h.state == HealthState::Down && h.error.contains("not initialized"));
    calls(&fake, "Version", 3);
    fake.with(|s| s.faults.clear());
    let state = run.state();
    assert_eq!((state.sandboxes.len(), state.containers.len()), (2, 3));
    run.health_where(|h| h.state == HealthState::Up && h.error.is_empty());
}

/// A good answer, were it not for a field that nobody knows and that is longer than what is read.
fn too_large() -> Fault {
    let length = 16 << 20;
    let mut bytes = vec![0; length + 6];
    bytes[..6].copy_from_slice(&[0x82, 0x06, 0x80, 0x80, 0x80, 0x08]); // field 96, 2^24 bytes
    Fault::Bytes(bytes)
}

#[test]
fn a_list_that_makes_no_sense_changes_nothing() {
    let garbage = [
        Fault::Bytes(b"\xff\xff\xff\xff".to_vec()),
        Fault::Bytes(b"\x0a\x00".to_vec()),
        Fault::NoMessage,
        Fault::Status(RpcStatusCode::UNIMPLEMENTED, ""),
        Fault::Status(RpcStatusCode::INTERNAL, "boom"),
        too_large(),
    ];
    for fault in garbage {
        let t = TestDir::new();
        let fake = FakeRuntime::start(&socket(&t), &shown());
        let run = Running::at(&socket(&t));
        run.health_where(|h| h.state == HealthState::Up);
        fake.with(|s| s.faults.insert("ListContainers", fault.clone()));
        run.health_where(|h| h.state == HealthState::Down && !h.error.is_empty());
        fake.with(|s| s.faults.clear());
        // A changed state would be told before the health.
        match run.updates.recv_timeout(WAIT) {
            Ok(Update::Health(_, h)) => assert!(h.state == HealthState::Up, "{fault:?}: {h:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
}

#[test]
fn one_bad_object_does_not_hide_the_others() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    fake.with(|s| s.sandbox("s2", "10.0.0.2").metadata = protobuf::MessageField::none());
    fake.with(|s| s.faults.insert("ContainerStatus", Fault::NoMessage));
    let run = Running::at(&socket(&t));
    let state = run.state();
    assert_eq!((state.sandboxes.len(), state.containers.len()), (1, 2));
    assert_eq!(state.containers[0].state, ContainerState::Running, "the list alone says as much");
    let up = run.health_where(|h| h.state == HealthState::Up);
    assert!(up.error.contains("no message (and 2 more)"), "{}", up.error);
    fake.with(|s| {
        s.sandbox("s2", "10.0.0.2");
        s.faults.clear();
    });
    // The complaint goes with the last of its reasons, so after the state that has it all.
    run.state_where(|s| s.sandboxes.len() == 2 && s.containers[1].exit_code == 3);
    run.health_where(|h| h.state == HealthState::Up && h.error.is_empty());
}

#[test]
fn a_call_that_hangs_ends_with_the_stop() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    fake.with(|s| s.faults.insert("ListPodSandbox", Fault::Hang));
    let run = Running::at(&socket(&t));
    while fake.with(|s| s.count("Status")) == 0 {
        thread::yield_now();
    }
    drop(run);
}

#[test]
fn a_slow_runtime_is_down_and_comes_back() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    let run = Running::at(&socket(&t));
    run.health_where(|h| h.state == HealthState::Up);
    fake.with(|s| s.faults.insert("ListPodSandbox", Fault::Hang));
    let down = run.health_where(|h| h.state == HealthState::Down);
    assert_eq!(down.error, "ListPodSandbox: no answer in time");
    fake.with(|s| s.faults.clear());
    run.health_where(|h| h.state == HealthState::Up);
}

#[test]
fn the_first_socket_with_a_runtime_is_taken() {
    let t = TestDir::new();
    let found = Arc::new(Mutex::new(Sockets::default()));
    let ask = Arc::clone(&found);
    let run = Running::start(Duration::from_millis(50), Box::new(move || ask.lock().clone()));
    run.health_where(|h| h.state == HealthState::Absent && h.error.contains("looked for"));
    let dead = t.path("dead.sock");
    let _fake = FakeRuntime::start(&socket(&t), &shown());
    found.lock().candidates = vec![dead, socket(&t)];
    let up = run.health_where(|h| h.state == HealthState::Up);
    assert_eq!(up.target, socket(&t).to_string_lossy());
}

#[test]
fn a_hint_brings_the_poll_forward() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    let path = socket(&t);
    let locate = move || Sockets { candidates: vec![path.clone()], expected: true };
    let run = Running::start(Duration::from_secs(3600), Box::new(locate));
    run.state();
    run.health_where(|h| h.state == HealthState::Up);
    fake.with(|s| s.container("c9", "s2", cri::ContainerState::CONTAINER_RUNNING).started_at = 1);
    run.hint.send(Nudge::Look).unwrap();
    assert_eq!(run.state().containers.len(), 3);
}

/// Answers of three containerd versions decode to what their JSON forms say.
#[test]
fn recorded_answers_of_containerd() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings-cri");
    for version in ["containerd-1.6", "containerd-1.7", "containerd-2.1"] {
        let read = |name: &str| std::fs::read(root.join(version).join(name)).unwrap();
        let digester = digest::Digester::default();
        let bytes = read("list-pod-sandbox.pb");
        let (items, _) = digester.items(&bytes).unwrap();
        assert_eq!(items.len(), 3, "{version}");
        for item in items {
            let listed = cri::PodSandbox::parse_from_bytes(item.bytes).unwrap();
            let name = listed.metadata.name.clone();
            let mut sandbox = convert::sandbox(listed).unwrap();
            let status = cri::PodSandboxStatusResponse::parse_from_bytes(&read(&format!("pod-{name}.pb"))).unwrap();
            convert::add_sandbox_status(&mut sandbox, status.status.unwrap());
            assert_eq!(sandbox.host_network, name == "agent-node1", "{version} {name}");
            assert_eq!(sandbox.ips.is_empty(), sandbox.host_network || !sandbox.ready, "{version} {name}");
        }
        let bytes = read("list-containers.pb");
        let (items, _) = digester.items(&bytes).unwrap();
        let mut seen = Vec::new();
        for item in items {
            let listed = cri::Container::parse_from_bytes(item.bytes).unwrap();
            let mut c = convert::container(listed).unwrap();
            let pod = c.labels.get("io.kubernetes.pod.name").cloned().unwrap();
            let file = format!("container-{pod}-{}-{}.pb", c.name, c.attempt);
            let status = cri::ContainerStatusResponse::parse_from_bytes(&read(&file)).unwrap();
            convert::add_container_status(&mut c, status.status.unwrap());
            seen.push((c.name, c.attempt, c.state, c.exit_code, c.reason));
        }
        seen.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let got: Vec<_> = seen.iter().map(|(n, a, s, e, r)| (n.as_str(), *a, *s, *e, r.as_str())).collect();
        use ContainerState::{Created, Exited, Running};
        let want = [
            ("agent", 0, Running, 0, ""),
            ("app", 0, Running, 0, ""),
            ("created", 0, Created, 0, ""),
            ("flaky", 0, Exited, 3, "Error"),
            ("flaky", 1, Running, 0, ""),
            ("main", 0, Exited, 0, "Completed"),
            ("oom", 0, Exited, 137, "OOMKilled"),
        ];
        assert_eq!(got, want, "{version}");
    }
}

#[test]
fn a_slow_runtime_is_asked_in_portions_and_in_turn() {
    let t = TestDir::new();
    let shown = shown();
    {
        let mut s = shown.lock();
        for i in 0..18 {
            s.container(&format!("x{i:02}"), "s1", cri::ContainerState::CONTAINER_RUNNING).started_at = 7;
        }
        s.slow = Duration::from_millis(20);
    }
    let fake = FakeRuntime::start(&socket(&t), &shown);
    let (_stop, stopped) = bounded(0);
    let client = Client::new(Arc::new(EnvBuilder::new().cq_count(1).build()), &socket(&t), stopped);
    let mut inventory = Inventory::within(Duration::from_millis(100));
    let asked = || fake.with(|s| s.count("PodSandboxStatus") + s.count("ContainerStatus"));
    let version = cri::VersionResponse::new();
    assert!(inventory.poll(&client).unwrap() && inventory.is_behind());
    let first = inventory.state(&version, &[]);
    assert_eq!(
        (first.sandboxes.len(), first.containers.len()),
        (2, 20),
        "what was not reached is there as it is listed"
    );
    assert!(asked() < 22);
    let unknown = first.containers.iter().filter(|c| c.started_at == 0).count();
    let again = fake.with(|s| s.count("ContainerStatus c1")); // had it been its turn already?
                                                              // One that changes meanwhile waits for those that have waited longer.
    fake.with(|s| s.container("c1", "s1", cri::ContainerState::CONTAINER_EXITED).finished_at = 9);
    let mut polls = 1;
    while inventory.is_behind() {
        inventory.poll(&client).unwrap();
        polls += 1;
        assert!(polls <= 22, "each poll gets on by one at least");
    }
    let last = inventory.state(&version, &[]);
    assert!(unknown > 0 && last.containers.iter().filter(|c| c.id.starts_with('x')).all(|c| c.started_at == 7));
    assert_eq!(last.containers[0].finished_at, 9);
    assert_eq!(asked(), 22 + again, "each once, and the changed one after its change");
    assert!(!inventory.poll(&client).unwrap());
    assert_eq!(asked(), 22 + again);
}

#[test]
fn a_container_that_is_about_to_end_is_waited_for() {
    let t = TestDir::new();
    let fake = FakeRuntime::start(&socket(&t), &shown());
    let path = socket(&t);
    let sockets = move || Sockets { candidates: vec![path.clone()], expected: true };
    let run = Running::start(Duration::from_secs(3600), Box::new(sockets));
    run.state();
    run.hint.send(Nudge::Ended("c1".into())).unwrap();
    calls(&fake, "ContainerStatus", 2);
    fake.with(|s| s.container("c1", "s1", cri::ContainerState::CONTAINER_EXITED).finished_at = 9);
    // On a slow machine its patience may have ended before.
    while run.updates.is_empty() {
        let _ = run.hint.try_send(Nudge::Ended("c1".into()));
        thread::yield_now();
    }
    assert_eq!(run.state_where(|s| s.containers[0].state == ContainerState::Exited).containers[0].finished_at, 9);
    run.hint.send(Nudge::Ended("no such container".into())).unwrap();
    calls(&fake, "ListContainers", 1);
}
