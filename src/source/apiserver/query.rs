//! What is asked for: the pods of one node. Pure.

use std::fmt::Write;

use crate::source::http::url::escape;

/// The collection.
pub(super) const PATH: &str = "/api/v1/pods";
/// Protobuf, so that pods pass through as they are; JSON from servers that do not speak it.
pub(super) const ACCEPT: &str = "application/vnd.kubernetes.protobuf, application/json";
/// Pods in one page of a list.
const PAGE: u32 = 500;

/// How new a list has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// At least this resource version; `0` for whatever the server has in its cache. Costs the server little, since
    /// its cache is indexed by node.
    NotOlderThan(String),
    /// The newest, read from etcd where the server has no consistent cache.
    Newest,
}

/// The first page of a list.
pub(super) fn list(node: &str, freshness: &Freshness) -> String {
    let mut query = selector(node);
    let _ = write!(query, "&limit={PAGE}");
    if let Freshness::NotOlderThan(version) = freshness {
        let _ = write!(query, "&resourceVersion={}", escape(version));
    }
    query
}

/// The page of a list that follows `token`. A resource version must not stand beside it.
pub(super) fn next_page(node: &str, token: &str) -> String {
    format!("{}&limit={PAGE}&continue={}", selector(node), escape(token))
}

/// A watch of everything after `version`, for at most `seconds`.
pub(super) fn watch(node: &str, version: &str, seconds: u64) -> String {
    let selector = selector(node);
    let version = escape(version);
    format!("{selector}&watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}")
}

fn selector(node: &str) -> String {
    format!("fieldSelector=spec.nodeName%3D{}", escape(node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let cached = Freshness::NotOlderThan("0".into());
        assert_eq!(list("n-1.x", &cached), "fieldSelector=spec.nodeName%3Dn-1.x&limit=500&resourceVersion=0");
        assert_eq!(list("n", &Freshness::Newest), "fieldSelector=spec.nodeName%3Dn&limit=500");
        assert_eq!(next_page("n", "a/b="), "fieldSelector=spec.nodeName%3Dn&limit=500&continue=a%2Fb%3D");
        assert_eq!(
            watch("n&x", "7", 300),
            "fieldSelector=spec.nodeName%3Dn%26x&watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300"
        );
    }
}
