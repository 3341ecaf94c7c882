//! Sorting and paging, as `GetPods` has them.
//!
//! Rules: `stackrox/stackrox central/pod/service/service_impl.go`, `pkg/search/postgres/pagination.go`. A negative
//! limit or offset, which ends up as "no limit" there, is an error here.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::label::{self, Label};
use super::parse::Query;
use super::view::PodView;
use crate::store::snapshot::PodEntry;

/// Most pods in one answer, and what a limit of 0 means.
pub const MOST_PODS: usize = 1000;
/// Most sort options: each costs a string for each pod.
const MOST_SORTS: usize = 8;

/// `v1.Pagination`, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pagination {
    /// 0 for the most that there may be.
    pub limit: i32,
    /// Pods that are left out in front.
    pub offset: i32,
    /// By what to sort; without any, by Deployment ID.
    pub sort: Vec<SortOption>,
}

/// `v1.SortOption`, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortOption {
    /// A label, or `_id` for the Pod ID.
    pub field: String,
    /// From the last to the first.
    pub reversed: bool,
    /// Whether `aggregateBy.aggrFunc` is other than UNSET.
    pub aggregated: bool,
}

/// Why pods cannot be paged or sorted as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// A limit or offset (its name) below 0.
    Negative(&'static str, i32),
    /// No label.
    UnknownField(String),
    /// A label of which a pod may have several values.
    Several(Label),
    /// More sort options than this.
    TooMany(usize),
    /// `aggregateBy` asks for a function.
    Aggregated,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative(name, value) => write!(f, "pagination.{name} is {value}; it must be 0 or more"),
            Self::UnknownField(field) => {
                let field: String = field.chars().take(64).collect();
                write!(f, "unknown sort field {field:?}; known here are: _id, {}", label::known())
            }
            Self::Several(label) => {
                write!(f, "pods cannot be sorted by {}: a pod has several of it", label.name())
            }
            Self::TooMany(most) => write!(f, "there may be {most} sort options"),
            Self::Aggregated => f.write_str("aggregateBy is not supported; leave aggrFunc at UNSET"),
        }
    }
}

impl std::error::Error for PageError {}

/// A page that can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    limit: usize,
    offset: usize,
    /// Labels with one value, and whether they count from the last.
    sort: Vec<(Label, bool)>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: MOST_PODS, offset: 0, sort: vec![(Label::DeploymentId, false)] }
    }
}

impl Page {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// It makes no sense, or is not supported.
    pub fn new(asked: &Pagination) -> Result<Self, PageError> {
        let count = |name, n: i32| usize::try_from(n).map_err(|_| PageError::Negative(name, n));
        let limit = match count("limit", asked.limit)? {
            0 => MOST_PODS,
            n => n.min(MOST_PODS),
        };
        let offset = count("offset", asked.offset)?;
        if asked.sort.len() > MOST_SORTS {
            return Err(PageError::TooMany(MOST_SORTS));
        }
        if asked.sort.iter().any(|option| option.aggregated) {
            return Err(PageError::Aggregated);
        }
        let sort = asked.sort.iter().filter(|option| !option.field.is_empty());
        let sort =
            sort.map(|option| Ok((sort_label(&option.field)?, option.reversed))).collect::<Result<Vec<_>, _>>()?;
        let page = Self { limit, offset, ..Self::default() };
        Ok(if sort.is_empty() { page } else { Self { sort, ..page } })
    }

    /// The pods of this page, out of those that the query selects. Pods that the sort fields do not tell apart stand
    /// in the order of their UIDs, so that pages fit together.
    #[must_use]
    pub fn of(&self, pods: &[Arc<PodEntry>], query: &Query) -> Vec<Arc<PodEntry>> {
        let mut chosen: Vec<(Vec<String>, &Arc<PodEntry>)> = Vec::new();
        for pod in pods {
            let view = PodView::of(pod);
            if query.selects(&view) {
                chosen.push((self.sort.iter().map(|(label, _)| view.single(*label)).collect(), pod));
            }
        }
        chosen.sort_by(|(a, x), (b, y)| self.compare(a, b).then_with(|| x.id.uid.cmp(&y.id.uid)));
        chosen.into_iter().skip(self.offset).take(self.limit).map(|(_, pod)| Arc::clone(pod)).collect()
    }

