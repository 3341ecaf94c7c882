//! Whether a pod is what a query asks for.

use super::label::Label;
use super::parse::{Condition, Query};
use super::value::{MapTest, ScalarTest, ValueTest};
use super::view::PodView;

impl Query {
    /// Whether all conditions hold.
    #[must_use]
    pub fn selects(&self, pod: &PodView<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(pod))
    }
}

impl Condition {
    /// Whether some test holds.
    fn holds(&self, pod: &PodView<'_>) -> bool {
        let any = |holds: &dyn Fn(&ScalarTest) -> bool| {
            self.tests.iter().any(|test| matches!(test, ValueTest::Scalar(test) if holds(test)))
        };
        match self.label {
            Label::PodId => {
                // Both names of one thing: a pod is meant by either, and left out by either.
                let id = pod.id();
                any(&|test| (test.pattern.matches(&id) || test.pattern.matches(pod.uid)) != test.negated)
            }
            Label::ContainerName => any(&|test| holds_for_some(test, pod.containers.iter().copied())),
            Label::ContainerImageDigest => {
                let digests = pod.live_digests();
                any(&|test| holds_for_some(test, digests.iter().map(String::as_str)))
            }
            Label::PodLabel => self.tests.iter().any(|test| match test {
                ValueTest::Map(test) => holds_for_labels(test, pod),
                ValueTest::Scalar(_) => false,
            }),
            label => {
                let value = pod.single(label);
                any(&|test| test.holds(&value))
            }
        }
    }
}

/// Of several values one has to satisfy the test, a negated one too: as rows of a table do that is joined.
fn holds_for_some<'a>(test: &ScalarTest, values: impl Iterator<Item = &'a str>) -> bool {
    let mut values = values.peekable();
    match values.peek() {
        None => test.holds_for_none(),
        Some(_) => values.any(|value| test.holds(value)),
    }
}

fn holds_for_labels(test: &MapTest, pod: &PodView<'_>) -> bool {
    test.holds(pod.labels.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{entry, named, replica};
    use serde_json::json;

    fn selects(query: &str, pod: &PodView<'_>) -> bool {
        Query::parse(query).unwrap_or_else(|e| panic!("{query}: {e}")).selects(pod)
    }

    #[test]
    fn every_label() {
        let entry = replica();
        let pod = PodView::of(&entry);
        let id = pod.id();
        for (query, want) in [
            ("", true),
            ("Namespace:shop", true),
            ("Namespace:SHOP", true),
            ("Namespace:default,shop", true),
            ("Namespace:!shop", false),
            ("Namespace:!shop,shop", true),
            ("Namespace:shop+Pod Name:web", true),
            ("Namespace:shop+Pod Name:db", false),
            ("Pod Name:r/-x[0-9]$", true),
            (&format!("Pod ID:{id}"), true),
            (&format!("Pod ID:!{id}"), false),
            ("Pod ID:22222222-0000-0000-0000-000000000000", true),
            ("Pod ID:!22222222-0000-0000-0000-000000000000", false),
            ("Pod ID:11111111-0000-0000-0000-000000000000", false),
            ("Deployment ID:11111111-0000-0000-0000-000000000000", true),
            ("Deployment:\"web\"", true),
            ("Service Account:web", true),
            ("Node:n1", true),
            ("Node:-", false),
            ("Cluster:-", true),
            ("Cluster:*", false),
            ("Cluster ID:-", true),
            ("Container Name:side", true),
            ("Container Name:!side", true), // the other one is another
            ("Container Name:none", false),
            ("Container Image Digest:sha256:aa", true),
            ("Container Image Digest:sha256:bb", false), // it has ended
            ("Pod Label:app=web", true),
            ("Pod Label:app=db,app=web", true),
            ("Pod Label:!app", false),
        ] {
            assert_eq!(selects(query, &pod), want, "{query}");
        }
    }

    #[test]
    fn null() {
        let (bare, labelled) = (named("default", "bare"), entry(&json!({"metadata": {"labels": {"a": ""}}})));
        let (bare, labelled) = (PodView::of(&bare), PodView::of(&labelled));
        for (query, want) in [
            ("Node:-", true),
            ("Node:*", false),
            ("Node:!n1", true),
            ("Container Image Digest:-", true),
            ("Container Image Digest:*", false),
            ("Container Image Digest:!sha256:aa", false),
            ("Pod Label:-", true),
            ("Pod Label:*", false),
            ("Pod Label:!app", true),
        ] {
            assert_eq!(selects(query, &bare), want, "{query}");
        }
        assert!(selects("Pod Label:*", &labelled) && selects("Pod Label:a", &labelled));
    }
}
