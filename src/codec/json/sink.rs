//! Where the walker puts JSON: a tree of values, or text as Go's encoder writes it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Takes a JSON value piece by piece. A key is followed by its value.
pub(super) trait Sink {
    fn begin_object(&mut self);
    fn end_object(&mut self);
    fn begin_list(&mut self);
    fn end_list(&mut self);
    /// A key of a map.
    fn key(&mut self, key: &str);
    /// A key of the schema, in which nothing has to be escaped.
    fn name(&mut self, name: &'static str) {
        self.key(name);
    }
    fn string(&mut self, text: Cow<'_, str>);
    fn int(&mut self, n: i64);
    fn bool(&mut self, b: bool);
    fn null(&mut self);
    /// JSON text that was found to be sound.
    fn raw(&mut self, json: &str);
}

/// Appends a JSON string as Go's encoder writes it: also `<`, `>`, `&`, U+2028 and U+2029 escaped.
pub fn escape(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = first_that_may_need(rest.as_bytes()) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = special.chars();
        let Some(c) = chars.next() else { break };
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c)); // a String takes everything
            }
            c => out.push(c),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Where the first byte stands that may have to be escaped; each such byte begins a character. Most text has none, so
/// eight bytes are looked at together.
fn first_that_may_need(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// The high bit of each byte below `n`, and maybe of some behind one; exact where none is set.
    const fn below(word: u64, n: u64) -> u64 {
        word.wrapping_sub(LOW * n) & !word & HIGH
    }
    let mut at = 0;
    for eight in bytes.chunks_exact(8) {
        let word = eight.try_into().map_or(0, u64::from_le_bytes);
        let is = |byte: u8| below(word ^ (LOW * byte as u64), 1);
        // Bytes outside of ASCII are looked at one by one: 0xe2 begins U+2028, among others.
        let any = below(word, 0x20) | is(b'"') | is(b'\\') | is(b'<') | is(b'>') | is(b'&') | word & HIGH;
        if any != 0 {
            break;
        }
        at += 8;
    }
    let may_need = |b: &u8| *b < 0x20 || matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2);
    bytes.get(at..)?.iter().position(may_need).map(|n| at + n)
}

/// A JSON number as Go's encoder writes it: floats without an exponent between 1e-6 and 1e21, and no `.0`.
#[must_use]
pub fn number(n: &serde_json::Number) -> String {
    match n.as_f64() {
        Some(f) if n.is_f64() => {
            let size = f.abs();
            if size != 0.0 && !(1e-6..1e21).contains(&size) {
                let text = format!("{f:e}");
                match text.split_once('e') {
                    Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
                    _ => text,
                }
            } else {
                f.to_string()
            }
        }
        _ => n.to_string(),
    }
}

/// Builds a [`Value`]; object keys end up sorted.
#[derive(Default)]
pub(super) struct Tree {
    open: Vec<(Value, String)>,
    key: String,
    done: Value,
}

impl Tree {
    pub(super) fn finish(self) -> Value {
        self.done
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some((Value::Object(map), _)) => {
                map.insert(std::mem::take(&mut self.key), value);
            }
            Some((Value::Array(list), _)) => list.push(value),
            _ => self.done = value,
        }
    }

    fn begin(&mut self, value: Value) {
        self.open.push((value, std::mem::take(&mut self.key)));
    }

    fn end(&mut self) {
        if let Some((value, key)) = self.open.pop() {
            self.key = key;
            self.put(value);
        }
    }
}

impl Sink for Tree {
    fn begin_object(&mut self) {
        self.begin(Value::Object(Map::new()));
    }

    fn end_object(&mut self) {
        self.end();
    }

    fn begin_list(&mut self) {
        self.begin(Value::Array(Vec::new()));
    }

    fn end_list(&mut self) {
        self.end();
    }

    fn key(&mut self, key: &str) {
        key.clone_into(&mut self.key);
    }

    fn string(&mut self, text: Cow<'_, str>) {
        self.put(Value::String(text.into_owned()));
    }

    fn int(&mut self, n: i64) {
        self.put(n.into());
    }

    fn bool(&mut self, b: bool) {
        self.put(b.into());
    }

    fn null(&mut self) {
        self.put(Value::Null);
    }

    fn raw(&mut self, json: &str) {
        self.put(serde_json::from_str(json).unwrap_or_default());
    }
}

/// Writes compact text.
pub(super) struct Text<'o> {
    out: &'o mut String,
    /// Whether something stands before the next element, so that a comma is due.
    follows: bool,
}

impl<'o> Text<'o> {
    pub(super) fn new(out: &'o mut String) -> Self {
        Self { out, follows: false }
    }

    fn comma(&mut self) {
        if std::mem::replace(&mut self.follows, true) {
            self.out.push(',');
        }
    }

    fn begin(&mut self, bracket: char) {
        self.comma();
        self.out.push(bracket);
        self.follows = false;
    }

    fn end(&mut self, bracket: char) {
        self.out.push(bracket);
        self.follows = true;
    }
}

impl Sink for Text<'_> {
    fn begin_object(&mut self) {
        self.begin('{');
    }

    fn end_object(&mut self) {
        self.end('}');
    }

    fn begin_list(&mut self) {
        self.begin('[');
    }

    fn end_list(&mut self) {
        self.end(']');
    }

    fn key(&mut self, key: &str) {
        self.comma();
        escape(key, self.out);
        self.out.push(':');
        self.follows = false;
    }

    fn name(&mut self, name: &'static str) {
        self.comma();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.follows = false;
    }

    fn string(&mut self, text: Cow<'_, str>) {
        self.comma();
        escape(&text, self.out);
    }

    fn int(&mut self, n: i64) {
        self.comma();
        match u8::try_from(n) {
            Ok(digit @ 0..=9) => self.out.push(char::from(b'0' + digit)), // most numbers
            _ => drop(write!(self.out, "{n}")),                           // a String takes everything
        }
    }

    fn bool(&mut self, b: bool) {
        self.comma();
        self.out.push_str(if b { "true" } else { "false" });
    }

    fn null(&mut self) {
        self.comma();
        self.out.push_str("null");
    }

    /// Go compacts what a marshaler gives and escapes it, keeping the order of its keys.
    fn raw(&mut self, json: &str) {
        self.comma();
        let (mut quoted, mut escaped) = (false, false);
        for c in json.chars() {
            match c {
                ' ' | '\t' | '\n' | '\r' if !quoted => continue,
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(c)); // a String takes everything
                }
                _ => self.out.push(c),
            }
            if c == '"' && !escaped {
                quoted = !quoted;
            }
            escaped = quoted && c == '\\' && !escaped;
        }
    }
}
