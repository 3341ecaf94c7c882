//! The engine against what a watch promises, over random changes and reads; and broken engines, which must be found.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use super::*;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// The pod is there in a new version.
    Put(u8),
    Remove(u8),
    /// The client takes this many events.
    Read(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u8..6).prop_map(Step::Put),
        2 => (0u8..6).prop_map(Step::Remove),
        // A pod that changes all the time.
        2 => Just(Step::Put(0)),
        4 => (1u8..4).prop_map(Step::Read),
    ];
    proptest::collection::vec(step, 1..60)
}

trait Engine {
    fn next(&mut self, current: &Snapshot) -> Option<Event>;
}

impl<V: View> Engine for Watcher<V> {
    fn next(&mut self, current: &Snapshot) -> Option<Event> {
        Watcher::next(self, current)
    }
}

/// Selects pods by their revision and shows a part of it, as a selector and a mask do.
struct Some3;

impl View for Some3 {
    fn selects(&self, pod: &PodEntry) -> bool {
        pod.revision % 3 != 0
    }

    fn news(&self, pod: &PodEntry) -> News {
        News::of(pod.revision / 4)
    }
}

/// What is true, and what the client was told.
struct Model<V> {
    view: V,
    store: BTreeMap<String, Arc<PodEntry>>,
    revision: u64,
    told: BTreeMap<String, Arc<PodEntry>>,
    synced: bool,
    /// Pods that the client has to be told before the marker: those that were there at the first read and stayed.
    first: Option<BTreeSet<String>>,
    /// Events of other pods since this pod began to differ from what the client was told.
    passed_by: BTreeMap<String, BTreeMap<String, usize>>,
}

impl<V: View> Model<V> {
    fn new(view: V) -> Self {
        Self {
            view,
            store: BTreeMap::new(),
            revision: 0,
            told: BTreeMap::new(),
            synced: false,
            first: None,
            passed_by: BTreeMap::new(),
        }
    }

    fn read(&mut self, engine: &mut dyn Engine) -> Result<bool, String> {
        let shown = self.store.values().filter(|p| self.view.selects(p)).map(|p| p.id.uid.clone());
        if self.first.is_none() {
            self.first = Some(shown.collect());
        }
        let event = engine.next(&self.snapshot());
        event.map_or(Ok(false), |event| self.hear(&event).map(|()| true))
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { pods: self.store.values().cloned().collect(), ..Snapshot::empty(self.revision) }
    }

    fn shown(&self, uid: &str) -> Option<&Arc<PodEntry>> {
        self.store.get(uid).filter(|p| self.view.selects(p))
    }

    fn differs(&self, uid: &str) -> bool {
        let news = |p: Option<&Arc<PodEntry>>| p.map(|p| self.view.news(p));
        news(self.shown(uid)) != news(self.told.get(uid))
    }

    fn note_differences(&mut self) {
        let uids: BTreeSet<String> = self.store.keys().chain(self.told.keys()).cloned().collect();
        for uid in &uids {
            if self.differs(uid) {
                self.passed_by.entry(uid.clone()).or_default();
            }
        }
        let differing: Vec<_> = self.passed_by.keys().filter(|uid| !self.differs(uid)).cloned().collect();
        for uid in differing {
            self.passed_by.remove(&uid);
        }
    }

    fn change(&mut self, step: &Step) {
        self.revision += 1;
        match step {
            Step::Put(n) => {
                let uid = format!("u{n}");
                self.store.insert(uid.clone(), pod(&uid, self.revision));
            }
            Step::Remove(n) => {
                self.store.remove(&format!("u{n}"));
            }
            Step::Read(_) => {}
        }
        let stayed = self.first.iter().flatten().filter(|uid| self.shown(uid).is_some()).cloned().collect();
        self.first = self.first.is_some().then_some(stayed);
        self.note_differences();
    }

    /// Checks one event and takes it over.
    fn hear(&mut self, event: &Event) -> Result<(), String> {
        let uid = match event {
            Event::InitialSyncComplete if self.synced => return Err("a second marker".into()),
            Event::InitialSyncComplete => {
                let missing = self.first.iter().flatten().find(|uid| !self.told.contains_key(*uid));
                if let Some(uid) = missing {
                    return Err(format!("the marker before {uid}"));
                }
                self.synced = true;
                return Ok(());
            }
            Event::Added(p) | Event::Modified(p) => p.id.uid.clone(),
            Event::Deleted(id) => id.uid.clone(),
        };
        if !self.synced && !matches!(event, Event::Added(_)) {
            return Err(format!("{} before the marker", line(event)));
        }
        let before = self.told.get(&uid).cloned();
        match (event, &before) {
            (Event::Added(_), Some(_)) => return Err(format!("{uid} added twice")),
            (Event::Modified(_) | Event::Deleted(_), None) => return Err(format!("{uid} was never added")),
            (Event::Deleted(_), Some(_)) if self.shown(&uid).is_some() => return Err(format!("{uid} still exists")),
            (Event::Modified(new), Some(old)) if self.view.news(new) == self.view.news(old) => {
                return Err(format!("{uid} is no news"));
            }
            _ => {}
        }
        if let Event::Added(p) | Event::Modified(p) = event {
            if self.shown(&uid).map(|now| now.revision) != Some(p.revision) {
                return Err(format!("{} is not the latest state", line(event)));
            }
            if before.is_some_and(|b| b.revision > p.revision) {
                return Err(format!("{} is older than what was sent", line(event)));
            }
            self.told.insert(uid.clone(), Arc::clone(p));
        } else {
            self.told.remove(&uid);
        }
        for (waits, passed) in self.passed_by.iter_mut().filter(|(waits, _)| **waits != uid) {
            let times = passed.entry(uid.clone()).or_default();
            *times += 1;
            // Once in the batch that was made before this pod changed, and once ahead of it in the next one.
            if *times > 2 {
                return Err(format!("{uid} was sent {times} times while {waits} had to wait"));
            }
        }
        self.note_differences();
        Ok(())
    }
}

