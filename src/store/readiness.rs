//! When is the node known?

use std::collections::{BTreeMap, BTreeSet};

use super::update::{Health, HealthState, SourceId};

/// Which sources have to answer before anything is served.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// Sources that have to answer unless the node does not have them (health `Absent`). After `init_timeout_ms`
    /// the others are served without them.
    pub expects: Vec<SourceId>,
    /// Sources that the user demands: they have to answer, however long that takes.
    pub requires: Vec<SourceId>,
    /// Milliseconds; 0 waits for ever.
    pub init_timeout_ms: u64,
}

impl Default for Expectations {
    fn default() -> Self {
        Self { expects: vec![SourceId::File, SourceId::Runtime], requires: Vec::new(), init_timeout_ms: 15_000 }
    }
}

/// Whether the node is known, and who is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Once true it stays true.
    pub initialized: bool,
    /// Expected sources that have not answered though others were served already.
    pub incomplete: Vec<SourceId>,
}

impl Expectations {
    /// Judges anew. `answered` are the sources that have sent a whole state.
    #[must_use]
    pub fn judge(
        &self,
        before: &Readiness,
        answered: &BTreeSet<SourceId>,
        health: &BTreeMap<SourceId, Health>,
        named: bool,
        waited_ms: u64,
    ) -> Readiness {
        let absent = |source| health.get(source).is_some_and(|h| h.state == HealthState::Absent);
        let missing: Vec<_> = self.expects.iter().filter(|s| !answered.contains(s) && !absent(s)).copied().collect();
        let tired = self.init_timeout_ms > 0 && waited_ms >= self.init_timeout_ms;
        // The API server rests while a kubelet tells the same.
        let resting = |source| health.get(source).is_some_and(|h| h.state == HealthState::Resting);
        let demanded = self.requires.iter().all(|s| answered.contains(s) || resting(s));
        let initialized = before.initialized || (named && demanded && (missing.is_empty() || tired));
        Readiness { initialized, incomplete: if initialized { missing } else { Vec::new() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn rows() {
        use SourceId::{ApiServer, File, Runtime};
        let runtime_is = |state| {
            let health = Health { state, since: SystemTime::UNIX_EPOCH, error: String::new(), target: String::new() };
            BTreeMap::from([(Runtime, health)])
        };
        let (up, absent) = (runtime_is(HealthState::Starting), runtime_is(HealthState::Absent));
        let default = Expectations::default();
        let for_ever = Expectations { init_timeout_ms: 0, ..Expectations::default() };
        let demanding = Expectations { requires: vec![ApiServer], ..Expectations::default() };
        let fresh = Readiness::default();
        let known = Readiness { initialized: true, incomplete: Vec::new() };
        type Row<'a> = (
            &'a str,
            &'a Expectations,
            &'a Readiness,
            &'a [SourceId],
            &'a BTreeMap<SourceId, Health>,
            bool,
            u64,
            bool,
            &'a [SourceId],
        );
        let resting = BTreeMap::from([(
            ApiServer,
            Health {
                state: HealthState::Resting,
                since: SystemTime::UNIX_EPOCH,
                error: String::new(),
                target: String::new(),
            },
        )]);
        let table: [Row; 11] = [
            ("nothing yet", &default, &fresh, &[], &up, true, 0, false, &[]),
            ("both", &default, &fresh, &[File, Runtime], &up, true, 0, true, &[]),
            ("no name", &default, &fresh, &[File, Runtime], &up, false, 99_999, false, &[]),
            ("no runtime on this node", &default, &fresh, &[File], &absent, true, 0, true, &[]),
            ("silent runtime", &default, &fresh, &[File], &up, true, 14_999, false, &[]),
            ("silent for too long", &default, &fresh, &[File], &up, true, 15_000, true, &[Runtime]),
            ("wait for ever", &for_ever, &fresh, &[File], &up, true, 99_999, false, &[]),
            ("it answers late", &default, &known, &[File, Runtime], &up, true, 15_000, true, &[]),
            ("demanded", &demanding, &fresh, &[File, Runtime], &up, true, 99_999, false, &[]),
            ("demanded, and it rests", &demanding, &fresh, &[File, Runtime], &resting, true, 0, true, &[]),
            ("demand met", &demanding, &fresh, &[File, Runtime, ApiServer], &up, true, 0, true, &[]),
        ];
        for (what, rules, before, answered, health, named, waited, initialized, incomplete) in table {
            let got = rules.judge(before, &answered.iter().copied().collect(), health, named, waited);
            assert_eq!(got, Readiness { initialized, incomplete: incomplete.to_vec() }, "{what}");
        }
    }
}
