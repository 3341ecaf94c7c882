//! The bytes of a request.

use super::error::HttpError;
use super::secret::Secret;
use super::url::Url;

/// Writes a GET. `headers` come last, so that a person can see theirs in a capture; a user in the address becomes
/// `Authorization`, unless a header of that name is given.
pub(super) fn get(url: &Url, accept: &str, headers: &[(String, Secret)]) -> Result<Vec<u8>, HttpError> {
    let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut out = format!("GET {} HTTP/1.1\r\n", url.target()).into_bytes();
    let version = concat!("nodepods/", env!("CARGO_PKG_VERSION"));
    let ours = [
        ("Host", url.authority()),
        ("User-Agent", version.to_owned()),
        ("Accept", accept.to_owned()),
        ("Accept-Encoding", "identity".to_owned()),
    ];
    for (name, value) in ours.iter().filter(|(name, _)| !has(name)) {
        line(&mut out, name, value.as_bytes())?;
    }
    line(&mut out, "Connection", b"close")?;
    if let Some(value) = url.authorization().filter(|_| !has("Authorization")) {
        line(&mut out, "Authorization", value.expose())?;
    }
    for (name, value) in headers {
        line(&mut out, name, value.expose())?;
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), HttpError> {
    // A line break would begin another header, or another request.
    if !is_token(name) || value.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
        return Err(HttpError::Header(name.escape_default().to_string()));
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Whether `name` can be the name of a header (RFC 9110, section 5.6.2).
#[must_use]
pub(in crate::source) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: &str, headers: &[(&str, &str)]) -> Result<String, HttpError> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), Secret::new(*v))).collect();
        get(&url.parse().unwrap(), "*/*", &headers).map(|b| String::from_utf8(b).unwrap())
    }

    #[test]
    fn one_request_a_connection() {
        let got = text("http://u:p@h:81/x?y", &[("X-Key", "v")]).unwrap();
        assert!(got.starts_with("GET /x?y HTTP/1.1\r\nHost: h:81\r\n"), "{got}");
        assert!(got.contains("\r\nConnection: close\r\nAuthorization: Basic dTpw\r\n"), "{got}");
        assert!(got.ends_with("\r\nX-Key: v\r\n\r\n"), "{got}");
    }

    #[test]
    fn a_header_of_the_user_replaces_ours() {
        let got = text("http://u:p@h/", &[("authorization", "Bearer t"), ("host", "other")]).unwrap();
        assert!(!got.contains("Basic") && !got.contains("Host: h"), "{got}");
        assert!(got.contains("\r\nauthorization: Bearer t\r\nhost: other\r\n"), "{got}");
    }

    #[test]
    fn a_header_cannot_begin_another_one() {
        for (name, value) in [("X", "a\r\nY: b"), ("X\r\nY", "a"), ("", "a"), ("X Y", "a"), ("X", "a\0")] {
            let error = text("http://h/", &[(name, value)]).unwrap_err();
            assert!(matches!(&error, HttpError::Header(_)), "{error:?}");
            assert!(!error.to_string().contains("Y: b"), "{error}");
        }
    }
}
