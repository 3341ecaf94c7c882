//! YAML as `kubectl -o yaml` prints it (`kubernetes-sigs/yaml`): sorted keys, two spaces a level, lists not indented
//! beneath their key, quotes only where YAML 1.1 would read something else, lines folded beyond 80 columns.

mod order;
mod style;

use std::fmt::Write as _;

use serde_json::{Map, Value};

use self::style::Style;
use super::yaml::{is_plain_text, number};

/// Column beyond which a line is folded at the next space.
const WIDTH: usize = 80;
/// Longest key, in bytes, that stands before a colon; a longer one gets a question mark.
const MAX_SIMPLE_KEY: usize = 128;

/// Prints a value as one YAML document, with a line break at the end.
#[must_use]
pub fn print(value: &Value) -> String {
    let mut printer = Printer::default();
    printer.node(value, 0, false);
    printer.finish()
}

#[derive(Default)]
struct Printer {
    out: String,
    /// Characters on the current line.
    column: usize,
}

impl Printer {
    fn finish(mut self) -> String {
        if self.column > 0 {
            self.out.push('\n');
        }
        self.out
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_char(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Goes to this column on a line that holds nothing yet.
    fn indent(&mut self, indent: usize) {
        if self.column > 0 {
            self.line_break();
        }
        for _ in 0..indent {
            self.put_char(' ');
        }
    }

    /// `inline`: the first line goes on where the dash of a list stands.
    fn node(&mut self, value: &Value, indent: usize, inline: bool) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent, inline),
            Value::Array(list) if !list.is_empty() => self.list(list, indent, inline),
            leaf => self.leaf(leaf, indent),
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize, mut inline: bool) {
        let mut members: Vec<_> = map.iter().collect();
        members.sort_by(|a, b| order::compare(a.0, b.0));
        for (key, value) in members {
            if !std::mem::take(&mut inline) {
                self.indent(indent);
            }
            if key.len() <= MAX_SIMPLE_KEY && !key.contains('\n') {
                self.text(key, indent, true);
            } else {
                self.put("? ");
                self.text(key, indent, false);
                self.indent(indent);
            }
            self.put(":");
            match value {
                Value::Object(map) if !map.is_empty() => self.mapping(map, indent + 2, false),
                Value::Array(list) if !list.is_empty() => self.list(list, indent, false),
                leaf => {
                    self.put(" ");
                    self.leaf(leaf, indent);
                }
            }
        }
    }

    fn list(&mut self, list: &[Value], indent: usize, mut inline: bool) {
        for element in list {
            if !std::mem::take(&mut inline) {
                self.indent(indent);
            }
            self.put("- ");
            match element {
                Value::Object(_) | Value::Array(_) => self.node(element, indent + 2, true),
                leaf => self.leaf(leaf, indent),
            }
        }
    }

    fn leaf(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(b) => self.put(if *b { "true" } else { "false" }),
            Value::Number(n) => self.put(&number(n)),
            Value::String(text) => self.text(text, indent, false),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn text(&mut self, text: &str, indent: usize, key: bool) {
        match style::of(text, is_plain_text(text), key) {
            Style::Plain => self.folded(text, indent + 2, !key, false),
            Style::Single => {
                self.put("'");
                self.folded(text, indent + 2, !key, true);
                self.put("'");
            }
            Style::Double => self.double(text, indent + 2, !key),
            Style::Literal => self.literal(text, indent + 2),
        }
    }

    /// Text that may be broken at single spaces. In quotes neither at the first nor at the last character.
    fn folded(&mut self, text: &str, indent: usize, fold: bool, quoted: bool) {
        let mut after_space = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let inside = !quoted || (at > 0 && next.is_some());
            if c == ' ' && fold && !after_space && self.column > WIDTH && inside && next != Some(' ') {
                self.indent(indent);
            } else {
                if c == '\'' && quoted {
                    self.put_char(c);
                }
                self.put_char(c);
            }
            after_space = c == ' ';
        }
    }

    fn double(&mut self, text: &str, indent: usize, fold: bool) {
        self.put("\"");
        let mut after_space = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            if c == ' ' && fold && !after_space && self.column > WIDTH && at > 0 && next.is_some() {
                self.indent(indent);
                if next == Some(' ') {
                    self.put_char('\\');
                }
            } else if style::is_printable(c) && !matches!(c, '"' | '\\' | '\n') {
                self.put_char(c);
            } else {
                self.escape(c);
            }
            after_space = c == ' ';
        }
        self.put("\"");
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let mut code = String::new();
                let n = u32::from(c);
                let _ = match n {
                    0..=0xff => write!(code, "\\x{n:02X}"),
                    0x100..=0xffff => write!(code, "\\u{n:04X}"),
                    _ => write!(code, "\\U{n:08X}"),
                }; // a String takes everything
                return self.put(&code);
            }
        };
        self.put_char('\\');
        self.put_char(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2"); // the depth cannot be seen from the first line
        }
        let breaks = text.len() - text.trim_end_matches('\n').len();
        match breaks {
            0 => self.put("-"),
            1 if text.len() > 1 => {}
            _ => self.put("+"),
        }
        self.line_break();
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches('\n');
            if !content.is_empty() {
                self.indent(indent);
                self.put(content);
            }
            if line.ends_with('\n') {
                self.line_break();
            }
        }
    }
}

#[cfg(test)]
mod tests;
