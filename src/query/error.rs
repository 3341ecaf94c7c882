//! Why a query is refused, and where in it the reason stands.

use std::fmt;

use super::label;

/// A query that is not understood. Nothing is left out silently: a condition that was dropped would show more pods
/// than were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// The character at which the problem begins, counted from 1.
    pub position: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The query is longer than so many bytes.
    TooLong(usize),
    /// The query has more than so many values.
    TooMany(usize),
    /// No label of a pod that a node can answer.
    UnknownLabel(String),
    /// A condition without a colon.
    NoColon(String),
    /// A label without a value, or an empty one among several: it would mean everything.
    Empty(&'static str),
    /// `!!` asks for "at least one", which means nothing for text.
    AtLeastOne,
    /// No UUID, for a label that has UUIDs as values.
    NotUuid(String),
    /// A regular expression that does not compile, and why.
    Regex(String, String),
    /// More than so many regular expressions.
    TooManyRegexes(usize),
    /// A negated key with a value: which of the two is negated?
    NegatedKey(String),
}

/// Longest piece of a query that an error repeats, in characters.
const MOST_ECHOED: usize = 64;

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query, character {}: ", self.position)?;
        match &self.problem {
            Problem::TooLong(most) => write!(f, "a query has {most} bytes at most"),
            Problem::TooMany(most) => write!(f, "a query has {most} values at most"),
            Problem::UnknownLabel(text) => {
                write!(f, "unknown label {:?}; known here are: {}", short(text), label::known())
            }
            Problem::NoColon(text) => {
                write!(f, "{:?} has no colon; write LABEL:VALUE, with a label out of: {}", short(text), label::known())
            }
            Problem::Empty(name) => {
                write!(f, "{name} has an empty value, which would mean everything; write {name}:* for any value")
            }
            Problem::AtLeastOne => f.write_str("!! is not supported; one ! negates"),
            Problem::NotUuid(text) => {
                write!(f, "value {:?} in search query must be valid UUID, or r/ and a regular expression", short(text))
            }
            Problem::Regex(text, why) => write!(f, "invalid regular expression {:?}: {why}", short(text)),
            Problem::TooManyRegexes(most) => write!(f, "a query has {most} regular expressions at most"),
            Problem::NegatedKey(text) => {
                write!(f, "{:?} negates a key that has a value; write KEY=!VALUE, or !KEY alone", short(text))
            }
        }
    }
}

impl std::error::Error for QueryError {}

fn short(text: &str) -> String {
    let mut cut: String = text.chars().take(MOST_ECHOED).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_where_and_what_to_do() {
        let text = |problem| QueryError { position: 7, problem }.to_string();
        let unknown = text(Problem::UnknownLabel("Nmespace".into()));
        assert!(unknown.starts_with("query, character 7: unknown label \"Nmespace\"; known here are: Pod ID, "));
        assert!(text(Problem::NoColon("x".repeat(9999))).len() < 400);
        assert!(text(Problem::Empty("Namespace")).ends_with("write Namespace:* for any value"));
    }
}
