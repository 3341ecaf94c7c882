//! UTF-16, which go-yaml reads where a byte order mark begins the text (`go-yaml/yaml readerc.go`). Windows editors
//! write it.

use std::borrow::Cow;

/// The text in UTF-8. `None` for UTF-16 that ends in the middle of a character or holds half of a pair.
#[must_use]
pub fn to_utf8(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let unit: fn([u8; 2]) -> u16 = match text {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Some(Cow::Borrowed(text)),
    };
    let pairs = text.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let units = pairs.skip(1).filter_map(|pair| pair.try_into().ok()).map(unit);
    let decoded: Result<String, _> = char::decode_utf16(units).collect();
    decoded.ok().map(|text| Cow::Owned(text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_what_is_broken() {
        let le = b"\xff\xfea\0:\0 \0\x3d\xd8\x00\xde";
        let be = b"\xfe\xff\0a\0:\0 \xd8\x3d\xde\x00";
        for text in [&le[..], be] {
            assert_eq!(to_utf8(text).as_deref(), Some("a: \u{1f600}".as_bytes()));
        }
        assert_eq!(to_utf8(b"a: 1").as_deref(), Some(&b"a: 1"[..]));
        assert_eq!(to_utf8(b"\xff\xfea"), None);
        assert_eq!(to_utf8(b"\xff\xfe\x3d\xd8"), None);
        assert_eq!(to_utf8(b"\xff\xfe").as_deref(), Some(&b""[..]));
    }
}