    fn compare(&self, a: &[String], b: &[String]) -> Ordering {
        let each = self.sort.iter().zip(a.iter().zip(b)).map(|((_, reversed), (a, b))| {
            // Null comes last, whatever the direction.
            a.is_empty().cmp(&b.is_empty()).then_with(|| if *reversed { b.cmp(a) } else { a.cmp(b) })
        });
        each.fold(Ordering::Equal, Ordering::then)
    }
}

fn sort_label(field: &str) -> Result<Label, PageError> {
    let id = field.eq_ignore_ascii_case("_id").then_some(Label::PodId);
    let label = id.or_else(|| Label::named(field)).ok_or_else(|| PageError::UnknownField(field.to_owned()))?;
    if label.is_single() {
        Ok(label)
    } else {
        Err(PageError::Several(label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{entry, named};
    use serde_json::json;

    fn by(field: &str, reversed: bool) -> Pagination {
        let sort = vec![SortOption { field: field.into(), reversed, aggregated: false }];
        Pagination { sort, ..Pagination::default() }
    }

    fn names(asked: &Pagination, query: &str) -> Vec<String> {
        let on = |node: &str, name: &str| {
            entry(
                &json!({"metadata": {"name": name, "namespace": "web", "uid": format!("uid-{name}")}, "spec": {"nodeName": node}}),
            )
        };
        let pods = [on("n2", "b"), named("default", "c"), on("n1", "a"), on("n1", "d")];
        let chosen = Page::new(asked).unwrap().of(&pods, &Query::parse(query).unwrap());
        chosen.iter().map(|pod| pod.id.name.clone()).collect()
    }

    #[test]
    fn sorted_and_cut() {
        let page = |limit, offset| Pagination { limit, offset, ..Pagination::default() };
        for (asked, query, want) in [
            (Pagination::default(), "", &["a", "b", "c", "d"][..]),
            (page(2, 0), "", &["a", "b"]),
            (page(2, 3), "", &["d"]),
            (page(0, 9), "", &[]),
            (page(5000, 1), "Namespace:web", &["b", "d"]),
            (by("pod name", true), "", &["d", "c", "b", "a"]),
            (by("Node", false), "", &["a", "d", "b", "c"]),
            (by("Node", true), "", &["b", "a", "d", "c"]),
            (by("", true), "", &["a", "b", "c", "d"]),
        ] {
            assert_eq!(names(&asked, query), want, "{asked:?}");
        }
        let two = Pagination { sort: [by("Node", false).sort, by("Pod Name", true).sort].concat(), ..page(0, 0) };
        assert_eq!(names(&two, ""), ["d", "a", "b", "c"]);
        let mut ids = names(&by("_ID", false), "");
        ids.sort();
        assert_eq!(ids, ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_is_refused() {
        let aggregated = SortOption { field: "Namespace".into(), aggregated: true, ..SortOption::default() };
        for (asked, want) in [
            (Pagination { limit: -1, ..Pagination::default() }, PageError::Negative("limit", -1)),
            (Pagination { offset: i32::MIN, ..Pagination::default() }, PageError::Negative("offset", i32::MIN)),
            (by("Nonsense", false), PageError::UnknownField("Nonsense".into())),
            (by("Pod Label", false), PageError::Several(Label::PodLabel)),
            (Pagination { sort: vec![aggregated], ..Pagination::default() }, PageError::Aggregated),
            (Pagination { sort: vec![SortOption::default(); 9], ..Pagination::default() }, PageError::TooMany(8)),
        ] {
            assert_eq!(Page::new(&asked), Err(want));
        }
    }
}
