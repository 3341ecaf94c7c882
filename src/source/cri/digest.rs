//! Tells whether a list says the same as before, whatever the order of its items and of their map entries.
//!
//! Runtimes written in Go list out of maps: items, labels and annotations come in a different order each time. So
//! equal content is not equal bytes, and sorting would cost more than it saves. Sums of keyed hashes do not mind
//! the order. The keys are random, so nobody can make annotations that collide.

use std::hash::{BuildHasher, RandomState};

use crate::codec::wire::{self, Value, WireError};

/// One item of a list: its id and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Field 1 of PodSandbox and of Container.
    pub id: &'a str,
    /// The encoded PodSandbox or Container.
    pub bytes: &'a [u8],
    /// What it says, order aside.
    pub digest: u64,
}

/// Hashes with keys of its own.
#[derive(Debug, Default)]
pub struct Digester {
    keys: RandomState,
}

impl Digester {
    /// The items (field 1) of an encoded list reply and the digest of all of them together.
    ///
    /// # Errors
    /// When the bytes are no protobuf message of that shape, or an item has no id.
    pub fn items<'a>(&self, reply: &'a [u8]) -> Result<(Vec<Item<'a>>, u64), WireError> {
        let mut items = Vec::new();
        let mut sum = 0u64;
        for field in wire::fields(reply) {
            let field = field?;
            let (1, Value::Bytes(bytes)) = (field.number, field.value) else { continue };
            let item = self.item(bytes)?;
            // Hashed once more, or two items could trade fields unnoticed.
            sum = sum.wrapping_add(self.keys.hash_one(item.digest));
            items.push(item);
        }
        Ok((items, sum))
    }

    fn item<'a>(&self, bytes: &'a [u8]) -> Result<Item<'a>, WireError> {
        let mut id = None;
        let mut digest = 0u64;
        for field in wire::fields(bytes) {
            let field = field?;
            if let (1, Value::Bytes(value)) = (field.number, field.value) {
                id = std::str::from_utf8(value).ok().filter(|s| !s.is_empty());
            }
            digest = digest.wrapping_add(self.keys.hash_one(field.raw));
        }
        match id {
            Some(id) => Ok(Item { id, bytes, digest }),
            None => Err(WireError { offset: 0, problem: "an item of the list has no id" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::wire::put_bytes;

    fn item(id: &str, labels: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, id.as_bytes());
        for (k, v) in labels {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, k.as_bytes());
            put_bytes(&mut entry, 2, v.as_bytes());
            put_bytes(&mut out, 5, &entry);
        }
        out
    }

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        items.iter().for_each(|i| put_bytes(&mut out, 1, i));
        out
    }

    #[test]
    fn order_does_not_matter_and_content_does() {
        let d = Digester::default();
        let sum = |items: &[Vec<u8>]| d.items(&list(items)).unwrap().1;
        let base = sum(&[item("a", &[("k", "1"), ("l", "2")]), item("b", &[])]);
        assert_eq!(base, sum(&[item("b", &[]), item("a", &[("l", "2"), ("k", "1")])]));
        for other in [
            vec![item("a", &[("k", "1"), ("l", "2")])],
            vec![item("a", &[("k", "1"), ("l", "3")]), item("b", &[])],
            vec![item("a", &[("k", "2"), ("l", "1")]), item("b", &[])],
            vec![item("a", &[("k", "1")]), item("b", &[("l", "2")])],
            vec![item("a", &[("k", "1"), ("l", "2")]), item("b", &[]), item("b", &[])],
        ] {
            assert_ne!(base, sum(&other), "{other:?}");
        }
    }

    #[test]
    fn rubbish_is_refused() {
        let d = Digester::default();
        for bad in [&b"\xff\xff\xff"[..], b"\x0a\x05abc", &list(&[Vec::new()]), &list(&[item("", &[])])] {
            assert!(d.items(bad).is_err(), "{bad:?}");
        }
        assert_eq!(d.items(b"").unwrap().0, []);
    }
}
