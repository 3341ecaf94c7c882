//! kubectl's JSONPath templates: `{.items[*].metadata.name}`, `{range .items[*]}{.status.phase}{"\n"}{end}`.
//!
//! What is understood, and what comes out: `kubernetes/client-go util/jsonpath`. As there, `$` and `@` both stand for
//! the object at hand, and fields that are not there give nothing.

mod eval;
mod parse;
mod reader;

use std::fmt;

use serde_json::Value;

use crate::codec::json::{escape, number};

/// Text with expressions in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
}

/// One expression: what it finds in a value is found step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    steps: Vec<Step>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Path(Path),
    /// `{range PATH}...{end}`: the nodes for each value found.
    Range(Path, Vec<Node>),
}

/// What is taken from each value that the steps before have found.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// This text, number or truth value, whatever came before.
    Literal(Value),
    /// `.name` or `['name']`.
    Field(String),
    /// `['a.b']`: the field of this name, or else what the path finds.
    Named(String, Path),
    /// `.*` and `[*]`.
    All,
    /// `..`: the value and everything in it.
    Descend,
    /// `[n]`: counted from the end where it is negative.
    Index(i64),
    /// `[from:to:step]`.
    Slice { from: Option<i64>, to: Option<i64>, step: Option<i64> },
    /// `[a,b]`.
    Union(Vec<Path>),
    /// `[?(LEFT)]` and `[?(LEFT OPERATOR RIGHT)]`.
    Filter(Path, Option<(Operator, Path)>),
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What is wrong with a template, or with what it was applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPathError {
    /// Where in the template: characters from 1. None where the template is right and the value does not fit it.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for JsonPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "at character {column}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for JsonPathError {}

impl Template {
    /// Reads a template. One without any brace that begins like an expression (`.status.phase`) is read as one, where
    /// kubectl would print the words as they stand.
    ///
    /// # Errors
    /// It does not follow the grammar; the error says where.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        if !text.contains('{') && text.starts_with(['.', '[', '$', '@']) {
            return Ok(Self { nodes: vec![Node::Path(Path::relaxed(text)?)] });
        }
        parse::template(text).map(|nodes| Self { nodes })
    }

    /// Fills it in for `value`.
    ///
    /// # Errors
    /// An index is beyond the end of its list, or a step meets a value of another kind.
    pub fn print(&self, value: &Value) -> Result<String, JsonPathError> {
        let mut out = String::new();
        print(&self.nodes, value, &mut out)?;
        Ok(out)
    }
}

fn print(nodes: &[Node], value: &Value, out: &mut String) -> Result<(), JsonPathError> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Path(path) => {
                for (i, found) in path.find(value)?.into_iter().enumerate() {
                    out.push_str(if i > 0 { " " } else { "" });
                    text(found, out);
                }
            }
            Node::Range(path, nodes) => path.find(value)?.into_iter().try_for_each(|v| print(nodes, v, out))?,
        }
    }
    Ok(())
}

impl Path {
    /// Reads one expression as `--sort-by` and `custom-columns` take it: `{.metadata.name}`, `.metadata.name` or
    /// `metadata.name`.
    ///
    /// # Errors
    /// It does not follow the grammar; the error says where.
    pub fn relaxed(text: &str) -> Result<Self, JsonPathError> {
        parse::relaxed(text).map(|steps| Self { steps })
    }

    /// What it finds.
    ///
    /// # Errors
    /// An index is beyond the end of its list, or a step meets a value of another kind.
    pub fn find<'a>(&'a self, value: &'a Value) -> Result<Vec<&'a Value>, JsonPathError> {
        eval::find(&self.steps, value)
    }
}

/// A value as templates show it: text without quotes, objects and lists as JSON in one line.
pub fn text(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        other => json(other, out),
    }
}

fn json(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => escape(text, out),
        Value::Number(n) => out.push_str(&number(n)),
        Value::Array(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                json(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                escape(key, out);
                out.push(':');
                json(item, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests;
