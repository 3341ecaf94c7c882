//! `--kubeconfig`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{access, file, load, Access, KubeconfigError};
use crate::source::http::url::Url;

/// Which credentials to use. There is no default: credentials of others are not borrowed silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A kubeconfig.
    File(PathBuf),
    /// The kubelet's own, where the distribution of this node keeps it.
    Auto,
    /// The service account of the pod in which we run.
    InCluster,
    /// No credentials, over plain http: `kubectl proxy`.
    Plain(Url),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "in-cluster" => Ok(Self::InCluster),
            path if path.starts_with('/') => Ok(Self::File(path.into())),
            url if url.contains("://") => match url.parse::<Url>() {
                Ok(url) if !url.is_https() => Ok(Self::Plain(url)),
                Ok(_) => Err("an https API server needs credentials: name a kubeconfig that has them".into()),
                Err(e) => Err(e.to_string()),
            },
            _ => Err(
                "a file is expected (beginning with /), or auto, in-cluster, or http://HOST:PORT of a kubectl proxy"
                    .into(),
            ),
        }
    }
}

impl fmt::Display for Choice {
    /// As the option has it, without what is secret in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Auto => f.write_str("auto"),
            Self::InCluster => f.write_str("in-cluster"),
            Self::Plain(url) => url.fmt(f),
        }
    }
}

impl Choice {
    /// Finds out how to reach the API server. `places` are where [`Choice::Auto`] looks, in this order.
    ///
    /// # Errors
    /// Nothing is there, or it cannot be used.
    pub fn access(&self, places: &[PathBuf]) -> Result<Access, KubeconfigError> {
        match self {
            Self::File(path) => load(path),
            Self::Plain(url) => Ok(Access::anonymous(url.clone())),
            Self::InCluster => access::in_cluster(
                std::env::var("KUBERNETES_SERVICE_HOST").ok(),
                std::env::var("KUBERNETES_SERVICE_PORT").ok(),
                access::SERVICE_ACCOUNT.as_ref(),
            ),
            Self::Auto => match places.iter().find(|path| path.exists()) {
                Some(path) => load(path),
                None => Err(KubeconfigError::NotFound { places: file::shown(places) }),
            },
        }
    }

    /// Files that a named kubeconfig refers to, for who must know beforehand what is read. Empty where the kubeconfig
    /// itself cannot be read.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::File(path) => load(path).map(|access| access.files()).unwrap_or_default(),
            Self::Auto | Self::InCluster | Self::Plain(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form() {
        assert_eq!("auto".parse(), Ok(Choice::Auto));
        assert_eq!("in-cluster".parse(), Ok(Choice::InCluster));
        assert_eq!("/etc/k.conf".parse(), Ok(Choice::File("/etc/k.conf".into())));
        assert!(matches!("http://127.0.0.1:8001".parse(), Ok(Choice::Plain(_))));
        for (bad, word) in [("k.conf", "beginning with /"), ("https://h", "credentials"), ("http://h:x", "port")] {
            let error = bad.parse::<Choice>().unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn auto_says_where_it_looked() {
        let error = Choice::Auto.access(&["/nowhere/a".into(), "/nowhere/b".into()]).unwrap_err().to_string();
        assert_eq!(error, "no kubeconfig of a kubelet at /nowhere/a or /nowhere/b; name one with --kubeconfig");
    }
}
