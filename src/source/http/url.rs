//! `http://` and `https://` addresses.

use std::fmt;
use std::str::FromStr;

use super::secret::Secret;
use crate::codec::base64;

/// Where to ask, and what for. What is printed of it holds neither the user nor the query, either of which can be a
/// credential (pre-signed addresses).
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    https: bool,
    host: String,
    port: u16,
    path: String,
    query: String,
    basic: Option<Secret>,
}

impl Url {
    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, written or implied.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as they stand in the request line.
    #[must_use]
    pub fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// The value of the `Host` header: the port only where it is not the usual one.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == usual_port(self.https) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// The value of the `Authorization` header for a user in the address.
    #[must_use]
    pub fn authorization(&self) -> Option<&Secret> {
        self.basic.as_ref()
    }

    /// The address below this one: `path` begins with `/` and is appended to ours, the query replaces ours.
    #[must_use]
    pub fn below(&self, path: &str, query: &str) -> Self {
        let path = format!("{}{path}", self.path.trim_end_matches('/'));
        Self { path, query: query.into(), ..self.clone() }
    }
}

/// Everything but unreserved letters as `%XX` (RFC 3986, section 2.3).
#[must_use]
pub fn escape(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

fn usual_port(https: bool) -> u16 {
    if https {
        443
    } else {
        80
    }
}

/// What is wrong with an address. Never repeats the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// Neither `http://` nor `https://`.
    Scheme,
    /// No host, or one with letters that a host cannot have.
    Host,
    /// No number from 1 to 65535.
    Port,
    /// A blank or a control character, or a letter beyond ASCII.
    Character,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an address begins with http:// or https://",
            Self::Host => "the address has no valid host; write it as http://HOST:PORT/PATH",
            Self::Port => "the port of an address is a number from 1 to 65535",
            Self::Character => "an address holds no blanks and only ASCII letters; write others as %XX",
        })
    }
}

impl std::error::Error for UrlError {}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(UrlError::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(UrlError::Host)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place)?;
        let port = match port {
            None | Some("") => usual_port(https),
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|p| *p > 0).ok_or(UrlError::Port)?
            }
            Some(_) => return Err(UrlError::Port),
        };
        let path = if path.is_empty() { "/" } else { path };
        let basic = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let pair = [unescape(name), vec![b':'], unescape(password)].concat();
            Secret::new(format!("Basic {}", base64::encode(&pair)))
        });
        Ok(Self { https, host: host.to_ascii_lowercase(), port, path: path.into(), query: query.into(), basic })
    }
}

fn split_port(place: &str) -> Result<(&str, Option<&str>), UrlError> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(UrlError::Host)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| UrlError::Host)?;
        return match after {
            "" => Ok((host, None)),
            _ => after.strip_prefix(':').map(|port| (host, Some(port))).ok_or(UrlError::Host),
        };
    }
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if host.is_empty() || !host.bytes().all(fits) {
        return Err(UrlError::Host);
    }
    Ok((host, port))
}

/// `%XX` as the byte; a `%` that is followed by anything else stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| b == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(b);
                rest = after;
            }
        }
    }
    out
}

/// Without user and with `?...` for a query: fit for logs, findings and health.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)?;
        f.write_str(if self.query.is_empty() { "" } else { "?..." })
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_addresses() {
        let table = [
            ("http://localhost", "localhost", 80, "/", "localhost"),
            ("HTTPS://Example.com/a?b=c#d", "example.com", 443, "/a?b=c", "example.com"),
            ("http://127.0.0.1:8001/", "127.0.0.1", 8001, "/", "127.0.0.1:8001"),
            ("http://[::1]:10255/pods", "::1", 10255, "/pods", "[::1]:10255"),
            ("https://[fd00::1]?x", "fd00::1", 443, "/?x", "[fd00::1]"),
            ("http://u:p@h:/x", "h", 80, "/x", "h"),
        ];
        for (text, host, port, target, authority) in table {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert_eq!((url.target().as_str(), url.authority().as_str()), (target, authority), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        let table = [
            ("", UrlError::Scheme),
            ("localhost:80", UrlError::Scheme),
            ("ftp://h/", UrlError::Scheme),
            ("http://", UrlError::Host),
            ("http://:80", UrlError::Host),
            ("http://a b/", UrlError::Character),
            ("http://h/\r\nX: y", UrlError::Character),
            ("http://h/ä", UrlError::Character),
            ("http://h:0", UrlError::Port),
            ("http://h:65536", UrlError::Port),
            ("http://h:+1", UrlError::Port),
            ("http://[::1", UrlError::Host),
            ("http://[::1]x", UrlError::Host),
            ("http://[h]", UrlError::Host),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Url>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_user_becomes_a_header_and_nothing_secret_is_shown() {
        let url: Url = "https://joe:p%40ss@h/x?sig=abc".parse().unwrap();
        assert_eq!(url.authorization().map(|s| s.expose().to_vec()), Some(b"Basic am9lOnBAc3M=".to_vec()));
        for shown in [format!("{url}"), format!("{url:?}")] {
            assert_eq!(shown, "https://h/x?...");
        }
    }

    #[test]
    fn a_server_may_sit_below_a_path() {
        let server: Url = "https://rancher/k8s/clusters/c-1/".parse().unwrap();
        assert_eq!(server.below("/api/v1/pods", "a=b").target(), "/k8s/clusters/c-1/api/v1/pods?a=b");
        let server: Url = "https://kubernetes".parse().unwrap();
        assert_eq!(server.below("/api", "").target(), "/api");
    }

    proptest! {
        #[test]
        fn rubbish_does_not_panic(text in "(https?://)?[\\PC]{0,30}") {
            if let Ok(url) = text.parse::<Url>() {
                prop_assert!(!url.target().contains(char::is_whitespace));
                prop_assert!(url.target().starts_with('/'));
            }
        }
    }
}
