//! `meta/v1 Status`: how the API server says no. Pure.

use std::time::Duration;

use serde_json::Value;

use super::error::{Refusal, Unreadable};
use super::form::{self, Form};

/// Longest message that is passed on.
const MAX_MESSAGE: usize = 300;

/// What a `Status` in protobuf says.
pub(super) fn from_wire(status: &[u8]) -> Result<Refusal, Unreadable> {
    let details = form::bytes(status, 5)?.unwrap_or_default();
    Ok(Refusal {
        code: code(form::number(status, 6)?),
        reason: line(&form::text(status, 4)?),
        message: line(&form::text(status, 3)?),
        retry_after: seconds(form::number(details, 5)?),
    })
}

/// What a `Status` in JSON says.
pub(super) fn from_json(status: &Value) -> Refusal {
    let text = |key: &str| line(status.get(key).and_then(Value::as_str).unwrap_or_default());
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
    Refusal {
        code: code(number(status.get("code"))),
        reason: text("reason"),
        message: text("message"),
        retry_after: seconds(number(status.pointer("/details/retryAfterSeconds"))),
    }
}

/// What the body of an answer says whose status is not 200; servers in between say it in words of their own.
pub(super) fn from_body(code: u16, content_type: Option<&str>, retry_after: Option<&str>, body: &[u8]) -> Refusal {
    let said = match Form::of(content_type) {
        Ok(Form::Protobuf) => match form::open(body) {
            Ok(object) if object.kind == "Status" => from_wire(object.raw).ok(),
            _ => None,
        },
        Ok(Form::Json) => serde_json::from_slice(body).ok().map(|status| from_json(&status)),
        Err(_) => None,
    };
    let said = said.unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body);
        let plain = content_type.is_some_and(|t| t.starts_with("text/plain"));
        let message = if plain { line(text.trim().lines().next().unwrap_or_default()) } else { String::new() };
        Refusal { message, ..Refusal::default() }
    });
    let header = retry_after.and_then(|text| text.trim().parse().ok()).and_then(seconds);
    Refusal { code, retry_after: header.or(said.retry_after), ..said }
}

fn code(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

fn seconds(number: u64) -> Option<Duration> {
    Some(Duration::from_secs(number)).filter(|d| !d.is_zero())
}

/// One line without control characters.
fn line(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE + 1).collect();
    if out.chars().count() > MAX_MESSAGE {
        out.pop();
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::form::tests::seal;
    use super::*;
    use crate::codec::wire;

    const JSON: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old\nversion",
        "reason":"Expired","details":{"retryAfterSeconds":7},"code":410}"#;

    fn expired() -> Refusal {
        Refusal {
            code: 410,
            reason: "Expired".into(),
            message: "too old version".into(),
            retry_after: Some(Duration::from_secs(7)),
        }
    }

    fn protobuf() -> Vec<u8> {
        let (mut out, mut details) = (Vec::new(), Vec::new());
        wire::put_bytes(&mut out, 2, b"Failure");
        wire::put_bytes(&mut out, 3, b"too old\nversion");
        wire::put_bytes(&mut out, 4, b"Expired");
        wire::put_number(&mut details, 5, 7);
        wire::put_bytes(&mut out, 5, &details);
        wire::put_number(&mut out, 6, 410);
        out
    }

    #[test]
    fn both_forms_say_the_same() {
        assert_eq!(from_json(&serde_json::from_str(JSON).unwrap()), expired());
        assert_eq!(from_wire(&protobuf()), Ok(expired()));
        let sealed = seal("Status", &protobuf());
        let form = Some("application/vnd.kubernetes.protobuf");
        assert_eq!(from_body(410, form, None, &sealed), expired());
        let header = from_body(429, Some("application/json"), Some("3"), JSON.as_bytes());
        assert_eq!((header.code, header.retry_after), (429, Some(Duration::from_secs(3))));
    }

    #[test]
    fn other_servers_have_words_of_their_own() {
        let said = from_body(502, Some("text/plain"), None, b" upstream is down\nmore");
        assert_eq!((said.code, said.message.as_str()), (502, "upstream is down"));
        assert_eq!(from_body(502, Some("text/html"), Some("soon"), b"<html>").message, "");
        assert_eq!(from_body(500, Some("application/json"), None, b"{").code, 500);
        assert_eq!(from_body(500, None, None, &[0xff; 10]).code, 500);
        assert!(from_body(500, Some("text/plain"), None, &[b'x'; 9000]).message.len() < 400);
    }
}
