//! The only owner of state: merges what the sources say about one pod, decides what changed, and makes snapshots.
//!
//! A pure state machine: updates and the time come in as values, snapshots go out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ended::EndedInstances;
use super::identity::Identities;
use super::listing::{Listed, Listing, Pass, Started};
use super::now::Now;
use super::readiness::Readiness;
use super::record::{self, Body, Record, Surroundings};
use super::revision::Revision;
use super::snapshot::{Ended, PodEntry, Snapshot};
use super::sources::{News, Sources};
use super::update::{SourceId, Update};
use crate::pod::finding::Finding;
use crate::pod::status::admission::NodeFacts;

pub use super::readiness::Expectations;

/// What the reconciler is told once.
#[derive(Clone, Debug)]
pub struct ReconcilerConfig {
    /// Which sources have to answer before anything is served.
    pub expectations: Expectations,
    /// The node as far as it is known; its name comes with [`Update::NodeName`].
    pub node: NodeFacts,
    /// The revision to start from: [`Revision::start`].
    pub revision: Revision,
}

/// Owns everything that is known about pods.
#[derive(Debug)]
pub struct Reconciler {
    config: ReconcilerConfig,
    started: Now,
    sources: Sources,
    identities: Identities,
    started_pods: Started,
    records: BTreeMap<String, Record>,
    around: Surroundings,
    revision: Revision,
    readiness: Readiness,
    findings: Arc<[Finding]>,
    /// Pods that each source has.
    held: BTreeMap<SourceId, usize>,
    ended: EndedInstances,
    /// When time alone may change something ([`Now::steady_ms`]).
    deadline_ms: Option<u64>,
    /// Pods may have changed since they were listed last.
    stale: bool,
    /// What is served beside the pods has changed since the last snapshot.
    beside: bool,
    /// Snapshots that were given out.
    published: u64,
}

impl Reconciler {
    /// A reconciler that knows nothing yet. The init timeout counts from `now`.
    #[must_use]
    pub fn new(config: ReconcilerConfig, now: Now) -> Self {
        let revision = config.revision;
        let timeout = config.expectations.init_timeout_ms;
        Self {
            config,
            started: now,
            sources: Sources::default(),
            identities: Identities::default(),
            started_pods: Started::new(),
            records: BTreeMap::new(),
            around: Surroundings::default(),
            revision,
            readiness: Readiness::default(),
            findings: Arc::default(),
            held: BTreeMap::new(),
            ended: EndedInstances::default(),
            deadline_ms: (timeout > 0).then(|| now.steady_ms.saturating_add(timeout)),
            stale: false,
            beside: true,
            published: 0,
        }
    }

    /// Takes an update over. Its effect shows in the next [`Reconciler::snapshot`]; several updates before one
    /// snapshot cost little more than one.
    pub fn apply(&mut self, update: Update, now: Now) {
        let News { pods, beside } = self.sources.apply(update, now.unix_ms);
        self.stale |= pods;
        self.beside |= beside;
    }

    /// Takes over the ended instances that a checkpoint kept.
    pub fn remember(&mut self, ended: Arc<Ended>) {
        self.ended.restore(ended);
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Now) {
        self.stale |= self.deadline_ms.is_some_and(|deadline| now.steady_ms >= deadline);
    }

