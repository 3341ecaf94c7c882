//! The words of a label selector (`kubernetes/apimachinery pkg/labels/selector.go`, Lexer).

/// One word; the text is kept for error messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A key, a value or one of the words `in` and `notin`.
    Word(&'a str),
    /// `=`, `==`, `!=`, `<`, `>`.
    Operator(&'a str),
    Not,
    Comma,
    Open,
    Close,
    End,
    /// A run of operator letters that is none.
    Bad(&'a str),
}

impl<'a> Token<'a> {
    /// The token as it was written.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Word(s) | Self::Operator(s) | Self::Bad(s) => s,
            Self::Not => "!",
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::End => "",
        }
    }
}

/// Reads tokens from a text.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_symbol(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next token, which stays to be read.
    pub(super) fn peek(&self) -> Token<'a> {
        self.clone().next()
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token<'a> {
        self.rest = self.rest.trim_start_matches(is_blank);
        let Some(first) = self.rest.chars().next() else { return Token::End };
        if !is_symbol(first) {
            return Token::Word(self.take(self.rest.find(|c| is_blank(c) || is_symbol(c)).unwrap_or(self.rest.len())));
        }
        // the longest known symbol of the run; what follows it is the next token
        let run = self.rest.find(|c| !is_symbol(c)).unwrap_or(self.rest.len());
        for len in (1..=run.min(2)).rev() {
            let token = match self.rest.get(..len) {
                Some("!") => Token::Not,
                Some(",") => Token::Comma,
                Some("(") => Token::Open,
                Some(")") => Token::Close,
                Some(op @ ("=" | "==" | "!=" | ">" | "<")) => Token::Operator(op),
                _ => continue,
            };
            self.take(len);
            return token;
        }
        Token::Bad(self.take(run))
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (head, tail) = self.rest.split_at(len);
        self.rest = tail;
        head
    }
}
