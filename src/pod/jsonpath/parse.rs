//! Reads templates and expressions.

use serde_json::Value;

use super::{JsonPathError, Node, Operator, Path, Step};

/// Deeper nesting than this is no template that somebody wrote.
const DEEPEST: usize = 64;

/// Reads a template.
pub fn template(text: &str) -> Result<Vec<Node>, JsonPathError> {
    let mut reader = Reader::new(text);
    let nodes = nodes(&mut reader, 0)?;
    match reader.peek() {
        None => Ok(nodes),
        Some(_) => Err(reader.problem("{end} without {range}")),
    }
}

/// Reads one expression, in braces or not, with or without the first dot.
pub fn relaxed(text: &str) -> Result<Vec<Step>, JsonPathError> {
    let inner = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
        let problem = format!("{text:?} is no path; write .metadata.name or {{.metadata.name}}");
        return Err(JsonPathError { column: Some(1), problem });
    };
    let dotted = if inner.starts_with(['.', '[', '$', '@']) { inner.to_string() } else { format!(".{inner}") };
    let mut reader = Reader::new(&dotted);
    let steps = steps(&mut reader, 0, |c| c.is_none())?;
    Ok(steps)
}

/// Nodes up to the end of the text, or up to an `{end}`, whose brace is left where it is.
fn nodes(reader: &mut Reader, depth: usize) -> Result<Vec<Node>, JsonPathError> {
    let mut nodes = Vec::new();
    if depth > DEEPEST {
        return Err(reader.problem("nested too deeply"));
    }
    loop {
        let text = reader.take_while(|c| c != '{');
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        let open = reader.at;
        if reader.peek().is_none() || reader.end() {
            reader.at = open;
            return Ok(nodes);
        }
        reader.next();
        reader.blanks();
        let range = reader.word("range");
        let steps = steps(reader, depth, |c| c.is_none_or(|c| c == '}'))?;
        if reader.next() != Some('}') {
            reader.at = open;
            return Err(reader.problem("unclosed action, } is missing"));
        }
        if !range {
            nodes.push(Node::Path(Path { steps }));
            continue;
        }
        let inner = self::nodes(reader, depth + 1)?;
        if !reader.end() {
            reader.at = open;
            return Err(reader.problem("unclosed range, {end} is missing"));
        }
        nodes.push(Node::Range(Path { steps }, inner));
    }
}

/// Steps up to where `ends` says so.
fn steps(reader: &mut Reader, depth: usize, ends: impl Fn(Option<char>) -> bool) -> Result<Vec<Step>, JsonPathError> {
    let mut steps = Vec::new();
    if depth > DEEPEST {
        return Err(reader.problem("nested too deeply"));
    }
    loop {
        reader.blanks();
        let next = reader.peek();
        if ends(next) {
            return Ok(steps);
        }
        match next {
            None => return Err(reader.problem("the expression ends too early")),
            Some('$' | '@') => {
                reader.next();
            }
            Some('.') => {
                reader.next();
                if reader.peek() == Some('.') {
                    reader.next();
                    steps.push(Step::Descend);
                    if reader.peek() == Some('[') {
                        continue;
                    }
                }
                match reader.field()? {
                    name if name.is_empty() => {} // `{.}`: the value itself
                    name if name == "*" => steps.push(Step::All),
                    name => steps.push(Step::Field(name)),
                }
            }
            Some('[') => steps.push(brackets(reader, depth + 1)?),
            Some('"' | '\'') => steps.push(Step::Literal(Value::String(reader.quoted()?))),
            Some(c) if c.is_ascii_digit() || c == '-' || c == '+' => steps.push(Step::Literal(reader.number()?)),
            Some(c) if c.is_alphabetic() => {
                let start = reader.at;
                match reader.take_while(|c| c.is_alphanumeric() || c == '_').as_str() {
                    "true" => steps.push(Step::Literal(Value::Bool(true))),
                    "false" => steps.push(Step::Literal(Value::Bool(false))),
                    word => {
                        reader.at = start;
                        return Err(
                            reader.problem(format!("unrecognized identifier {word}; a field begins with a dot"))
                        );
                    }
                }
            }
            Some(c) => return Err(reader.problem(format!("unexpected {c:?}"))),
        }
    }
}

