//! The node's name in the kubelet's client certificate: the common name `system:node:NAME`.
//!
//! The certificate is looked through for that one attribute, not verified: it is the node's own file, and the name
//! is all that is taken from it. A private key in the same file is left alone.

use crate::codec::base64;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// OBJECT IDENTIFIER 2.5.4.3, commonName.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
const NODE: &str = "system:node:";

/// The node name that the first certificate in `pem` was issued for.
#[must_use]
pub fn node_name(pem: &str) -> Option<String> {
    let (_, rest) = pem.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let der = base64::decode(&body.split_ascii_whitespace().collect::<String>())?;
    let starts = (0..der.len()).filter(|at| der.get(*at..).is_some_and(|d| d.starts_with(&COMMON_NAME)));
    for at in starts {
        // After the identifier: one byte of string type, one of length (a name is shorter than 128).
        let Some([_kind, len @ 0..=127, rest @ ..]) = der.get(at + COMMON_NAME.len()..) else { continue };
        let name = rest.get(..usize::from(*len)).and_then(|n| std::str::from_utf8(n).ok());
        if let Some(name) = name.and_then(|n| n.strip_prefix(NODE)).filter(|n| !n.is_empty()) {
            return Some(name.to_string());
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Made for this test: issuer CN `kubernetes`, subject O `system:nodes`, CN `system:node:Node-A1.example`.
    pub const PEM: &str = include_str!("testdata/node.pem");

    #[test]
    fn the_subject_of_a_real_certificate() {
        assert_eq!(node_name(PEM).as_deref(), Some("Node-A1.example"));
    }

    #[test]
    fn rubbish_has_no_name() {
        let cut: String = PEM.lines().take(4).chain([END]).map(|l| format!("{l}\n")).collect();
        for bad in ["", "-----BEGIN CERTIFICATE-----", &cut, &PEM.replace('M', "?")] {
            assert_eq!(node_name(bad), None, "{bad:?}");
        }
    }
}
