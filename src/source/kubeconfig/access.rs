//! An API server and our credentials for it, read from their files each time they are needed.

use std::path::{Path, PathBuf};

use super::{read, KubeconfigError};
use crate::codec::base64;
use crate::source::http::client::Client;
use crate::source::http::secret::Secret;
use crate::source::http::trust::Trust;
use crate::source::http::url::Url;

/// Of a pod: `token`, `ca.crt` (`kubernetes/client-go rest/config.go`, InClusterConfig).
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Something that stands in the kubeconfig itself or in a file beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// The value.
    Data(Secret),
    /// The file to read at each use, since it may be rotated.
    File(PathBuf),
}

impl Material {
    fn read(&self) -> Result<Secret, KubeconfigError> {
        match self {
            Self::Data(data) => Ok(data.clone()),
            Self::File(path) => Ok(Secret::new(read(path)?)),
        }
    }
}

/// Where the API server is and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The server, perhaps with a path.
    pub server: Url,
    /// Who may have signed its certificate; `None` for those that the system trusts.
    pub authorities: Option<Material>,
    /// Any certificate will do.
    pub insecure: bool,
    /// The name in its certificate, where it differs from the host.
    pub server_name: Option<String>,
    /// Our certificate and key.
    pub identity: Option<(Material, Material)>,
    /// Our token.
    pub token: Option<Material>,
    /// Our name and password.
    pub basic: Option<(String, Secret)>,
}

impl Access {
    /// A server that asks for no credentials.
    #[must_use]
    pub fn anonymous(server: Url) -> Self {
        Self { server, authorities: None, insecure: false, server_name: None, identity: None, token: None, basic: None }
    }

    /// The files that hold credentials.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let identity = self.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
        let all = self.authorities.iter().chain(identity).chain(&self.token);
        let file = |material: &Material| match material {
            Material::Data(_) => None,
            Material::File(path) => Some(path.clone()),
        };
        all.filter_map(file).collect()
    }

    /// A client with the credentials as they are now. Over plain http none are sent, as kubectl does it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn client(&self) -> Result<Client, KubeconfigError> {
        if !self.server.is_https() {
            return Ok(Client::default());
        }
        let authorities = self.authorities.as_ref().map(Material::read).transpose()?;
        let identity = match &self.identity {
            Some((certificate, key)) => Some((certificate.read()?.expose().to_vec(), key.read()?)),
            None => None,
        };
        let trust = Trust {
            authorities: authorities.map(|pem| pem.expose().to_vec()),
            insecure: self.insecure,
            server_name: self.server_name.clone(),
            identity,
        };
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            let token = token.read()?;
            let value = [b"Bearer ", token.expose().trim_ascii()].concat();
            headers.push(("Authorization".to_owned(), Secret::new(value)));
        } else if let Some((name, password)) = &self.basic {
            let pair = [name.as_bytes(), b":", password.expose()].concat();
            headers.push(("Authorization".to_owned(), Secret::new(format!("Basic {}", base64::encode(&pair)))));
        }
        Ok(Client { headers, trust })
    }
}

/// The API server as a pod finds it. `dir` holds the service account.
pub(super) fn in_cluster(host: Option<String>, port: Option<String>, dir: &Path) -> Result<Access, KubeconfigError> {
    let there =
        |value: Option<String>, name| value.filter(|v| !v.is_empty()).ok_or(KubeconfigError::NotInCluster(name));
    let host = there(host, "the variable KUBERNETES_SERVICE_HOST")?;
    let port = there(port, "the variable KUBERNETES_SERVICE_PORT")?;
    let token = dir.join("token");
    if !token.exists() {
        return Err(KubeconfigError::NotInCluster("the token of the service account"));
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let server = format!("https://{host}:{port}").parse().map_err(|e: crate::source::http::url::UrlError| {
        let entry = "KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT".to_owned();
        KubeconfigError::Entry { path: "environment".into(), entry, problem: e.to_string() }
    })?;
    let ca = dir.join("ca.crt");
    let authorities = ca.exists().then_some(Material::File(ca));
    Ok(Access { authorities, token: Some(Material::File(token)), ..Access::anonymous(server) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdir::TestDir;
    use std::fs;

    fn bearer(access: &Access) -> Vec<u8> {
        let client = access.client().unwrap();
        client.headers.first().map(|(_, v)| v.expose().to_vec()).unwrap_or_default()
    }

    #[test]
    fn a_pod_finds_the_server_and_a_new_token() {
        let dir = TestDir::new();
        let found = || in_cluster(Some("fd00::1".into()), Some("443".into()), &dir.path(""));
        assert_eq!(found(), Err(KubeconfigError::NotInCluster("the token of the service account")));
        fs::write(dir.path("token"), "one\n").unwrap();
        fs::write(dir.path("ca.crt"), "CA").unwrap();
        let access = found().unwrap();
        assert_eq!(access.server.to_string(), "https://[fd00::1]/");
        assert_eq!(bearer(&access), b"Bearer one");
        fs::write(dir.path("token"), "two").unwrap();
        assert_eq!(bearer(&access), b"Bearer two");
        assert_eq!(access.client().unwrap().trust.authorities, Some(b"CA".to_vec()));
        assert!(in_cluster(None, Some("443".into()), &dir.path("")).unwrap_err().to_string().contains("SERVICE_HOST"));
    }

    #[test]
    fn nothing_secret_goes_over_plain_http() {
        let token = Some(Material::Data(Secret::new("hunter2")));
        let access = Access { token, ..Access::anonymous("http://127.0.0.1:8001".parse().unwrap()) };
        assert!(access.client().unwrap().headers.is_empty());
        assert!(!format!("{access:?}").contains("hunter"));
    }
}
