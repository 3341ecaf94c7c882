//! A directory for one run of kubectl, which nobody else can look into.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

/// The directory; it goes when this is dropped.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// Makes it, under a name that was free, mode 0700.
    ///
    /// # Errors
    /// What mkdir(2) says.
    pub fn new() -> io::Result<Self> {
        let random = RandomState::new().build_hasher().finish();
        let path = env::temp_dir().join(format!("nodepods-kubectl-{random:016x}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a kubeconfig for the server at `address`; its path.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn configuration(&self, address: SocketAddr) -> io::Result<PathBuf> {
        let path = self.0.join("config");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "node", "cluster": {"server": format!("http://{address}")}}],
            "users": [],
            "contexts": [{"name": "node", "context": {"cluster": "node", "user": ""}}],
            "current-context": "node",
        });
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{config:#}")?;
        Ok(path)
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // what is left holds no secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn nobody_else_can_look_into_it_and_it_goes() {
        let private = PrivateDir::new().unwrap();
        let config = private.configuration("127.0.0.1:4711".parse().unwrap()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(private.path()), mode(&config)), (0o700, 0o600));
        assert!(fs::read_to_string(&config).unwrap().contains("\"http://127.0.0.1:4711\""));
        let path = private.path().to_path_buf();
        drop(private);
        assert!(!path.exists());
    }
}
