//! Entity tags: a client that names the one it has is told when nothing has changed.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::reply::Reply;
use super::request::Request;

/// The tag of an answer: what was asked, in which form, and the revision that was shown.
pub(crate) struct Tag(String);

impl Tag {
    /// For an answer whose text depends on nothing else.
    pub(crate) fn of(request: &Request, form: impl Hash, revision: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (&request.target, form).hash(&mut hasher);
        Self(format!("\"{revision:x}-{:x}\"", hasher.finish()))
    }

    /// Whether the client has this very answer.
    pub(crate) fn is_known(&self, request: &Request) -> bool {
        let tags = request.if_none_match.split(',').map(str::trim);
        tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == "*" || tag == self.0)
    }

    /// Says it in the answer.
    pub(crate) fn add(self, reply: &mut Reply) {
        reply.add("ETag", self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::http::request;

    fn asked(target: &str, known: &str) -> Request {
        let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {known}\r\n\r\n");
        request::parse(head.as_bytes()).unwrap().0
    }

    #[test]
    fn what_a_client_has() {
        let tag = Tag::of(&asked("/a", ""), 1, 7);
        let text = &tag.0;
        for (known, want) in [
            (String::new(), false),
            ("*".into(), true),
            (text.clone(), true),
            (format!("\"b\", W/{text}"), true),
            ("\"b\"".into(), false),
        ] {
            assert_eq!(tag.is_known(&asked("/a", &known)), want, "{known}");
        }
        for (target, form, revision) in [("/b", 1, 7), ("/a", 2, 7), ("/a", 1, 8)] {
            assert!(!Tag::of(&asked(target, ""), form, revision).is_known(&asked("/a", text)), "{target}");
        }
    }
}
