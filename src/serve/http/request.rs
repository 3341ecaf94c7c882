//! A request's head: from bytes to what was asked. Pure.

use super::query::{decode, Query};
use super::refusal::Refusal;

/// Most bytes of a head.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// Most header fields.
const MAX_FIELDS: usize = 64;
/// Largest body that is read over; reads have none.
pub(crate) const MAX_BODY: u64 = 64 * 1024;

/// What is to be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Read it.
    Get,
    /// Read it, but send no body.
    Head,
    /// Anything else.
    Other,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The decoded parts of the path; a slash at the end does not count.
    pub(crate) path: Vec<String>,
    pub(crate) query: Query,
    /// What is wrong with the query, which is empty then. The request can be answered, and the next one after it.
    pub(crate) flaw: Option<Refusal>,
    /// The target as it was sent: what an entity tag is made for.
    pub(crate) target: String,
    /// All Accept fields, joined with commas.
    pub(crate) accept: String,
    pub(crate) if_none_match: String,
    pub(crate) user_agent: String,
    /// The host that the client believes to talk to, with its port; empty where it does not say.
    pub(crate) host: String,
    /// The page that has a browser ask; empty for other clients.
    pub(crate) origin: String,
}

/// How the request stands on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Framing {
    /// Bytes of body behind the head.
    pub(crate) body: u64,
    /// Whether the connection may be used again.
    pub(crate) keep_alive: bool,
    /// Whether the client knows chunks: HTTP/1.1.
    pub(crate) chunks: bool,
}

/// Where the head ends: behind the first empty line. `from` is where an earlier search gave up.
pub(crate) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(2);
    let rest = bytes.get(start..)?;
    let breaks = rest.iter().enumerate().filter(|(_, b)| **b == b'\n');
    for (at, _) in breaks {
        let after = rest.get(at + 1..).unwrap_or_default();
        if after.starts_with(b"\n") {
            return Some(start + at + 2);
        }
        if after.starts_with(b"\r\n") {
            return Some(start + at + 3);
        }
    }
    None
}

/// Reads a whole head.
///
/// # Errors
/// It is not HTTP/1, too long, contradicts itself, or asks for something that is not served.
pub(crate) fn parse(head: &[u8]) -> Result<(Request, Framing), Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(bad("the head has no end")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::Version),
        Err(e) => return Err(bad(&e.to_string())),
    }
    let method = match parsed.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        _ => Method::Other,
    };
    let fields = Fields(parsed.headers);
    let framing = fields.framing(parsed.version == Some(1))?;
    fields.check_host(framing.chunks)?;
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (query, flaw) = match Query::parse(query) {
        Ok(query) => (query, None),
        Err(flaw) => (Query::default(), Some(flaw)),
    };
    let request = Request {
        method,
        path: segments(path)?,
        query,
        flaw,
        target: target.to_owned(),
        accept: fields.joined("accept"),
        if_none_match: fields.joined("if-none-match"),
        user_agent: fields.joined("user-agent"),
        host: fields.joined("host"),
        origin: fields.joined("origin"),
    };
    Ok((request, framing))
}

fn bad(problem: &str) -> Refusal {
    Refusal::BadRequest(format!("not an HTTP/1.1 request: {problem}"))
}

