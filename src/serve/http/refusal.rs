//! Why a request is refused, and the one place that turns that into HTTP: a Kubernetes Status object.
//!
//! Reasons and words: `kubernetes/apimachinery pkg/api/errors/errors.go`.

use serde_json::{json, Map, Value};

/// Whoever took this for an API server has to be told what it is.
const READ_ONLY: &str = "this is nodepods' read-only view of the node";

/// The API server's words for a verb that a resource does not have.
const NOT_ALLOWED: &str = "the server does not allow this method on the requested resource";

/// A request that gets no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A parameter, header or request line that makes no sense.
    BadRequest(String),
    /// No such path.
    NoSuchPath,
    /// No such object: its resource and name.
    NotFound(&'static str, String),
    /// The resource does not know this verb.
    MethodNotAllowed,
    /// Something would be created, changed or deleted.
    ReadOnly,
    /// What only a runtime or a kubelet can do with a pod, and who does it on the node.
    NotARead(&'static str, &'static str),
    /// Whoever asks may not: why.
    Forbidden(String),
    /// Nothing that the client accepts can be given.
    NotAcceptable(&'static str),
    /// The head did not arrive in time.
    TooSlow,
    /// The body is larger than anything that is read here.
    BodyTooLarge,
    /// The head is larger than the limit, or has too many fields.
    HeadTooLarge,
    /// A protocol that is not spoken here.
    Version,
    /// List options that contradict each other: the field and what is wrong with it.
    InvalidOptions(&'static str, String),
    /// The wanted revision is no longer known.
    Expired(String),
    /// A revision that is yet to come: the wanted and the current one.
    TooNew(u64, u64),
    /// Too many requests or watches at once.
    TooMany(&'static str),
    /// The node is not known yet.
    NotInitialized,
    /// Whoever should answer does not: why.
    Unavailable(String),
    /// Something went wrong on our side.
    Internal(String),
}

/// Code, reason and message of a Status.
struct Words {
    code: u16,
    reason: &'static str,
    message: String,
}

impl Refusal {
    /// The HTTP status code.
    pub(crate) fn code(&self) -> u16 {
        self.words().code
    }

    /// What is wrong, for people.
    pub(crate) fn message(&self) -> String {
        self.words().message
    }

    /// Seconds after which it is worth trying again.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        matches!(self, Self::TooNew(..) | Self::TooMany(_) | Self::NotInitialized | Self::Unavailable(_)).then_some(1)
    }

    /// The Status object as JSON, its members in the order of an API server.
    pub(crate) fn status(&self) -> String {
        let Words { code, reason, message } = self.words();
        let (reason, message, details) = (Value::from(reason), Value::from(message), Value::from(self.details()));
        format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":{message},"reason":{reason},"details":{details},"code":{code}}}"#
        )
    }

    fn details(&self) -> Map<String, Value> {
        let details = match self {
            Self::NotFound(resource, name) => json!({"name": name, "kind": resource}),
            Self::InvalidOptions(field, problem) => json!({
                "group": "meta.k8s.io", "kind": "ListOptions",
                "causes": [{"reason": "FieldValueForbidden", "message": format!("Forbidden: {problem}"), "field": field}],
            }),
            Self::TooNew(..) => {
                json!({"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]})
            }
            _ => json!({}),
        };
        let mut details: Map<String, Value> = details.as_object().cloned().unwrap_or_default();
        details.extend(self.retry_after().map(|seconds| ("retryAfterSeconds".to_owned(), seconds.into())));
        details
    }

    fn words(&self) -> Words {
        let words = |code, reason, message: &str| Words { code, reason, message: message.to_owned() };
        match self {
            Self::BadRequest(message) => words(400, "BadRequest", message),
            Self::NoSuchPath => words(
                404,
                "NotFound",
                &format!("the server could not find the requested resource: {READ_ONLY}, with nothing under this path"),
            ),
            Self::NotFound(resource, name) => words(404, "NotFound", &format!("{resource} {name:?} not found")),
            Self::MethodNotAllowed => words(405, "MethodNotAllowed", NOT_ALLOWED),
            Self::ReadOnly => words(
                405,
                "MethodNotAllowed",
                &format!("{NOT_ALLOWED}: {READ_ONLY}, nothing can be created, changed or deleted through it"),
            ),
            Self::NotARead(what, who) => {
                words(405, "MethodNotAllowed", &format!("{READ_ONLY}: no {what} through it; on the node, try {who}"))
            }
            Self::Forbidden(why) => words(403, "Forbidden", &format!("forbidden: {why}")),
            Self::NotAcceptable(offer) => {
                words(406, "NotAcceptable", &format!("only the following media types are accepted: {offer}"))
            }
            Self::TooSlow => words(408, "Timeout", "the request did not arrive in time"),
            Self::BodyTooLarge => {
                words(413, "RequestEntityTooLarge", "Request entity too large: reads need no body, limit is 65536")
            }
            Self::HeadTooLarge => words(431, "BadRequest", "request header too large: limit is 16 KiB and 64 fields"),
            Self::Version => words(505, "BadRequest", "HTTP/1.0 and HTTP/1.1 are spoken here"),
            Self::InvalidOptions(field, problem) => words(
                422,
                "Invalid",
                &format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: Forbidden: {problem}"),
            ),
            Self::Expired(message) => words(410, "Expired", message),
            Self::TooNew(wanted, current) => {
                words(504, "Timeout", &format!("Too large resource version: {wanted}, current: {current}"))
            }
            Self::TooMany(of_what) => {
                words(429, "TooManyRequests", &format!("too many {of_what}, please try again later"))
            }
            Self::NotInitialized => words(
                503,
                "ServiceUnavailable",
                "the pods of this node are not known yet: a source has not answered; see /readyz?verbose",
            ),
            Self::Unavailable(why) => words(503, "ServiceUnavailable", why),
            Self::Internal(message) => words(500, "InternalError", &format!("Internal error occurred: {message}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_pod_in_the_words_of_the_api_server() {
        let status = Refusal::NotFound("pods", "web".into()).status();
        let want = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"web\" not found","reason":"NotFound","details":{"kind":"pods","name":"web"},"code":404}"#;
        assert_eq!(status, want);
    }

    #[test]
    fn who_wants_to_change_something_is_told_what_this_is() {
        for refusal in [Refusal::ReadOnly, Refusal::NotARead("exec", "'crictl exec'"), Refusal::NoSuchPath] {
            assert!(refusal.message().contains("nodepods' read-only view of the node"), "{refusal:?}");
        }
    }

    #[test]
    fn a_revision_from_the_future_says_when_to_try_again() {
        let status: Value = serde_json::from_str(&Refusal::TooNew(9, 5).status()).unwrap();
        assert_eq!((status["code"].as_u64(), status["reason"].as_str()), (Some(504), Some("Timeout")));
        assert_eq!(status["details"]["retryAfterSeconds"], 1);
        assert_eq!(status["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    }
}
