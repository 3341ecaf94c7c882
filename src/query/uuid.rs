//! UUIDs, and the ids that StackRox makes of Kubernetes' UIDs.

use std::fmt;

use super::sha1::sha1;

/// Namespace of the ids of Kubernetes objects (`stackrox/stackrox sensor/kubernetes/listener/resources/convert.go`).
const COMPONENTS: Uuid =
    Uuid([0x32, 0x58, 0x13, 0x26, 0xb6, 0x8f, 0x49, 0xf5, 0xa8, 0xa2, 0x83, 0x85, 0x3c, 0xac, 0x88, 0x13]);

/// A UUID (RFC 9562); printed in its usual form, in lower case with dashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// Reads a whole UUID in any of its usual forms: with dashes, bare (as UIDs of static pods are), in braces, or
    /// behind `urn:uuid:`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
        let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let dashes = match text.len() {
            32 => [usize::MAX; 4],
            36 => [8, 13, 18, 23],
            _ => return None,
        };
        let mut number = 0u128;
        for (at, c) in text.char_indices() {
            if dashes.contains(&at) {
                if c != '-' {
                    return None;
                }
            } else {
                number = number << 4 | u128::from(c.to_digit(16)?);
            }
        }
        Some(Self(number.to_be_bytes()))
    }

    /// The version 5 UUID of `name` in `namespace`.
    #[must_use]
    pub fn v5(namespace: Self, name: &str) -> Self {
        let digest = sha1(&[&namespace.0, name.as_bytes()]);
        let mut number = digest.iter().take(16).fold(0u128, |n, byte| n << 8 | u128::from(*byte));
        number = number & !(0xf << 76) | 5 << 76; // the version
        number = number & !(0b11 << 62) | 0b10 << 62; // the variant
        Self(number.to_be_bytes())
    }

    /// StackRox's id of the Kubernetes object with this UID, whatever form the UID has.
    #[must_use]
    pub fn of_object(uid: &str) -> Self {
        Self::v5(COMPONENTS, uid)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let dash = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_as_stackrox_makes_them() {
        let id = Uuid::of_object("1d591f87-c631-49c3-9398-aafcfd709636");
        assert_eq!(id.to_string(), "89a6ec52-b9b6-55ad-bdc8-781c33653c45");
        // RFC 9562, appendix A.4
        let dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").unwrap();
        assert_eq!(Uuid::v5(dns, "www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    #[test]
    fn forms_and_rubbish() {
        let want = Uuid::parse("1d591f87-c631-49c3-9398-aafcfd709636");
        assert!(want.is_some());
        for same in [
            "1D591F87-C631-49C3-9398-AAFCFD709636",
            "1d591f87c63149c39398aafcfd709636",
            "{1d591f87-c631-49c3-9398-aafcfd709636}",
            "urn:uuid:1d591f87-c631-49c3-9398-aafcfd709636",
        ] {
            assert_eq!(Uuid::parse(same), want, "{same}");
        }
        for bad in [
            "",
            "x",
            "1d591f87-c631-49c3-9398-aafcfd70963",
            "1d591f87-c631-49c3-9398-aafcfd70963g",
            "1d591f87c-631-49c3-9398-aafcfd709636",
            "1d591f87-c631-49c3-9398-aafcfd7096366",
            "{1d591f87-c631-49c3-9398-aafcfd709636",
            "1d591f87-c631-49c3-9398-aafcfd7096３",
        ] {
            assert_eq!(Uuid::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn printed_and_read(bytes: [u8; 16], rubbish in "\\PC{0,40}") {
            prop_assert_eq!(Uuid::parse(&Uuid(bytes).to_string()), Some(Uuid(bytes)));
            let _ = Uuid::parse(&rubbish);
        }
    }
}