/// Plays the steps, then reads until there is nothing more.
fn play<V: View>(engine: &mut dyn Engine, view: V, steps: &[Step]) -> Result<(), String> {
    let mut model = Model::new(view);
    for step in steps {
        model.change(step);
        if let Step::Read(n) = step {
            for _ in 0..*n {
                model.read(engine)?;
            }
        }
    }
    for _ in 0..100 {
        if !model.read(engine)? {
            break;
        }
    }
    if !model.synced {
        return Err("no marker".into());
    }
    let late = model.passed_by.keys().next();
    late.map_or(Ok(()), |uid| Err(format!("the client was never told the last state of {uid}")))
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })
}

#[test]
fn the_engine_keeps_its_promises() {
    let outcome = runner().run(&steps(), |steps| {
        play(&mut Watcher::new(), Everything, &steps).map_err(TestCaseError::fail)?;
        play(&mut Watcher::with_view(Some3), Some3, &steps).map_err(TestCaseError::fail)
    });
    assert_eq!(outcome, Ok(()));
}

/// What may be wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing: this is another right engine, which shows that the model asks for no more than the promises.
    None,
    /// Sends pods as they were when the batch was made.
    OldStates,
    /// Makes a new batch for each event: a pod that changes all the time comes first all the time.
    NoBatches,
    /// Forgets what is gone without a word.
    NoDeletions,
    /// Believes that everything was sent once it is in a batch.
    Drops,
    /// Gives the marker before the pods.
    EarlyMarker,
    /// Sends what did not change.
    NoMemory,
}

/// A simple engine.
struct Simple {
    fault: Fault,
    told: BTreeMap<String, (Arc<PodId>, u64)>,
    batch: VecDeque<(String, Option<Arc<PodEntry>>)>,
    started: bool,
    synced: bool,
}

impl Simple {
    fn look(&mut self, current: &Snapshot) {
        let now = |uid: &str| current.by_uid(uid).map(|p| p.revision);
        let gone = self.told.keys().filter(|uid| now(uid).is_none()).map(|uid| (uid.clone(), None));
        let mut batch: VecDeque<_> = gone.collect();
        for pod in &current.pods {
            let known = self.told.get(&pod.id.uid).map(|(_, revision)| *revision);
            if known != Some(pod.revision) || (self.fault == Fault::NoMemory && self.synced && pod.revision % 7 == 0) {
                batch.push_back((pod.id.uid.clone(), Some(Arc::clone(pod))));
            }
        }
        if self.fault == Fault::Drops && batch.len() > 3 {
            if let Some((uid, Some(pod))) = batch.pop_back() {
                if let Some(told) = self.told.get_mut(&uid) {
                    told.1 = pod.revision;
                }
            }
        }
        self.batch = batch;
    }
}

impl Engine for Simple {
    fn next(&mut self, current: &Snapshot) -> Option<Event> {
        loop {
            while let Some((uid, old)) = self.batch.pop_front() {
                let now = if self.fault == Fault::OldStates { old } else { current.by_uid(&uid).cloned() };
                if self.fault == Fault::NoBatches && self.synced {
                    self.batch.clear();
                }
                let Some(pod) = now else {
                    let known = self.told.remove(&uid);
                    match known.filter(|_| self.fault != Fault::NoDeletions) {
                        Some((id, _)) => return Some(Event::Deleted(id)),
                        None => continue,
                    }
                };
                return match self.told.insert(uid, (Arc::clone(&pod.id), pod.revision)) {
                    None => Some(Event::Added(pod)),
                    Some((_, revision)) if revision == pod.revision && self.fault != Fault::NoMemory => continue,
                    Some(_) => Some(Event::Modified(pod)),
                };
            }
            if self.fault == Fault::EarlyMarker && !self.synced {
                self.synced = true;
                return Some(Event::InitialSyncComplete);
            }
            if self.started && !self.synced {
                self.synced = true;
                return Some(Event::InitialSyncComplete);
            }
            self.look(current);
            if self.batch.is_empty() && self.started {
                return None;
            }
            self.started = true;
        }
    }
}

#[test]
fn broken_engines_are_found() {
    let faults = [
        Fault::OldStates,
        Fault::NoBatches,
        Fault::NoDeletions,
        Fault::Drops,
        Fault::NoMemory,
        Fault::EarlyMarker,
        Fault::None,
    ];
    for fault in faults {
        let outcome = runner().run(&steps(), |steps| {
            let (told, batch) = (BTreeMap::new(), VecDeque::new());
            let mut engine = Simple { fault, told, batch, started: false, synced: false };
            play(&mut engine, Everything, &steps).map_err(TestCaseError::fail)
        });
        match outcome {
            Ok(()) => assert_eq!(fault, Fault::None, "a broken engine was not found"),
            Err(TestError::Fail(why, steps)) => {
                assert_ne!(fault, Fault::None, "{why} after {steps:?}");
            }
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }
}
