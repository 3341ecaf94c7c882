//! What a client wants of a list or a watch.
//!
//! Rules and words: `kubernetes/apimachinery pkg/apis/meta/internalversion/validation/validation.go`.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::query::Query;
use super::refusal::Refusal;
use crate::pod::selector::{FieldSelector, LabelSelector, Selector};

/// Which state a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The current one, which must not be older than this.
    NotOlderThan(u64),
    /// This one and no other.
    Exactly(u64),
}

/// The options of a list.
#[derive(Clone, Debug)]
pub(crate) struct ListOptions {
    /// Most objects on a page; 0 is all.
    pub(crate) limit: usize,
    /// Where an earlier page ended.
    pub(crate) token: Option<String>,
    pub(crate) version: Version,
}

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With ADDED for everything there is; the current state must not be older than this.
    Initial(u64),
    /// With what happens after this revision.
    After(u64),
    /// With what happens from now on.
    Now,
}

/// The options of a watch.
#[derive(Clone, Debug)]
pub(crate) struct WatchOptions {
    pub(crate) start: Start,
    /// Tell the revision now and then, with an object that has nothing else.
    pub(crate) bookmarks: bool,
    /// Tell with a bookmark that the initial events are through.
    pub(crate) mark_initial: bool,
    /// How long it lasts, where the client says so.
    pub(crate) timeout: Option<Duration>,
}

/// A watch without a time limit of its own ends after this, or up to twice as long, so that not all end at once.
const SHORTEST: Duration = Duration::from_secs(30 * 60);
const NOT_OLDER: &str = "NotOlderThan";
const EXACT: &str = "Exact";

impl ListOptions {
    /// Reads the options of a list.
    ///
    /// # Errors
    /// A value makes no sense, or two contradict each other.
    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        let forbidden = |field, problem: &str| Err(Refusal::InvalidOptions(field, problem.into()));
        let revision = revision(query)?;
        let token = query.text("continue");
        let matching = query.text("resourceVersionMatch");
        if query.get("sendInitialEvents").is_some() {
            return forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
        }
        if let Some(matching) = matching {
            let field = "resourceVersionMatch";
            if revision.is_none() {
                return forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
            }
            if token.is_some() {
                return forbidden(field, "resourceVersionMatch is forbidden when continue is provided");
            }
            if matching != NOT_OLDER && matching != EXACT {
                return forbidden(field, &format!("{matching:?} is neither \"Exact\" nor \"NotOlderThan\""));
            }
            if matching == EXACT && revision == Some(0) {
                return forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
            }
        }
        let wanted = revision.unwrap_or(0);
        if token.is_some() && wanted > 0 {
            let problem = "specifying resource version is not allowed when using continue";
            return Err(Refusal::BadRequest(problem.into()));
        }
        Ok(Self {
            limit: usize::try_from(query.number("limit")?.unwrap_or(0)).unwrap_or(0),
            token: token.map(str::to_owned),
            version: if matching == Some(EXACT) { Version::Exactly(wanted) } else { Version::NotOlderThan(wanted) },
        })
    }
}

impl WatchOptions {
    /// Reads the options of a watch.
    ///
    /// # Errors
    /// A value makes no sense, or two contradict each other.
    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        let forbidden = |problem: &str| Err(Refusal::InvalidOptions("resourceVersionMatch", problem.into()));
        let initial = query.switch("sendInitialEvents");
        match (initial, query.text("resourceVersionMatch")) {
            (None, None) | (Some(_), Some(NOT_OLDER)) => {}
            (Some(_), _) => {
                return forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
            }
            (None, Some(_)) => {
                return forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
            }
        }
        let revision = revision(query)?.unwrap_or(0);
        let start = match (initial, revision) {
            (Some(true), at_least) => Start::Initial(at_least),
            (None, 0) => Start::Initial(0),
            (Some(false), 0) => Start::Now,
            (_, revision) => Start::After(revision),
        };
        let seconds = query.number("timeoutSeconds")?.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0);
        let bookmarks = query.switch("allowWatchBookmarks").unwrap_or(false);
        Ok(Self {
            start,
            bookmarks,
            mark_initial: initial == Some(true) && bookmarks,
            timeout: seconds.map(Duration::from_secs),
        })
    }

    /// When the watch ends. A time that no clock reaches counts as none: clients choose it.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        self.timeout.and_then(|timeout| now.checked_add(timeout)).unwrap_or_else(|| now + some_while())
    }
}

