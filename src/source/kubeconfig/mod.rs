//! How the API server is reached, and as whom: a kubeconfig, the kubelet's own one, or a pod's service account.

mod access;
mod choice;
mod error;
mod file;

pub use access::{Access, Material};
pub use choice::Choice;
pub use error::KubeconfigError;
pub use file::parse;

use std::fs;
use std::path::Path;

/// Larger files are no kubeconfigs, tokens or certificates.
const MAX_BYTES: u64 = 4 << 20;

/// Reads and understands a kubeconfig. The files that it names are read later, by [`Access::client`].
///
/// # Errors
/// The file cannot be read, or says something that we cannot do.
pub fn load(path: &Path) -> Result<Access, KubeconfigError> {
    parse(path, &read(path)?)
}

fn read(path: &Path) -> Result<Vec<u8>, KubeconfigError> {
    let unreadable = |problem: String| KubeconfigError::Unreadable { path: path.into(), problem };
    match fs::metadata(path) {
        Ok(m) if m.len() > MAX_BYTES => Err(unreadable("it is larger than 4 MiB".into())),
        Ok(_) => fs::read(path).map_err(|e| unreadable(e.to_string())),
        Err(e) => Err(unreadable(e.to_string())),
    }
}