/// What stands in brackets: an index, a slice, names, a filter, or several of these.
fn brackets(reader: &mut Reader, depth: usize) -> Result<Step, JsonPathError> {
    let open = reader.at;
    reader.next();
    let mut parts = Vec::new();
    loop {
        reader.blanks();
        parts.push(match reader.peek() {
            Some('*') => {
                reader.next();
                Step::All
            }
            Some('?') => filter(reader, depth)?,
            Some('"' | '\'') => named(reader, depth)?,
            _ => range_of_indexes(reader)?,
        });
        reader.blanks();
        match reader.next() {
            Some(',') => {}
            Some(']') => break,
            _ => {
                reader.at = open;
                return Err(reader.problem("unterminated array, ] is missing"));
            }
        }
    }
    if parts.len() > 1 {
        return Ok(Step::Union(parts.into_iter().map(|step| Path { steps: vec![step] }).collect()));
    }
    parts.pop().ok_or_else(|| reader.problem("an index is missing"))
}

/// A quoted name: the field that is called so, or else what it means as a path, as in `['metadata.name']`.
fn named(reader: &mut Reader, depth: usize) -> Result<Step, JsonPathError> {
    let start = reader.at;
    let name = reader.quoted()?;
    let inner: String = reader.text.get(start + 1..reader.at - 1).unwrap_or_default().iter().collect();
    let path = steps(&mut Reader::new(&format!(".{inner}")), depth, |c| c.is_none());
    Ok(match path {
        Ok(steps) if steps.len() > 1 => Step::Named(name, Path { steps }),
        _ => Step::Field(name),
    })
}

fn range_of_indexes(reader: &mut Reader) -> Result<Step, JsonPathError> {
    let start = reader.at;
    let text = reader.take_while(|c| c.is_ascii_digit() || "+-: ".contains(c));
    let number = |part: &str| match part.trim() {
        "" => Ok(None),
        digits => digits.parse::<i64>().map(Some).map_err(|_| ()),
    };
    let parts = text.split(':').map(number).collect::<Result<Vec<_>, ()>>();
    match parts.as_deref() {
        Ok([Some(index)]) => Ok(Step::Index(*index)),
        Ok([from, to]) => Ok(Step::Slice { from: *from, to: *to, step: None }),
        Ok([from, to, step]) if step.is_none_or(|step| step > 0) => {
            Ok(Step::Slice { from: *from, to: *to, step: *step })
        }
        _ => {
            reader.at = start;
            Err(reader.problem("an index, a slice such as 0:2, a quoted name or * is expected between brackets"))
        }
    }
}

fn filter(reader: &mut Reader, depth: usize) -> Result<Step, JsonPathError> {
    let open = reader.at;
    reader.next();
    if reader.next() != Some('(') {
        reader.at = open;
        return Err(reader.problem("a filter is written as ?(@.name==\"value\")"));
    }
    let left = Path { steps: steps(reader, depth, |c| c.is_none_or(|c| ")=!<>".contains(c)))? };
    let operator = match reader.take_while(|c| "=!<>".contains(c)).as_str() {
        "" => None,
        "==" => Some(Operator::Equal),
        "!=" => Some(Operator::NotEqual),
        "<" => Some(Operator::Less),
        "<=" => Some(Operator::LessOrEqual),
        ">" => Some(Operator::Greater),
        ">=" => Some(Operator::GreaterOrEqual),
        other => return Err(reader.problem(format!("unknown operator {other}; known are == != < <= > >="))),
    };
    let test = match operator {
        Some(operator) => {
            let right = steps(reader, depth, |c| c.is_none_or(|c| c == ')'))?;
            if right.is_empty() {
                return Err(reader.problem("a value is missing behind the operator"));
            }
            Some((operator, Path { steps: right }))
        }
        None => None,
    };
    if reader.next() != Some(')') {
        reader.at = open;
        return Err(reader.problem("unterminated filter, ) is missing"));
    }
    Ok(Step::Filter(left, test))
}

/// Characters with a position.
struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0 }
    }

    fn problem(&self, problem: impl Into<String>) -> JsonPathError {
        JsonPathError { column: Some(self.at + 1), problem: problem.into() }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let taken: String = rest.iter().copied().take_while(|c| wanted(*c)).collect();
        self.at += taken.chars().count();
        taken
    }

    fn blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Takes `word` where it stands here as a word.
    fn word(&mut self, word: &str) -> bool {
        let start = self.at;
        let here = self.take_while(char::is_alphanumeric) == word;
        if !here {
            self.at = start;
        }
        here
    }

    /// Takes `{end}`.
    fn end(&mut self) -> bool {
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
    fn field(&mut self) -> Result<String, JsonPathError> {
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

    fn quoted(&mut self) -> Result<String, JsonPathError> {
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

    fn number(&mut self) -> Result<Value, JsonPathError> {
        let start = self.at;
        let text = self.take_while(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        let digits = text.strip_prefix('+').unwrap_or(&text);
        serde_json::from_str(digits).map_err(|_| {
            self.at = start;
            self.problem(format!("{text} is no number"))
        })
    }
}