/// The state of exactly this revision is no longer there.
pub(crate) fn too_old(wanted: u64) -> Refusal {
    Refusal::Expired(format!("The resourceVersion for the provided list is too old: {wanted}"))
}

/// How long a watch lasts whose client does not say.
fn some_while() -> Duration {
    let random = RandomState::new().build_hasher().finish();
    SHORTEST + Duration::from_secs(random % SHORTEST.as_secs())
}

/// `resourceVersion`; `None` where none was given.
pub(crate) fn revision(query: &Query) -> Result<Option<u64>, Refusal> {
    let Some(text) = query.text("resourceVersion") else { return Ok(None) };
    let wrong = |_| {
        let problem =
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
        Refusal::BadRequest(problem)
    };
    text.parse().map(Some).map_err(wrong)
}

/// Which pods are wanted.
///
/// # Errors
/// A selector that cannot be read.
pub(crate) fn pod_selector(query: &Query, namespace: Option<&str>) -> Result<Selector, Refusal> {
    let text = |key| query.text(key).unwrap_or_default();
    Ok(Selector {
        namespace: namespace.map(str::to_owned),
        labels: LabelSelector::parse(text("labelSelector")).map_err(|e| Refusal::BadRequest(e.0))?,
        fields: FieldSelector::parse(text("fieldSelector")).map_err(|e| Refusal::BadRequest(e.0))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(query: &str) -> Result<ListOptions, Refusal> {
        let query = Query::parse(query).unwrap();
        pod_selector(&query, None)?;
        ListOptions::read(&query)
    }

    fn watch(query: &str) -> Result<WatchOptions, Refusal> {
        WatchOptions::read(&Query::parse(query).unwrap())
    }

    #[test]
    fn lists() {
        let options = list("limit=500&resourceVersion=7&labelSelector=a%3Db").unwrap();
        assert_eq!((options.limit, options.version), (500, Version::NotOlderThan(7)));
        assert_eq!(list("resourceVersion=7&resourceVersionMatch=Exact").unwrap().version, Version::Exactly(7));
        for (query, code) in [
            ("resourceVersion=x", 400),
            ("resourceVersion=-1", 400),
            ("limit=x", 400),
            ("labelSelector=%3D%3D", 400),
            ("fieldSelector=spec.color%3Dred", 400),
            ("continue=a&resourceVersion=7", 400),
            ("resourceVersionMatch=Exact", 422),
            ("resourceVersionMatch=Exact&resourceVersion=0", 422),
            ("resourceVersionMatch=Never&resourceVersion=1", 422),
            ("resourceVersionMatch=Exact&resourceVersion=1&continue=a", 422),
            ("sendInitialEvents=true", 422),
        ] {
            assert_eq!(list(query).unwrap_err().code(), code, "{query}");
        }
    }

    #[test]
    fn watches() {
        for (query, want) in [
            ("", Start::Initial(0)),
            ("resourceVersion=0", Start::Initial(0)),
            ("resourceVersion=7", Start::After(7)),
            ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=7", Start::Initial(7)),
            ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=7", Start::After(7)),
            ("sendInitialEvents=false&resourceVersionMatch=NotOlderThan", Start::Now),
        ] {
            assert_eq!(watch(query).unwrap().start, want, "{query}");
        }
        for query in [
            "sendInitialEvents=true",
            "resourceVersionMatch=NotOlderThan&resourceVersion=1",
            "sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
        ] {
            assert_eq!(watch(query).unwrap_err().code(), 422, "{query}");
        }
        assert_eq!(watch("timeoutSeconds=5").unwrap().timeout, Some(Duration::from_secs(5)));
        assert_eq!(watch("timeoutSeconds=0").unwrap().timeout, None);
    }

    #[test]
    fn a_watch_has_an_end_whatever_its_client_asks_for() {
        let now = Instant::now();
        let lasts = |query| watch(query).unwrap().deadline(now) - now;
        assert_eq!(lasts("timeoutSeconds=5"), Duration::from_secs(5));
        for query in ["", "timeoutSeconds=0", "timeoutSeconds=-1", "timeoutSeconds=9223372036854775807"] {
            assert!((SHORTEST..2 * SHORTEST).contains(&lasts(query)), "{query}");
        }
    }
}
