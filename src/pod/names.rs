//! Names, keys and paths as Kubernetes checks them. Each check returns what is wrong, in Kubernetes' own wording, or
//! nothing.
//!
//! Source: `kubernetes/apimachinery pkg/util/validation/validation.go`, `kubernetes/kubernetes
//! pkg/apis/core/validation/validation.go`.

/// What is wrong with a value; empty when it is valid.
pub type Problems = Vec<String>;

const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;
const QUALIFIED_PART_MAX: usize = 63;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SUBDOMAIN_UNDERSCORE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex \
    used for validation is '[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const QUALIFIED_SHAPE: &str = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must \
    start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
    validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
    'example.com/MyName')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const HEADER_NAME: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. \
    'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// Whether `s` begins and ends with an `end` byte and holds only `end` and `middle` bytes.
fn shaped(s: &str, end: impl Fn(u8) -> bool, middle: impl Fn(u8) -> bool) -> bool {
    let b = s.as_bytes();
    b.first().is_some_and(|&c| end(c)) && b.last().is_some_and(|&c| end(c)) && b.iter().all(|&c| end(c) || middle(c))
}

fn lower(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn word(s: &str) -> bool {
    shaped(s, |c| c.is_ascii_alphanumeric(), |c| matches!(c, b'-' | b'_' | b'.'))
}

/// A DNS label: container, volume and namespace names (`IsDNS1123Label`).
#[must_use]
pub fn dns_label(s: &str) -> Problems {
    let mut out = Problems::new();
    if s.len() > LABEL_MAX {
        out.push(too_long(LABEL_MAX));
    }
    if !shaped(s, lower, |c| c == b'-') {
        out.push(LABEL.to_owned());
    }
    out
}

/// A DNS subdomain: pod, node and class names (`IsDNS1123Subdomain`).
#[must_use]
pub fn dns_subdomain(s: &str) -> Problems {
    subdomain(s, |c| c == b'-', SUBDOMAIN)
}

/// A DNS search path, which may hold underscores (`IsDNS1123SubdomainWithUnderscore`).
#[must_use]
pub fn dns_search(s: &str) -> Problems {
    subdomain(s, |c| matches!(c, b'-' | b'_'), SUBDOMAIN_UNDERSCORE)
}

fn subdomain(s: &str, middle: impl Fn(u8) -> bool + Copy, text: &str) -> Problems {
    let mut out = Problems::new();
    if s.len() > SUBDOMAIN_MAX {
        out.push(too_long(SUBDOMAIN_MAX));
    }
    if !s.split('.').all(|part| shaped(part, lower, middle)) {
        out.push(text.to_owned());
    }
    out
}

/// The key of a label, annotation or resource: an optional DNS prefix, a slash, a name (`IsQualifiedName`).
#[must_use]
pub fn qualified_name(s: &str) -> Problems {
    let mut out = Problems::new();
    let mut parts = s.split('/');
    let (prefix, name) = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => (None, name),
        (Some(prefix), Some(name), None) => (Some(prefix), name),
        _ => return vec![QUALIFIED_SHAPE.to_owned()],
    };
    match prefix {
        Some("") => out.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => out.extend(dns_subdomain(prefix).into_iter().map(|m| format!("prefix part {m}"))),
        None => {}
    }
    if name.is_empty() {
        out.push("name part must be non-empty".to_owned());
    } else if name.len() > QUALIFIED_PART_MAX {
        out.push(format!("name part {}", too_long(QUALIFIED_PART_MAX)));
    }
    if !word(name) {
        out.push(format!("name part {QUALIFIED}"));
    }
    out
}

/// The value of a label (`IsValidLabelValue`).
#[must_use]
pub fn label_value(s: &str) -> Problems {
    let mut out = Problems::new();
    if s.len() > LABEL_MAX {
        out.push(too_long(LABEL_MAX));
    }
    if !s.is_empty() && !word(s) {
        out.push(LABEL_VALUE.to_owned());
    }
    out
}

