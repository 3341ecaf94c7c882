//! The text of a template, character by character, with the words of its grammar.

use serde_json::Value;

use super::JsonPathError;

/// Characters with a position.
pub struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    pub fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0 }
    }

    /// Where it is, in characters from the start.
    pub fn place(&self) -> usize {
        self.at
    }

    /// Goes back, to read again or to say of this place what is wrong.
    pub fn back_to(&mut self, place: usize) {
        self.at = place;
    }

    /// The text between two places.
    pub fn between(&self, start: usize, end: usize) -> String {
        self.text.get(start..end).unwrap_or_default().iter().collect()
    }

    /// What is wrong at this place.
    pub fn problem(&self, problem: impl Into<String>) -> JsonPathError {
        JsonPathError { column: Some(self.at + 1), problem: problem.into() }
    }

    pub fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let taken: String = rest.iter().copied().take_while(|c| wanted(*c)).collect();
        self.at += taken.chars().count();
        taken
    }

    pub fn blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Takes `word` where it stands here as a word.
    pub fn word(&mut self, word: &str) -> bool {
        let start = self.at;
        let here = self.take_while(char::is_alphanumeric) == word;
        if !here {
            self.at = start;
        }
        here
    }

    /// Takes `{end}`.
    pub fn end(&mut self) -> bool {
        let start = self.at;
        let open = self.next() == Some('{');
        self.blanks();
        let word = self.word("end");
        self.blanks();
        if open && word && self.next() == Some('}') {
            return true;
        }
        self.at = start;
        false
    }

    /// The name of a field, in which a backslash takes the next character as it is.
    pub fn field(&mut self) -> Result<String, JsonPathError> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.next();
                name.push(self.next().ok_or_else(|| self.problem("nothing follows the backslash"))?);
            } else if c.is_whitespace() || ".,[]$@{}()=!<>'\"".contains(c) {
                break;
            } else {
                name.push(c);
                self.next();
            }
        }
        Ok(name)
    }

    pub fn quoted(&mut self) -> Result<String, JsonPathError> {
        let open = self.at;
        let quote = self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => {
                    self.at = open;
                    return Err(self.problem("unterminated quoted string"));
                }
                c if c == quote => return Ok(text),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(c) => text.push(c),
                    None => {}
                },
                Some(c) => text.push(c),
            }
        }
    }

    pub fn number(&mut self) -> Result<Value, JsonPathError> {
        let start = self.at;
        let text = self.take_while(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        let digits = text.strip_prefix('+').unwrap_or(&text);
        serde_json::from_str(digits).map_err(|_| {
            self.at = start;
            self.problem(format!("{text} is no number"))
        })
    }
}
