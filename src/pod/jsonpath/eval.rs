//! What the steps of an expression find.

use std::cmp::Ordering;

use serde_json::Value;

use super::{JsonPathError, Operator, Path, Step};

/// The values that the last of `steps` finds, from `value` on.
pub fn find<'a>(steps: &'a [Step], value: &'a Value) -> Result<Vec<&'a Value>, JsonPathError> {
    let mut found = vec![value];
    for step in steps {
        let mut next = Vec::new();
        match step {
            Step::Literal(literal) => next.push(literal),
            // Grouped by the alternatives, not by the values.
            Step::Union(paths) => {
                for path in paths {
                    for value in &found {
                        next.extend(self::find(&path.steps, value)?);
                    }
                }
            }
            step => found.into_iter().try_for_each(|value| take(step, value, &mut next))?,
        }
        found = next;
    }
    Ok(found)
}

fn problem(problem: String) -> JsonPathError {
    JsonPathError { column: None, problem }
}

fn take<'a>(step: &'a Step, value: &'a Value, out: &mut Vec<&'a Value>) -> Result<(), JsonPathError> {
    match step {
        Step::Literal(_) | Step::Union(_) => {} // they do not look at one value: see `find`
        Step::Field(name) => out.extend(value.get(name)),
        Step::Named(name, path) => match value.get(name) {
            Some(field) => out.push(field),
            None => out.extend(find(&path.steps, value)?),
        },
        Step::All => out.extend(children(value)),
        Step::Descend => descend(value, out),
        Step::Index(index) => {
            let list = list(value, "an index")?;
            let wrong = || problem(format!("array index out of bounds: index {index}, length {}", list.len()));
            out.push(place(*index, list.len()).and_then(|at| list.get(at)).ok_or_else(wrong)?);
        }
        Step::Slice { from, to, step } => {
            let list = list(value, "a slice")?;
            let wrong = || problem(format!("array index out of bounds: length {}", list.len()));
            let start = place(from.unwrap_or(0), list.len()).ok_or_else(wrong)?;
            let end = to.map_or(Some(list.len()), |to| place(to, list.len())).ok_or_else(wrong)?;
            let part = list.get(start..end).ok_or_else(wrong)?;
            out.extend(part.iter().step_by(step.map_or(1, |n| usize::try_from(n).unwrap_or(1)).max(1)));
        }
        Step::Filter(left, test) => {
            for item in list(value, "a filter")? {
                if passes(item, left, test.as_ref())? {
                    out.push(item);
                }
            }
        }
    }
    Ok(())
}

/// A position, counted from the end where it is negative; the end itself is one.
fn place(index: i64, length: usize) -> Option<usize> {
    let at = if index < 0 { index.checked_add(i64::try_from(length).ok()?)? } else { index };
    usize::try_from(at).ok().filter(|at| *at <= length)
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], JsonPathError> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| problem(format!("{what} needs a list, but finds {}", kind(value))))
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// The value and everything in it that has something in it.
fn descend<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
    let children = children(value);
    if !children.is_empty() {
        out.push(value);
    }
    children.into_iter().for_each(|child| descend(child, out));
}

fn passes(item: &Value, left: &Path, test: Option<&(Operator, Path)>) -> Result<bool, JsonPathError> {
    let lefts = left.find(item)?;
    let Some((operator, right)) = test else { return Ok(!lefts.is_empty()) };
    match (lefts.as_slice(), right.find(item)?.as_slice()) {
        ([], _) | (_, []) => Ok(false),
        ([left], [right]) => compare(left, *operator, right),
        _ => Err(problem("a filter can only compare one element at a time".into())),
    }
}

fn compare(left: &Value, operator: Operator, right: &Value) -> Result<bool, JsonPathError> {
    let order = match (left, right) {
        (Value::String(a), Value::String(b)) => a.partial_cmp(b),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => a.as_f64().partial_cmp(&b.as_f64()),
        },
        (a, b) if operator == Operator::Equal || operator == Operator::NotEqual => (a == b).then_some(Ordering::Equal),
        (a, b) => return Err(problem(format!("a filter cannot compare {} with {}", kind(a), kind(b)))),
    };
    Ok(match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    })
}
