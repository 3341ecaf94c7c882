//! An answer: its head, and a body that is either at hand or produced while it is sent.

use std::fmt::Write as _;
use std::io;
use std::time::SystemTime;

use super::indent::Indenter;
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use crate::codec::time::Time;

/// `Content-Type` of most answers.
pub(crate) const JSON: &str = "application/json";

/// A body that is made while it is sent, on a thread of its own.
pub(crate) trait Produce: Send {
    /// Writes the whole body.
    ///
    /// # Errors
    /// The client is gone, does not read, or the daemon stops; whatever was written has no proper end then.
    fn produce(&mut self, out: &mut Outgoing<'_>) -> io::Result<()>;
}

/// What is sent behind the head.
pub(crate) enum Body {
    /// All of it is here.
    Bytes(Vec<u8>),
    /// It is made piece by piece.
    Produced(Box<dyn Produce>),
}

/// An answer.
pub(crate) struct Reply {
    code: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

impl Reply {
    /// 200 with a body that is here.
    pub(crate) fn bytes(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { code: 200, content_type, headers: Vec::new(), body: Body::Bytes(body.into()) }
    }

    /// 200 with a text.
    pub(crate) fn text(text: &str) -> Self {
        Self::bytes("text/plain; charset=utf-8", text.as_bytes())
    }

    /// 200 with a body that is made while it is sent.
    pub(crate) fn produced(content_type: &'static str, body: impl Produce + 'static) -> Self {
        Self { code: 200, content_type, headers: Vec::new(), body: Body::Produced(Box::new(body)) }
    }

    /// A Status object with its code.
    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        Self::refused(refusal, format!("{}\n", refusal.status()).into_bytes())
    }

    /// The same for people.
    pub(crate) fn pretty_refusal(refusal: &Refusal) -> Self {
        let mut body = Vec::new();
        Indenter::default().feed(&refusal.status(), &mut body);
        body.push(b'\n');
        Self::refused(refusal, body)
    }

    fn refused(refusal: &Refusal, body: Vec<u8>) -> Self {
        let mut reply = Self::bytes(JSON, body).with_code(refusal.code());
        match refusal {
            Refusal::MethodNotAllowed | Refusal::ReadOnly => reply.add("Allow", "GET, HEAD".into()),
            Refusal::NotARead(..) => reply.add("Allow", String::new()),
            _ => {}
        }
        if let Some(seconds) = refusal.retry_after() {
            reply.add("Retry-After", seconds.to_string());
        }
        reply
    }

    /// 304: what the client has is what it would get.
    pub(crate) fn not_modified() -> Self {
        Self::bytes("", []).with_code(304)
    }

    pub(crate) fn with_code(mut self, code: u16) -> Self {
        self.code = code;
        self
    }

    /// Its status code.
    pub(crate) fn code(&self) -> u16 {
        self.code
    }

    /// Adds a header field. The value must be fit for one.
    pub(crate) fn add(&mut self, name: &'static str, value: String) {
        self.headers.push((name, value));
    }

    /// Splits the answer into its head and its body. `chunks`: the client knows chunked bodies.
    pub(crate) fn split(self, keep_alive: bool, chunks: bool) -> (Vec<u8>, Body) {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.code, phrase(self.code));
        let mut field = |name: &str, value: &str| {
            let _ = write!(head, "{name}: {value}\r\n"); // a String takes everything
        };
        if self.code != 304 {
            field("Content-Type", self.content_type);
            match &self.body {
                Body::Bytes(bytes) => field("Content-Length", &bytes.len().to_string()),
                Body::Produced(_) if chunks => field("Transfer-Encoding", "chunked"),
                Body::Produced(_) => {}
            }
        }
        field("Cache-Control", "no-cache, private");
        // RFC 9110, section 5.6.7.
        field("Date", &format!("{} GMT", Time::from(SystemTime::now()).rfc1123()));
        for (name, value) in &self.headers {
            field(name, value);
        }
        if !keep_alive {
            field("Connection", "close");
        }
        head.push_str("\r\n");
        (head.into_bytes(), self.body)
    }

    /// Head and body in one piece; a body that would be produced is left out.
    pub(crate) fn whole(self, keep_alive: bool, chunks: bool) -> Vec<u8> {
        let (mut all, body) = self.split(keep_alive, chunks);
        if let Body::Bytes(body) = body {
            all.extend_from_slice(&body);
        }
        all
    }

    #[cfg(test)]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

fn phrase(code: u16) -> &'static str {
    match code {
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head() {
        let mut reply = Reply::text("ok");
        reply.add("ETag", "\"1\"".into());
        let text = String::from_utf8(reply.whole(true, true)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"));
        let dated = head.lines().any(|l| l.starts_with("Date: ") && l.ends_with(" GMT") && l.len() == 35);
        assert!(dated, "{head}");
        assert!(head.contains("\r\nETag: \"1\"") && !head.contains("Connection"), "{head}");
        assert_eq!(body, "ok");
        assert!(String::from_utf8(Reply::text("").whole(false, true)).unwrap().contains("\r\nConnection: close\r\n"));
    }
}
