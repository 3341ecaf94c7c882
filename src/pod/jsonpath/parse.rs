//! Reads templates and expressions.

use serde_json::Value;

use super::reader::Reader;
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
        let open = reader.place();
        if reader.peek().is_none() || reader.end() {
            reader.back_to(open);
            return Ok(nodes);
        }
        reader.next();
        reader.blanks();
        let range = reader.word("range");
        let steps = steps(reader, depth, |c| c.is_none_or(|c| c == '}'))?;
        if reader.next() != Some('}') {
            reader.back_to(open);
            return Err(reader.problem("unclosed action, } is missing"));
        }
        if !range {
            nodes.push(Node::Path(Path { steps }));
            continue;
        }
        let inner = self::nodes(reader, depth + 1)?;
        if !reader.end() {
            reader.back_to(open);
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
                let start = reader.place();
                match reader.take_while(|c| c.is_alphanumeric() || c == '_').as_str() {
                    "true" => steps.push(Step::Literal(Value::Bool(true))),
                    "false" => steps.push(Step::Literal(Value::Bool(false))),
                    word => {
                        reader.back_to(start);
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
    let open = reader.place();
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
                reader.back_to(open);
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
    let start = reader.place();
    let name = reader.quoted()?;
    let inner = reader.between(start + 1, reader.place() - 1);
    let path = steps(&mut Reader::new(&format!(".{inner}")), depth, |c| c.is_none());
    Ok(match path {
        Ok(steps) if steps.len() > 1 => Step::Named(name, Path { steps }),
        _ => Step::Field(name),
    })
}

fn range_of_indexes(reader: &mut Reader) -> Result<Step, JsonPathError> {
    let start = reader.place();
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
            reader.back_to(start);
            Err(reader.problem("an index, a slice such as 0:2, a quoted name or * is expected between brackets"))
        }
    }
}

fn filter(reader: &mut Reader, depth: usize) -> Result<Step, JsonPathError> {
    let open = reader.place();
    reader.next();
    if reader.next() != Some('(') {
        reader.back_to(open);
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
        reader.back_to(open);
        return Err(reader.problem("unterminated filter, ) is missing"));
    }
    Ok(Step::Filter(left, test))
}
