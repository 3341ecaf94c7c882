//! Values of options that are neither text nor a number, with their spelling.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::source::http::secret::Secret;
use crate::source::http::url::Url;
use crate::store::update::SourceId;

/// Where the container runtime answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `none`: the runtime is not asked, manifests alone are served.
    None,
    /// `unix:///path/to.sock`, or the bare path.
    Unix(PathBuf),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let path = Path::new(text.strip_prefix("unix://").unwrap_or(text));
        if path.is_absolute() {
            Ok(Self::Unix(path.to_path_buf()))
        } else {
            Err("write it as unix:///path/to.sock (three slashes), or as none".into())
        }
    }
}

/// An address and port to listen on: `127.0.0.1:9187`, `[::1]:9187`, or `:9187` for all addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
        let wrong = |_| "an address and a port are expected, such as 127.0.0.1:9187, [::1]:9187 or :9187".to_owned();
        whole.parse().map(Self).map_err(wrong)
    }
}

/// Where a kubelet tells its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubeletEndpoint {
    /// `none`: it is not asked.
    None,
    /// `unix:///path/to.sock`, or the bare path: its own Pods API.
    Unix(PathBuf),
    /// `http://127.0.0.1:10255`: its read-only port.
    Http(Url),
}

impl FromStr for KubeletEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<Url>() {
            Ok(url) if url.is_https() => {
                Err("the https port of a kubelet asks for credentials, and asks the API server \
                about them; name the Pods API's socket or the read-only port (http://127.0.0.1:10255)"
                    .into())
            }
            Ok(url) => Ok(Self::Http(url)),
            Err(e) if text.starts_with("http://") => Err(e.to_string()),
            Err(_) => match text.parse() {
                Ok(Endpoint::None) => Ok(Self::None),
                Ok(Endpoint::Unix(path)) => Ok(Self::Unix(path)),
                Err(_) => Err("write it as unix:///path/to.sock, http://127.0.0.1:10255 or none".into()),
            },
        }
    }
}

/// Where state is kept over restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateDir {
    /// `none`: nothing is kept.
    None,
    /// A directory of our own.
    Path(PathBuf),
}

impl FromStr for StateDir {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("a directory is expected, or none".into()),
            "none" => Ok(Self::None),
            path => Ok(Self::Path(path.into())),
        }
    }
}

/// A text that may hold a password or token. It is read as it is, and checked where [`super::settings`] are made:
/// the command line's own errors repeat a value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden(Secret);

impl Hidden {
    /// The text, to be checked and taken over.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(self.0.expose()).unwrap_or_default()
    }
}

impl FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Secret::new(text)))
    }
}

/// Permission bits in octal: `0600`, `660`, `0o600`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u32);

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o777 && !digits.starts_with('+') => Ok(Self(mode)),
            _ => Err("permission bits are expected in octal, such as 0600".into()),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people, or with priority prefixes for journald.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("text or json is expected".into()),
        }
    }
}

/// Sources that can be waited for by name. The manifests and the runtime are always waited for.
const SOURCES: [SourceId; 5] =
    [SourceId::File, SourceId::Http, SourceId::Runtime, SourceId::ApiServer, SourceId::Kubelet];

/// A source as a person names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceName(pub SourceId);

impl FromStr for SourceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        SOURCES.into_iter().find(|s| s.to_string() == text).map(Self).ok_or_else(|| {
            let names: Vec<_> = SOURCES.iter().map(ToString::to_string).collect();
            format!("a source is expected: {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!("none".parse(), Ok(Endpoint::None));
        assert_eq!("unix:///run/x.sock".parse(), Ok(Endpoint::Unix("/run/x.sock".into())));
        assert_eq!("/run/x.sock".parse(), Ok(Endpoint::Unix("/run/x.sock".into())));
        for bad in ["unix://run/x.sock", "tcp://127.0.0.1:1", ""] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
        assert_eq!("none".parse(), Ok(KubeletEndpoint::None));
        assert_eq!("/run/x.sock".parse(), Ok(KubeletEndpoint::Unix("/run/x.sock".into())));
        let page = "http://127.0.0.1:10255";
        assert_eq!(page.parse(), Ok(KubeletEndpoint::Http(page.parse().unwrap())));
        for (bad, word) in [("https://127.0.0.1:10250", "credentials"), ("http://:1", "host"), ("tcp://x", "10255")] {
            let problem = bad.parse::<KubeletEndpoint>().unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
        assert_eq!("0600".parse(), Ok(Mode(0o600)));
        assert_eq!("0o640".parse(), Ok(Mode(0o640)));
        assert_eq!("660".parse(), Ok(Mode(0o660)));
        for bad in ["", "0800", "1777", "u=rw", "+600"] {
            assert!(bad.parse::<Mode>().is_err(), "{bad}");
        }
        assert_eq!("cri".parse(), Ok(SourceName(SourceId::Runtime)));
        let error = "checkpoint".parse::<SourceName>().unwrap_err();
        assert_eq!(error, "a source is expected: file, http, cri, apiserver, kubelet");
    }
}
