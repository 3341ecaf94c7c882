//! Status line and headers of an answer.

use std::io::{BufRead, Read};

use super::error::HttpError;

/// Bytes of all headers together.
const MAX_HEAD: u64 = 64 << 10;
const MAX_HEADERS: usize = 100;
/// Interim answers before the answer; a server that has nothing else to say would be listened to for ever.
const MAX_INTERIM: usize = 20;

/// What stands before the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
}

/// How the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After this many bytes.
    Length(u64),
    /// With the chunk of length 0.
    Chunked,
    /// With the connection.
    Close,
}

/// Reads up to the empty line; interim answers (1xx) are passed over.
pub(super) fn read(from: &mut impl BufRead) -> Result<Head, HttpError> {
    for _ in 0..=MAX_INTERIM {
        let head = parse(&whole(from)?)?;
        if head.status == 101 || head.status >= 200 {
            return Ok(head);
        }
    }
    Err(HttpError::Malformed("more than 20 interim answers came before it"))
}

/// The bytes of one head, empty line included.
fn whole(from: &mut impl BufRead) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    let mut limited = from.take(MAX_HEAD);
    loop {
        let before = bytes.len();
        match limited.read_until(b'\n', &mut bytes) {
            Ok(0) if limited.limit() == 0 => return Err(HttpError::Malformed("its headers are longer than 64 KiB")),
            Ok(0) if bytes.is_empty() => return Err(HttpError::Broken("it ended before an answer".into())),
            Ok(0) => return Err(HttpError::Broken("it ended within the headers".into())),
            Ok(_) => {}
            Err(e) => return Err(HttpError::of(&e)),
        }
        let line = bytes.get(before..).unwrap_or_default();
        if before > 0 && (line == b"\n" || line == b"\r\n") {
            return Ok(bytes);
        }
    }
}

/// Parses a whole head, empty line included.
fn parse(bytes: &[u8]) -> Result<Head, HttpError> {
    let mut room = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut room);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(HttpError::Malformed("its headers are cut off")),
        Err(httparse::Error::TooManyHeaders) => return Err(HttpError::Malformed("it has more than 100 headers")),
        Err(httparse::Error::Version) => return Err(HttpError::Malformed("it does not begin with HTTP/1.")),
        Err(_) => return Err(HttpError::Malformed("its status line or a header cannot be read")),
    }
    let status = response.code.filter(|code| (100..600).contains(code));
    let status = status.ok_or(HttpError::Malformed("its status is no number from 100 to 599"))?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
    let headers = response.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect();
    Ok(Head { status, headers })
}

impl Head {
    /// The first value of a header; `name` in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// How the body of the answer to a GET ends (RFC 9112, section 6.3).
    pub(super) fn framing(&self) -> Result<Framing, HttpError> {
        if self.status < 200 || self.status == 204 || self.status == 304 {
            return Ok(Framing::Length(0));
        }
        if self.header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Err(HttpError::Malformed("it is compressed, which was not asked for"));
        }
        if let Some(coding) = self.header("transfer-encoding") {
            if coding.eq_ignore_ascii_case("chunked") {
                return Ok(Framing::Chunked);
            }
            return Err(HttpError::Malformed("its Transfer-Encoding is not chunked"));
        }
        let mut lengths = self.headers.iter().filter(|(n, _)| n == "content-length").map(|(_, v)| v.as_str());
        let Some(first) = lengths.next() else { return Ok(Framing::Close) };
        if lengths.any(|other| other != first) || !first.bytes().all(|b| b.is_ascii_digit()) {
            return Err(HttpError::Malformed("its Content-Length is no single number"));
        }
        first.parse().map(Framing::Length).map_err(|_| HttpError::Malformed("its Content-Length is no single number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn interim_answers_are_passed_over_and_the_body_is_left() {
        let mut from =
            &b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 404 Not Found\r\nContent-Type:  text/plain \r\n\r\nno"[..];
        let head = read(&mut from).unwrap();
        assert_eq!((head.status, head.header("content-type")), (404, Some("text/plain")));
        assert_eq!(head.framing(), Ok(Framing::Close));
        assert_eq!(from, b"no");
    }

    #[test]
    fn interim_answers_have_an_end() {
        let error = read(&mut "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000).as_bytes()).unwrap_err();
        assert_eq!(error, HttpError::Malformed("more than 20 interim answers came before it"));
    }

    #[test]
    fn framing() {
        let table = [
            ("Content-Length: 5", Some(Framing::Length(5))),
            ("Transfer-Encoding: Chunked\r\nContent-Length: 5", Some(Framing::Chunked)),
            ("Content-Length: 5\r\nContent-Length: 5", Some(Framing::Length(5))),
            ("X: y", Some(Framing::Close)),
            ("Content-Encoding: identity", Some(Framing::Close)),
            ("Content-Length: 5\r\nContent-Length: 6", None),
            ("Content-Length: -5", None),
            ("Content-Length: 99999999999999999999", None),
            ("Transfer-Encoding: gzip, chunked", None),
            ("Content-Encoding: gzip", None),
        ];
        for (headers, framing) in table {
            let head = parse(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").as_bytes()).unwrap();
            assert_eq!(head.framing().ok(), framing, "{headers}");
        }
        let empty = parse(b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n").unwrap();
        assert_eq!(empty.framing(), Ok(Framing::Length(0)));
    }

    #[test]
    fn what_is_not_http_is_named() {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
        let table = [
            ("", "before an answer"),
            ("HTTP/1.1 200 OK\r\nX:", "within the headers"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1."),
            ("HTTP/1.1 999 x\r\n\r\n", "100 to 599"),
            (&long, "64 KiB"),
            (&many, "100 headers"),
        ];
        for (bytes, word) in table {
            let error = read(&mut bytes.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_an_error_or_a_head(bytes: Vec<u8>, valid: bool) {
            let mut whole = if valid { b"HTTP/1.1 200 OK\r\n".to_vec() } else { Vec::new() };
            whole.extend(bytes);
            let _ = read(&mut whole.as_slice()).and_then(|head| head.framing());
        }
    }
}
