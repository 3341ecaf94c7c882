//! A list in pages over one consistent snapshot, for clients whose messages may not be large.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::past::Past;
use super::snapshot::{PodEntry, Snapshot};

/// Snapshots kept for clients that are in the middle of a list. The oldest goes when there are more, and its
/// tokens expire.
const KEPT: usize = 8;

/// The snapshots that continue tokens point into.
#[derive(Debug)]
pub struct Pages {
    past: Past,
}

impl Default for Pages {
    fn default() -> Self {
        Self { past: Past::of_at_most(KEPT) }
    }
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// The pods, in UID order.
    pub pods: Vec<Arc<PodEntry>>,
    /// Revision of the snapshot that all pages of this list come from.
    pub revision: u64,
    /// What the client sends to get the next page; `None` on the last one.
    pub next: Option<String>,
}

/// Why a continue token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// Not a token that this program made.
    Malformed(String),
    /// The snapshot it points into is no longer kept.
    Expired,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(token) => write!(f, "{token:?} is not a continue token of this server"),
            Self::Expired => f.write_str("the continue token has expired: list again from the start"),
        }
    }
}

impl std::error::Error for PageError {}

impl Pages {
    /// At most `limit` selected pods (0: all), from the start of `current` or from where `token` points.
    ///
    /// # Errors
    /// The token is not ours, or its snapshot is gone.
    pub fn page(
        &mut self,
        current: &Arc<Snapshot>,
        token: Option<&str>,
        limit: usize,
        selects: impl Fn(&PodEntry) -> bool,
    ) -> Result<Page, PageError> {
        let (snapshot, start) = match token {
            None => (Arc::clone(current), 0),
            Some(token) => {
                let (revision, start) = parse(token).ok_or_else(|| PageError::Malformed(token.to_owned()))?;
                (self.find(current, revision)?, start)
            }
        };
        let limit = if limit == 0 { usize::MAX } else { limit };
        let mut pods = Vec::new();
        let mut next = None;
        for (at, pod) in snapshot.pods.iter().enumerate().skip(start).filter(|(_, p)| selects(p)) {
            if pods.len() == limit {
                next = Some(format!("{:x}.{at:x}", snapshot.revision));
                break;
            }
            pods.push(Arc::clone(pod));
        }
        if next.is_some() {
            self.past.keep(&snapshot);
        }
        Ok(Page { pods, revision: snapshot.revision, next })
    }

    /// Forgets snapshots that were replaced too long ago ([`KEPT_FOR`](super::past::KEPT_FOR)), now that `revision` is
    /// current. When to come back for more; `None` where nothing is kept.
    pub fn forget(&mut self, revision: u64, now: Instant) -> Option<Instant> {
        self.past.forget(revision, now)
    }

    fn find(&self, current: &Arc<Snapshot>, revision: u64) -> Result<Arc<Snapshot>, PageError> {
        if current.revision == revision {
            return Ok(Arc::clone(current));
        }
        self.past.exactly(revision).cloned().ok_or(PageError::Expired)
    }
}

/// `<revision>.<position>`, both in hexadecimal.
fn parse(token: &str) -> Option<(u64, usize)> {
    let (revision, start) = token.split_once('.')?;
    Some((u64::from_str_radix(revision, 16).ok()?, usize::from_str_radix(start, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::pod_bytes::PodBytes;
    use crate::store::past::KEPT_FOR;
    use crate::store::snapshot::PodId;

    fn snapshot(revision: u64, uids: &[&str]) -> Arc<Snapshot> {
        let pod = |uid: &&str| {
            Arc::new(PodEntry {
                id: Arc::new(PodId { uid: uid.to_string(), namespace: "default".into(), name: uid.to_string() }),
                phase: String::new(),
                container_ids: Vec::new(),
                ips: Vec::new(),
                revision,
                bytes: PodBytes::from_sections(&[], &[], &[], &[]),
            })
        };
        Arc::new(Snapshot { pods: uids.iter().map(pod).collect(), ..Snapshot::empty(revision) })
    }

    fn uids(page: &Page) -> Vec<&str> {
        page.pods.iter().map(|p| p.id.uid.as_str()).collect()
    }

    #[test]
    fn pages_come_from_one_snapshot() {
        let (mut pages, all) = (Pages::default(), |_: &PodEntry| true);
        let first = snapshot(1, &["a", "b", "c"]);
        let page = pages.page(&first, None, 2, all).unwrap();
        assert_eq!(uids(&page), ["a", "b"]);
        let later = snapshot(2, &["b"]);
        let page = pages.page(&later, page.next.as_deref(), 2, all).unwrap();
        assert_eq!((uids(&page), page.revision, page.next.as_deref()), (vec!["c"], 1, None));
        assert_eq!(uids(&pages.page(&first, None, 0, |p| p.id.uid != "b").unwrap()), ["a", "c"]);
    }

    #[test]
    fn a_token_expires_some_time_after_its_snapshot_was_replaced() {
        let (mut pages, all) = (Pages::default(), |_: &PodEntry| true);
        let (first, later, now) = (snapshot(1, &["a", "b"]), snapshot(2, &["a"]), Instant::now());
        let token = pages.page(&first, None, 1, all).unwrap().next;
        assert_eq!(pages.forget(2, now), Some(now + KEPT_FOR));
        assert_eq!(uids(&pages.page(&later, token.as_deref(), 1, all).unwrap()), ["b"]);
        assert_eq!(pages.forget(2, now + KEPT_FOR), None);
        assert_eq!(pages.page(&later, token.as_deref(), 1, all).map(|_| ()), Err(PageError::Expired));
    }

    #[test]
    fn tokens_expire_and_foreign_ones_are_refused() {
        let (mut pages, all) = (Pages::default(), |_: &PodEntry| true);
        let mut token = None;
        for revision in 0..=KEPT as u64 + 1 {
            let s = snapshot(revision, &["a", "b"]);
            let page = pages.page(&s, None, 1, all).unwrap();
            token = token.or(page.next);
        }
        let now = snapshot(99, &[]);
        assert_eq!(pages.page(&now, token.as_deref(), 1, all).map(|_| ()), Err(PageError::Expired));
        for bad in ["", "x", "1", "1.x", "zz.1"] {
            assert_eq!(pages.page(&now, Some(bad), 1, all).map(|_| ()), Err(PageError::Malformed(bad.into())));
        }
    }
}
