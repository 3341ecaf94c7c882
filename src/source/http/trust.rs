//! Whom to believe, and who we are.

use super::secret::Secret;

/// Certificates for TLS. Their PEM text may hold other sections, which are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Authorities that may have signed the server's certificate, as PEM; `None` for those that the system trusts.
    pub authorities: Option<Vec<u8>>,
    /// Believe any server. Signatures are still checked, names and authorities are not.
    pub insecure: bool,
    /// The name that the server's certificate has to carry, where it is not the host of the address.
    pub server_name: Option<String>,
    /// Our own certificate chain and its key, as PEM.
    pub identity: Option<(Vec<u8>, Secret)>,
}