/// The name of an environment variable, by the relaxed rule that is the default since 1.32
/// (`IsRelaxedEnvVarName`).
#[must_use]
pub fn env_name(s: &str) -> Problems {
    if s.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if s.bytes().all(|c| (b' '..=b'~').contains(&c) && c != b'=') {
        return Problems::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
}

/// The name of a container port (`IsValidPortName`).
#[must_use]
pub fn port_name(s: &str) -> Problems {
    let mut out = Problems::new();
    if s.len() > 15 {
        out.push(too_long(15));
    }
    if s.is_empty() || !s.bytes().all(|c| lower(c) || c == b'-') {
        out.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !s.bytes().any(|c| c.is_ascii_lowercase()) {
        out.push("must contain at least one letter (a-z)".to_owned());
    }
    if s.contains("--") {
        out.push("must not contain consecutive hyphens".to_owned());
    }
    if s.starts_with('-') || s.ends_with('-') {
        out.push("must not begin or end with a hyphen".to_owned());
    }
    out
}

/// A port number (`IsValidPortNum`).
#[must_use]
pub fn port_number(n: i64) -> Problems {
    if (1..=65535).contains(&n) {
        Problems::new()
    } else {
        vec![range_text(1, 65535)]
    }
}

/// The wording for a number out of `low..=high`.
#[must_use]
pub fn range_text(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// The name of an HTTP header (`IsHTTPHeaderName`).
#[must_use]
pub fn header_name(s: &str) -> Problems {
    if !s.is_empty() && s.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
        return Problems::new();
    }
    vec![HEADER_NAME.to_owned()]
}

/// An IP address (`IsValidIP`, in its lenient form that accepts leading zeros, as Kubernetes does for old fields).
#[must_use]
pub fn ip(s: &str) -> Problems {
    if is_ip(s) {
        Problems::new()
    } else {
        vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()]
    }
}

fn is_ip(s: &str) -> bool {
    if s.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    // "010.001.001.001" is taken as decimal by the parser that Kubernetes kept for this.
    let octets: Vec<&str> = s.split('.').collect();
    octets.len() == 4
        && octets.iter().all(|o| (1..=16).contains(&o.len()) && o.bytes().all(|c| c.is_ascii_digit()))
        && octets.iter().all(|o| o.parse::<u64>().is_ok_and(|n| n <= 255))
}

/// A path with no `..` step (`validatePathNoBacksteps`).
#[must_use]
pub fn no_backsteps(path: &str) -> Problems {
    if path.split('/').any(|step| step == "..") {
        return vec!["must not contain '..'".to_owned()];
    }
    Problems::new()
}

/// A relative path with no `..` step (`validateLocalDescendingPath`).
#[must_use]
pub fn descending_path(path: &str) -> Problems {
    let mut out = Problems::new();
    if path.starts_with('/') {
        out.push("must be a relative path".to_owned());
    }
    out.extend(no_backsteps(path));
    out
}

/// A descending path that does not begin with `..` either (`validateLocalNonReservedPath`).
#[must_use]
pub fn non_reserved_path(path: &str) -> Problems {
    let mut out = descending_path(path);
    if path.starts_with("..") && !path.starts_with("../") {
        out.push("must not start with '..'".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> Problems, good: &[&str], bad: &[&str]) {
        for s in good {
            assert_eq!(rule(s), Problems::new(), "{s:?}");
        }
        for s in bad {
            assert_ne!(rule(s), Problems::new(), "{s:?}");
        }
    }

    #[test]
    fn labels_and_subdomains() {
        let long = "a".repeat(64);
        check(dns_label, &["a", "a-b", "0", &long[..63]], &["", "A", "a_b", "-a", "a-", "a.b", "ä", &long]);
        let longer = ["a"; 127].join(".");
        check(dns_subdomain, &["a", "a.b-c.d", &longer[..253]], &["", ".", "a.", ".a", "a..b", "a.-b", "A", "a_b"]);
        check(dns_search, &["a_b.c"], &["_a", "a b"]);
        assert!(dns_subdomain(&format!("{longer}.a")).contains(&"must be no more than 253 characters".to_owned()));
    }

    #[test]
    fn keys_and_values() {
        let long = "a".repeat(64);
        check(
            qualified_name,
            &["a", "A.b_c-d", "example.com/x", "1"],
            &["", "/", "a/", "/a", "a/b/c", "-a", "a b", "Ex/a", &long],
        );
        check(label_value, &["", "a", "a_b.c-D"], &["-", "a b", ".a", "ä", &long]);
        assert_eq!(
            qualified_name("_x"),
            ["name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
              alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
              '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"]
        );
    }

    #[test]
    fn ports_environment_headers() {
        check(port_name, &["http", "a1-b", "a"], &["", "1", "HTTP", "a--b", "-a", "a-", "abcdefghijklmnop", "a_b"]);
        check(env_name, &["A", "a.b-c", "1 2", "."], &["", "A=B", "ä", "a\n"]);
        check(header_name, &["X-Y"], &["", "X Y", "X_Y"]);
        assert!(port_number(1).is_empty() && port_number(65535).is_empty());
        assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
    }

    #[test]
    fn addresses_and_paths() {
        check(ip, &["10.0.0.1", "::1", "010.001.001.001"], &["", "1.2.3", "256.0.0.1", "a", "1.2.3.4/8"]);
        check(no_backsteps, &["/a/b", "a..b", "..a"], &["/a/../b", ".."]);
        check(descending_path, &["", "a/b", "..a"], &["/a", "a/.."]);
        check(non_reserved_path, &["a/..b"], &["..a", "../a", "/a"]);
    }
}
