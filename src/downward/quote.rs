//! Text as Go's `%q` prints it, and maps as downward API files hold them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Appends `text` in double quotes with Go's escapes (`strconv.Quote`): printable characters of any script stay, the
/// rest becomes `\n`, `\x00`, `\u00a0` or `\U000e0001`; bytes that are not UTF-8 become `\xff`.
pub fn quote(text: &[u8], out: &mut String) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape(c, out));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
}

fn escape(c: char, out: &mut String) {
    let named = match c {
        '"' | '\\' => Some(c),
        '\u{7}' => Some('a'),
        '\u{8}' => Some('b'),
        '\u{b}' => Some('v'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        _ => None,
    };
    let _ = match (named, u32::from(c)) {
        (Some(letter), _) => write!(out, "\\{letter}"),
        (None, _) if is_printable(c) => write!(out, "{c}"),
        (None, n @ 0..0x80) => write!(out, "\\x{n:02x}"),
        (None, n @ 0..0x1_0000) => write!(out, "\\u{n:04x}"),
        (None, n) => write!(out, "\\U{n:08x}"),
    };
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII blank. The standard library
/// says so through `escape_debug`, which keeps exactly these (marks only behind another character).
fn is_printable(c: char) -> bool {
    let behind_a_letter: String = ['a', c].iter().collect();
    let mut kept = behind_a_letter.escape_debug().skip(1);
    matches!(c, '\'') || (kept.next() == Some(c) && kept.next().is_none())
}

/// The file of a whole map: keys in byte order, a line `key="value"` each, no line break at the end. Source:
/// `kubernetes/kubernetes pkg/fieldpath/fieldpath.go` (FormatMap).
#[must_use]
pub fn map_file(map: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    for (i, (key, value)) in map.iter().enumerate() {
        out.push_str(if i > 0 { "\n" } else { "" });
        out.push_str(key);
        out.push('=');
        quote(value.as_bytes(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_escapes() {
        // Checked against the rules of strconv.Quote.
        let table: [(&[u8], &str); 17] = [
            (b"", r#""""#),
            (b"plain text", r#""plain text""#),
            (b"\x07\x08\x0c\n\r\t\x0b", r#""\a\b\f\n\r\t\v""#),
            (b"\\ \"quoted\" 'single'", r#""\\ \"quoted\" 'single'""#),
            (b"\x00\x01\x1f\x7f", r#""\x00\x01\x1f\x7f""#),
            (b"\xff\xfe", r#""\xff\xfe""#),
            (b"a\xc3", r#""a\xc3""#),
            (
                "gr\u{fc}n \u{2603} \u{65e5}\u{672c} \u{1f600}".as_bytes(),
                "\"gr\u{fc}n \u{2603} \u{65e5}\u{672c} \u{1f600}\"",
            ),
            ("\u{80}\u{9f}".as_bytes(), r#""\u0080\u009f""#),
            ("\u{a0}".as_bytes(), r#""\u00a0""#),
            ("\u{ad}".as_bytes(), r#""\u00ad""#),
            ("\u{200b}\u{2028}\u{feff}".as_bytes(), r#""\u200b\u2028\ufeff""#),
            ("e\u{301}\u{301}".as_bytes(), "\"e\u{301}\u{301}\""),
            ("\u{fffd}".as_bytes(), "\"\u{fffd}\""),
            ("\u{e000}".as_bytes(), r#""\ue000""#),
            ("\u{e0001}".as_bytes(), r#""\U000e0001""#),
            ("\u{10ffff}".as_bytes(), r#""\U0010ffff""#),
        ];
        for (text, want) in table {
            let mut got = String::new();
            quote(text, &mut got);
            assert_eq!(got, want);
        }
    }

    #[test]
    fn keys_are_sorted_not_lines() {
        let map = [("a-b", "2"), ("a", "1"), ("z", "x\ny\n")];
        let map = map.into_iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(map_file(&map), "a=\"1\"\na-b=\"2\"\nz=\"x\\ny\\n\"");
        assert_eq!(map_file(&BTreeMap::new()), "");
    }
}
