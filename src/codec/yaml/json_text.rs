//! A text that begins with `{` is JSON. `serde_json` reads it; this finds out where its values stand.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::marks::{Children, Entry, Mark};
use super::{Document, Duplicate, YamlError, MAX_DUPLICATES, MAX_NODES};

pub(super) fn parse(text: &str) -> Result<Document, YamlError> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        let problem = e.to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default();
        YamlError {
            line: e.line() as u32,
            column: e.column() as u32,
            problem: format!(
                "{problem} (a text that begins with {{ is read as JSON); correct it here or shortly before"
            ),
        }
    })?;
    let mut walk =
        Walk { rest: text.chars(), here: Mark { line: 1, column: 1 }, nodes: 0, document: Document::default() };
    walk.blanks();
    let root = walk.here;
    walk.value(&mut String::new())?;
    walk.document.marks.set_root(root);
    walk.document.value = value;
    Ok(walk.document)
}

/// Walks over text that is known to be JSON, no deeper than `serde_json` went.
struct Walk<'t> {
    rest: std::str::Chars<'t>,
    here: Mark,
    nodes: usize,
    document: Document,
}

impl<'t> Walk<'t> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.here = Mark { line: self.here.line + 1, column: 1 };
        } else {
            self.here.column += 1;
        }
        Some(c)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.take();
        }
    }

    /// Takes a string in quotes; gives it as it stands.
    fn string(&mut self) -> &'t str {
        let all = self.rest.as_str();
        self.take();
        while let Some(c) = self.take() {
            match c {
                '"' => break,
                '\\' => {
                    self.take();
                }
                _ => {}
            }
        }
        all.get(..all.len() - self.rest.as_str().len()).unwrap_or_default()
    }

    /// Takes a value; gives the position of its children.
    fn value(&mut self, path: &mut String) -> Result<Option<u32>, YamlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let problem = format!("more than {MAX_NODES} values; write fewer");
            return Err(YamlError { line: self.here.line, column: self.here.column, problem });
        }
        let children = match self.peek() {
            Some('{') => Children::Map(self.members(path)?),
            Some('[') => Children::List(self.elements(path)?),
            Some('"') => {
                self.string();
                return Ok(None);
            }
            _ => {
                while self.peek().is_some_and(|c| !c.is_whitespace() && !",]}".contains(c)) {
                    self.take();
                }
                return Ok(None);
            }
        };
        Ok(Some(self.document.marks.add(children)))
    }

    /// Goes to the next member or element; `false` behind the last one.
    fn more(&mut self, close: char) -> bool {
        self.take(); // the opening bracket, or the comma before
        self.blanks();
        match self.peek() {
            Some(c) if c != close => true,
            _ => {
                self.take();
                false
            }
        }
    }

    fn members(&mut self, path: &mut String) -> Result<Vec<(Box<str>, Entry)>, YamlError> {
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        let above = path.len();
        while self.more('}') {
            let mark = self.here;
            let key: String = serde_json::from_str(self.string()).unwrap_or_default();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&key);
            self.blanks();
            self.take(); // the colon
            self.blanks();
            let node = self.value(path)?;
            if !seen.insert(key.clone()) && self.document.duplicates.len() < MAX_DUPLICATES {
                self.document.duplicates.push(Duplicate::at(path, mark));
            }
            path.truncate(above);
            members.push((key.into(), Entry { mark, node }));
            self.blanks();
            if self.peek() == Some('}') {
                self.take();
                break;
            }
        }
        Ok(members)
    }

    fn elements(&mut self, path: &mut String) -> Result<Vec<Entry>, YamlError> {
        let mut elements = Vec::new();
        let above = path.len();
        while self.more(']') {
            let mark = self.here;
            let _ = write!(path, "[{}]", elements.len()); // a String takes everything
            let node = self.value(path)?;
            path.truncate(above);
            elements.push(Entry { mark, node });
            self.blanks();
            if self.peek() == Some(']') {
                self.take();
                break;
            }
        }
        Ok(elements)
    }
}
