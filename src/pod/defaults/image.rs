//! Image references, as far as the default pull policy depends on them.
//!
//! Source: `kubernetes/kubernetes pkg/util/parsers/parsers.go`, grammar of `distribution/reference`.

/// The tag of an image: `latest` where neither tag nor digest is written, empty where there is only a digest or the
/// reference is not valid.
#[must_use]
pub fn tag(image: &str) -> &str {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let path_at = name.rfind('/').map_or(0, |at| at + 1);
    let (repository, tag) = match name.get(path_at..).and_then(|last| last.rfind(':')) {
        Some(colon) => (name.get(..path_at + colon).unwrap_or_default(), name.get(path_at + colon + 1..)),
        None => (name, None),
    };
    if !is_repository(repository) || !tag.is_none_or(is_tag) || !digest.is_none_or(is_digest) {
        return "";
    }
    tag.unwrap_or(if digest.is_none() { "latest" } else { "" })
}

fn is_repository(repository: &str) -> bool {
    let bare_id = repository.len() == 64 && repository.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let path = match repository.split_once('/') {
        Some((first, rest)) if is_domain(first) => {
            if !is_valid_domain(first) {
                return false;
            }
            rest
        }
        _ => repository,
    };
    !bare_id && path.split('/').all(is_component)
}

/// Whether the first part of a name is a registry and not a part of the path.
fn is_domain(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.bytes().any(|c| c.is_ascii_uppercase())
}

fn is_valid_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !domain.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let v6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_ok =
        v6.is_some_and(|h| h.bytes().all(|c| c.is_ascii_hexdigit() || c == b':')) || host.split('.').all(label);
    host_ok && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|c| c.is_ascii_digit()))
}

/// Words of lower-case letters and digits, joined by `.`, `_`, `__` or hyphens.
fn is_component(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(word)
        && part.ends_with(word)
        && part.split(word).all(|sep| matches!(sep, "" | "." | "_" | "__") || sep.bytes().all(|c| c == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(|c| word(c) || matches!(c, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
            && hex.len() >= 32
            && hex.bytes().all(|c| c.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        let digest = format!("a@sha256:{}", "0".repeat(64));
        for (image, want) in [
            ("nginx", "latest"),
            ("nginx:1.25", "1.25"),
            ("nginx:latest", "latest"),
            ("registry.k8s.io/pause:3.9", "3.9"),
            ("localhost:5000/a/b", "latest"),
            ("localhost:5000/a/b:x", "x"),
            ("127.0.0.1:9/none:1", "1"),
            (digest.as_str(), ""),
            ("Test.local/UPPER:1:2", ""),
            ("Upper", ""),
            ("a:latest@sha256:00", ""),
            ("", ""),
            ("a..b", ""),
            ("a__b.c--d", "latest"),
        ] {
            assert_eq!(tag(image), want, "{image}");
        }
        assert_eq!(tag(&digest.replace('@', ":latest@")), "latest");
    }
}