    /// When [`Reconciler::tick`] has to be called even if no update comes, in [`Now::steady_ms`].
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.deadline_ms
    }

    /// The revision of the last change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision.get()
    }

    /// The state after all updates, or `None` if it is the one that was given out last.
    pub fn snapshot(&mut self, now: Now) -> Option<Arc<Snapshot>> {
        let mut changed = std::mem::take(&mut self.beside);
        if std::mem::take(&mut self.stale) {
            changed |= self.relist(now);
            changed |= self.count();
        }
        changed |= self.judge(now);
        self.published += u64::from(changed);
        changed.then(|| Arc::new(self.publish()))
    }

    /// Lists all pods anew; true where one of them, or a finding, has changed.
    fn relist(&mut self, now: Now) -> bool {
        self.config.node.name.clone_from(&self.sources.node_name);
        let around = Surroundings {
            node: self.config.node.clone(),
            runtime_name: self.sources.runtime_name.clone(),
            runtime_seen: self.sources.answered.contains(&SourceId::Runtime),
        };
        let pass = Pass::new(&self.sources, &self.records, self.started, now);
        let Listing { pods, findings, deadline_ms } = pass.run(&mut self.identities, &mut self.started_pods);
        let same_around = std::mem::replace(&mut self.around, around.clone()) == around;
        let mut before = std::mem::take(&mut self.records);
        let mut changed = false;
        for (uid, listed) in pods {
            let known = before.remove(&uid);
            let same = same_around && known.as_ref().is_some_and(|r| r.inputs.same(&listed.inputs));
            let due = known.as_ref().is_some_and(|r| r.is_due(now.steady_ms));
            let record = match known {
                Some(record) if same && !due => Record { alive_ms: listed.alive_ms, ..record },
                known => {
                    // A second look is the last one until something changes.
                    let second_look_ms = if same { 0 } else { record::second_look(&listed.inputs, now.steady_ms) };
                    let made = self.remade(listed, known.as_ref(), &around, now);
                    let record = Record { second_look_ms, ..made };
                    changed |= known.is_none_or(|k| !Arc::ptr_eq(&k.entry, &record.entry));
                    let runtime = record.inputs.runtime.as_deref();
                    changed |= self.ended.note(&record.entry, runtime, &around.runtime_name);
                    record
                }
            };
            self.records.insert(uid, record);
        }
        if !before.is_empty() {
            self.revision.advance();
            changed = true;
        }
        if self.readiness.initialized {
            // Before, a pod that is not listed yet may still come.
            self.ended.retain(|uid| self.records.contains_key(uid));
        }
        let looks = self.records.values().map(|r| r.second_look_ms).filter(|ms| *ms > now.steady_ms);
        self.deadline_ms = looks.chain(deadline_ms).min();
        self.collect(findings) | changed
    }

    /// Counts what each source has; true where that is news.
    fn count(&mut self) -> bool {
        let kept = |r: &&Record| matches!(&r.inputs.body, Body::Remote(pod) if self.sources.is_kept(pod));
        let of = |source| match source {
            SourceId::Checkpoint => self.records.values().filter(kept).count(),
            other => self.sources.held(other),
        };
        let held = self.sources.answered.iter().map(|source| (*source, of(*source))).collect();
        let news = held != self.held;
        self.held = held;
        news
    }

    /// Makes a pod anew. Equal bytes are no change: then the entry that is served already stays.
    fn remade(&mut self, listed: Listed, known: Option<&Record>, around: &Surroundings, now: Now) -> Record {
        let Listed { inputs, alive_ms } = listed;
        let kept = self.sources.remote(SourceId::Checkpoint, &inputs.id.uid);
        let previous = known.map(|r| r.entry.bytes.status()).or_else(|| kept.map(|p| p.bytes.status()));
        let made = record::make(&inputs, around, previous, now.unix_ms);
        let same = |served: &PodEntry| {
            (&served.bytes, &served.container_ids, &served.id) == (&made.bytes, &made.container_ids, &made.id)
        };
        let entry = match known.filter(|r| same(&r.entry)) {
            Some(record) => Arc::clone(&record.entry),
            None => {
                let id = known.map(|r| &r.entry.id).filter(|id| **id == made.id).unwrap_or(&made.id);
                let id = Arc::clone(id);
                Arc::new(PodEntry { id, revision: self.revision.advance(), ..made })
            }
        };
        Record { inputs, alive_ms, second_look_ms: 0, entry }
    }

    /// Puts the findings of all sources and of the listing together; true where they differ from the last ones.
    fn collect(&mut self, listed: Vec<Finding>) -> bool {
        let findings: Arc<[Finding]> = self.sources.findings.values().flatten().cloned().chain(listed).collect();
        let changed = findings != self.findings;
        self.findings = findings;
        changed
    }

    /// Judges whether the node is known; true where the answer is another one.
    fn judge(&mut self, now: Now) -> bool {
        let expectations = &self.config.expectations;
        let waited_ms = now.steady_ms.saturating_sub(self.started.steady_ms);
        let (answered, health) = (&self.sources.answered, &self.sources.health);
        let named = !self.sources.node_name.is_empty();
        let readiness = expectations.judge(&self.readiness, answered, health, named, waited_ms);
        if !readiness.initialized && expectations.init_timeout_ms > waited_ms {
            let until = self.started.steady_ms.saturating_add(expectations.init_timeout_ms);
            self.deadline_ms = Some(self.deadline_ms.map_or(until, |d| d.min(until)));
        }
        let changed = readiness != self.readiness;
        self.readiness = readiness;
        changed
    }

    fn publish(&self) -> Snapshot {
        Snapshot {
            revision: self.revision.get(),
            number: self.published,
            initialized: self.readiness.initialized,
            narrow: false,
            incomplete: self.readiness.incomplete.clone(),
            node_name: self.sources.node_name.clone(),
            node_name_from: self.sources.node_name_from.clone(),
            pods: self.records.values().map(|r| Arc::clone(&r.entry)).collect(),
            sources: self.sources.health.iter().map(|(id, health)| (*id, health.clone())).collect(),
            held: self.held.clone(),
            runtime: self.sources.runtime_facts.clone(),
            findings: Arc::clone(&self.findings),
            ended: self.ended.shared(),
        }
    }
}

#[cfg(test)]
mod tests;
