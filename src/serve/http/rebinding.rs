//! Requests that a browser was tricked into: a page of a stranger whose name was made to point at this node (DNS
//! rebinding), or that asks across origins. They matter on TCP, which a browser can reach.

use std::net::IpAddr;

use super::refusal::Refusal;

/// Lets a request through only if it names this machine: by an address, as `localhost`, or by one of `names`.
/// A stranger's page shows its own name as the host, whatever that points to.
///
/// # Errors
/// The host is another, or a page from elsewhere asks.
pub(crate) fn check(host: &str, origin: &str, names: &[String]) -> Result<(), Refusal> {
    let name = without_port(host);
    let ours = |n: &String| n.eq_ignore_ascii_case(name);
    let known = name.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost") || names.iter().any(ours);
    if !host.is_empty() && !known {
        let why = format!("host {host:?} is not a name of this node: ask by its address or as localhost");
        return Err(Refusal::Forbidden(why));
    }
    // A page from here is no stranger.
    if !origin.is_empty() && origin.strip_prefix("http://") != Some(host) {
        return Err(Refusal::Forbidden(format!("a page of {origin:?} may not ask")));
    }
    Ok(())
}

/// `[::1]:8001` is `::1`, `localhost:8001` is `localhost`.
fn without_port(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    let name = authority.split_once(':').map_or(authority, |(name, _)| name);
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_node() {
        let names = ["node-1".to_owned()];
        for (host, origin, want) in [
            ("127.0.0.1:8001", "", true),
            ("[::1]:8001", "", true),
            ("[fe80::1]", "", true),
            ("localhost", "", true),
            ("LocalHost.:8001", "", true),
            ("10.0.0.7", "", true),
            ("node-1:9100", "", true),
            ("", "", true), // HTTP/1.0
            ("evil.example", "", false),
            ("localhost.evil.example:8001", "", false),
            ("node-1.evil.example", "", false),
            ("127.0.0.1.evil.example", "", false),
            ("[evil.example]", "", false),
            ("127.0.0.1:8001", "http://127.0.0.1:8001", true),
            ("127.0.0.1:8001", "http://evil.example", false),
            ("127.0.0.1:8001", "https://localhost.evil.example", false),
            ("127.0.0.1:8001", "null", false),
            ("127.0.0.1:8001", "http://localhost:3000", false),
            ("127.0.0.1:8001", "http://127.0.0.1:8001,http://evil.example", false),
            ("", "http://", true),
        ] {
            assert_eq!(check(host, origin, &names).is_ok(), want, "{host} {origin}");
        }
    }
}