/// The parts of a path. A whole URL, as a proxy is sent, is taken for its path (RFC 9112, section 3.2.2).
fn segments(path: &str) -> Result<Vec<String>, Refusal> {
    let path = match path.strip_prefix("http://") {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => path,
    };
    let Some(path) = path.strip_prefix('/') else {
        return Ok(vec![path.to_owned()]); // an asterisk, an authority: nothing is there
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.split('/').map(|part| decode(part, false)).collect()
}

struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    fn all(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.0.iter().filter(move |f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value)
    }

    fn joined(&self, name: &'a str) -> String {
        self.all(name).map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
    }

    fn has_token(&self, name: &'a str, token: &str) -> bool {
        self.joined(name).split(',').any(|t| t.trim().eq_ignore_ascii_case(token))
    }

    /// Lengths decide where the next request begins, so nothing doubtful is let through (RFC 9112, section 6.3).
    fn framing(&self, chunks: bool) -> Result<Framing, Refusal> {
        let keep_alive = if chunks { !self.has_token("connection", "close") } else { false };
        let mut lengths = self.all("content-length");
        let Some(length) = lengths.next() else {
            let body = self.all("transfer-encoding").next().is_some();
            // A body in chunks is not read at all: the connection ends with the answer.
            return Ok(Framing { body: 0, keep_alive: keep_alive && !body, chunks });
        };
        if lengths.any(|other| other != length) || self.all("transfer-encoding").next().is_some() {
            return Err(bad("the length of the body is contradictory"));
        }
        let digits = std::str::from_utf8(length).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let body: u64 = match digits.map(str::parse) {
            Some(Ok(n)) => n,
            Some(Err(_)) if !length.is_empty() => u64::MAX,
            _ => return Err(bad("the length of the body is not a number")),
        };
        let expects = self.all("expect").next().is_some(); // it may keep the body for itself when we do not want it
        Ok(Framing { body, keep_alive: keep_alive && body <= MAX_BODY && !expects, chunks })
    }

    /// One host, with a port at most. Whether it is one of ours is checked where there is a TCP port to reach
    /// ([`rebinding`](super::rebinding)).
    fn check_host(&self, required: bool) -> Result<(), Refusal> {
        let mut hosts = self.all("host");
        let Some(host) = hosts.next() else {
            return if required { Err(bad("no Host header")) } else { Ok(()) };
        };
        let sound = |b: &u8| b.is_ascii_alphanumeric() || b"-._:[]%~/".contains(b);
        if hosts.next().is_some() || !host.iter().all(sound) {
            return Err(bad("not exactly one host in the Host header"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Request, Framing), Refusal> {
        parse(text.as_bytes())
    }

    #[test]
    fn what_kubectl_sends() {
        let (request, framing) = read(
            "GET /api/v1/namespaces/default/pods/?limit=500&labelSelector=app%3Dweb HTTP/1.1\r\nHost: 127.0.0.1:8001\r\n\
             User-Agent: kubectl/v1.32.4\r\nAccept: application/json;as=Table\r\naccept: application/json\r\n\r\n",
        )
        .unwrap();
        assert_eq!(request.path, ["api", "v1", "namespaces", "default", "pods"]);
        assert_eq!(request.query.get("labelSelector"), Some("app=web"));
        assert_eq!(request.accept, "application/json;as=Table,application/json");
        assert_eq!(framing, Framing { body: 0, keep_alive: true, chunks: true });
    }

    #[test]
    fn how_a_request_stands_on_its_connection() {
        for (fields, want) in [
            ("", (0, true)),
            ("Connection: close\r\n", (0, false)),
            ("Connection: x, Close\r\n", (0, false)),
            ("Content-Length: 12\r\n", (12, true)),
            ("Content-Length: 12\r\nContent-Length: 12\r\n", (12, true)),
            ("Content-Length: 1073741824\r\n", (1 << 30, false)),
            ("Content-Length: 99999999999999999999999\r\n", (u64::MAX, false)),
            ("Transfer-Encoding: chunked\r\n", (0, false)),
            ("Content-Length: 5\r\nExpect: 100-continue\r\n", (5, false)),
        ] {
            let (_, framing) = read(&format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n")).unwrap();
            assert_eq!((framing.body, framing.keep_alive), want, "{fields}");
        }
        let (_, old) = read("GET / HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!(old, Framing { body: 0, keep_alive: false, chunks: false });
    }

    #[test]
    fn doubtful_requests_are_refused() {
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n bad: folded\r\n\r\n",
            "\x16\x03\x01\x02\n\n",
        ] {
            assert!(matches!(read(bad), Err(Refusal::BadRequest(_))), "{bad:?}");
        }
        assert_eq!(read("GET / HTTP/2.0\r\n\r\n").unwrap_err(), Refusal::Version);
        let many = "a: b\r\n".repeat(MAX_FIELDS);
        assert_eq!(read(&format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")).unwrap_err(), Refusal::HeadTooLarge);
    }

    #[test]
    fn paths() {
        for (target, want) in [
            ("/", &[][..]),
            ("/version/", &["version"]),
            ("http://x/api", &["api"]),
            ("http://x", &[]),
            ("/a//b", &["a", "", "b"]),
            ("/a/..%2fb", &["a", "../b"]),
            ("*", &["*"]),
        ] {
            let (request, _) = read(&format!("OPTIONS {target} HTTP/1.1\r\nHost: x\r\n\r\n")).unwrap();
            assert_eq!(request.path, want, "{target}");
        }
    }

    #[test]
    fn the_end_of_a_head_is_found_wherever_the_search_began() {
        for (text, want) in [("GET /\r\nA: b\r\n\r\nrest", Some(15)), ("a\n\nb", Some(3)), ("a\r\nb\r\n", None)] {
            for from in 0..want.unwrap_or(text.len()) {
                assert_eq!(head_end(text.as_bytes(), from), want, "{text:?} from {from}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_text_in_the_places_of_a_request(
            target in "[/a-z%0-9?&=.:+*#]{0,40}", field in "[A-Za-z-]{1,20}", value in "[ -~]{0,40}"
        ) {
            if let Ok((request, _)) = read(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n{field}: {value}\r\n\r\n")) {
                proptest::prop_assert!(request.path.iter().all(|p| !p.contains('\0')));
            }
        }
    }
}
