//! Initial response metadata: what a client should know about the answer.

use grpcio::{Metadata, MetadataBuilder};

use crate::store::snapshot::Snapshot;

/// `x-nodepods-incomplete: cri` for each source that was waited for in vain, and
/// `x-nodepods-stale: apiserver since=<RFC 3339>` for each that answered before and does not now. `None` where
/// nothing is to be said, which is the rule.
pub(crate) fn of(snapshot: &Snapshot) -> Option<Metadata> {
    build(&lines(snapshot))
}

/// The same for one page of a list, with the token of the next one.
pub(crate) fn of_page(snapshot: &Snapshot, next: Option<String>) -> Option<Metadata> {
    let mut lines = lines(snapshot);
    lines.extend(next.map(|token| (super::ask::CONTINUE, token)));
    build(&lines)
}

fn build(lines: &[(&'static str, String)]) -> Option<Metadata> {
    if lines.is_empty() {
        return None;
    }
    let mut builder = MetadataBuilder::with_capacity(lines.len());
    for (key, value) in lines {
        if let Err(e) = builder.add_str(key, value) {
            log::debug!("left out of the response metadata: {key}: {e}");
        }
    }
    Some(builder.build())
}

fn lines(snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let incomplete = snapshot.incomplete.iter().map(|id| ("x-nodepods-incomplete", id.to_string()));
    let stale = snapshot.stale().map(|(id, since)| ("x-nodepods-stale", format!("{id} since={since}")));
    incomplete.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::update::{Health, HealthState, SourceId};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn only_trouble_is_told() {
        let mut snapshot = Snapshot::empty(1);
        let health = |state| Health {
            state,
            since: UNIX_EPOCH + Duration::from_secs(86_400),
            error: String::new(),
            target: String::new(),
        };
        snapshot.sources = vec![(SourceId::File, health(HealthState::Up))];
        assert!(of(&snapshot).is_none());
        snapshot.sources.push((SourceId::ApiServer, health(HealthState::Down)));
        snapshot.incomplete = vec![SourceId::Runtime];
        let want = [
            ("x-nodepods-incomplete", "cri".to_string()),
            ("x-nodepods-stale", "apiserver since=1970-01-02T00:00:00Z".to_string()),
        ];
        assert_eq!(lines(&snapshot), want);
        assert_eq!(of(&snapshot).unwrap().len(), 2);
    }
}
