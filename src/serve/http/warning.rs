//! What a client should know about an answer, in `Warning` fields, which kubectl prints.

use super::reply::Reply;
use crate::store::snapshot::Snapshot;

/// Adds a warning for each source that answered before and does not now, and for each that was waited for in vain.
pub(crate) fn add(reply: &mut Reply, snapshot: &Snapshot) {
    for text in texts(snapshot) {
        // 299 and an unnamed agent: what clients of Kubernetes look for (apimachinery pkg/util/net/http.go).
        reply.add("Warning", format!("299 - \"{text}\""));
    }
}

fn texts(snapshot: &Snapshot) -> Vec<String> {
    let incomplete = snapshot.incomplete.iter().map(|id| format!("incomplete: {id} has not answered yet"));
    let stale = snapshot
        .stale()
        .map(|(id, since)| format!("stale: {id} does not answer since {since}; shown is what it said last"));
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
            error: "no route to host".into(),
            target: String::new(),
        };
        snapshot.sources = vec![(SourceId::File, health(HealthState::Up))];
        let mut reply = Reply::text("");
        add(&mut reply, &snapshot);
        assert_eq!(reply.header("Warning"), None);
        snapshot.sources.push((SourceId::ApiServer, health(HealthState::Down)));
        add(&mut reply, &snapshot);
        let want = "299 - \"stale: apiserver does not answer since 1970-01-02T00:00:00Z; shown is what it said last\"";
        assert_eq!(reply.header("Warning"), Some(want));
        snapshot.incomplete = vec![SourceId::Runtime];
        assert_eq!(texts(&snapshot).len(), 2);
    }
}
