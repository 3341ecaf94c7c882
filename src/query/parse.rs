//! From text to conditions: `Namespace:default,web+Pod Name:!r/^job-`.
//!
//! Grammar: `stackrox/stackrox pkg/search/parser.go`. Conditions are joined with AND, the values of one with OR.
//!
//! What is dropped silently there is an error here: a condition without a colon or value, and an unknown label. Each
//! would show more pods than were asked for. As an extension a blank before a known label separates conditions too,
//! because that is what becomes of a `+` that was not escaped in a URL.

use super::error::{Problem, QueryError};
use super::label::{self, Label};
use super::value::ValueTest;

/// Longest query in bytes.
pub const MAX_BYTES: usize = 8 * 1024;
/// Most values in one query.
const MAX_VALUES: usize = 256;
/// Most regular expressions in one query: each costs time for each pod.
const MAX_REGEXES: usize = 8;

/// A query: all conditions must hold. Without any it selects every pod.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// At most one for each label.
    pub conditions: Vec<Condition>,
}

/// What is asked of one label: some test must hold.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The label.
    pub label: Label,
    /// At least one test.
    pub tests: Vec<ValueTest>,
}

impl Query {
    /// Reads a query; an empty one, or one of blanks, selects everything. Of two conditions on one label the last one
    /// counts, as in StackRox.
    ///
    /// # Errors
    /// Something in it is not understood: nothing is ignored.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let at = |offset: usize, problem| QueryError { position: position(text, offset), problem };
        if text.len() > MAX_BYTES {
            return Err(at(MAX_BYTES, Problem::TooLong(MAX_BYTES)));
        }
        let (mut query, mut values, mut regexes) = (Self::default(), 0, 0);
        if text.trim_matches(' ').is_empty() {
            return Ok(query);
        }
        for pair in split_pairs(text) {
            let (label, list) = read_pair(pair).map_err(|(offset, problem)| at(offset, problem))?;
            let mut tests = Vec::new();
            for value in split_values(list) {
                values += 1;
                if values > MAX_VALUES {
                    return Err(at(value.start, Problem::TooMany(MAX_VALUES)));
                }
                let test = ValueTest::parse(label, value.text).map_err(|problem| at(value.start, problem))?;
                regexes += test.regexes();
                if regexes > MAX_REGEXES {
                    return Err(at(value.start, Problem::TooManyRegexes(MAX_REGEXES)));
                }
                tests.push(test);
            }
            query.conditions.retain(|before| before.label != label);
            query.conditions.push(Condition { label, tests });
        }
        Ok(query)
    }
}

/// A piece of the query and where it begins, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Piece<'a> {
    fn of(text: &'a str, start: usize, end: usize) -> Self {
        Self { start, text: text.get(start..end).unwrap_or_default() }
    }

    fn trimmed(self) -> Self {
        let text = self.text.trim_start_matches(' ');
        Self { start: self.start + self.text.len() - text.len(), text: text.trim_end_matches(' ') }
    }
}

/// Cuts a query into `label:values` pieces.
///
/// A `+` separates only where a colon, outside quotes, follows it: so that values may hold one. Of several before
/// that colon the last one separates.
fn split_pairs(text: &str) -> Vec<Piece<'_>> {
    let (mut pairs, mut start) = (Vec::new(), 0);
    let (mut quoted, mut colon, mut plus) = (false, false, None);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '+' => plus = Some(at),
            ' ' if colon
                && !follows(text, plus, at)
                && label::opens_condition(text.get(at + 1..).unwrap_or_default()) =>
            {
                pairs.push(Piece::of(text, start, at));
                (start, colon, plus) = (at + 1, false, None);
            }
            ':' => {
                if let Some(plus) = plus.take() {
                    pairs.push(Piece::of(text, start, plus));
                    start = plus + 1;
                }
                colon = true;
            }
            _ => {}
        }
    }
    pairs.push(Piece::of(text, start, text.len()));
    pairs
}

/// Whether nothing but blanks stands between a `+` and this place.
fn follows(text: &str, plus: Option<usize>, at: usize) -> bool {
    let between = plus.and_then(|plus| text.get(plus + 1..at));
    between.is_some_and(|between| between.trim_matches(' ').is_empty())
}

/// The label of a piece, and its values.
fn read_pair(pair: Piece<'_>) -> Result<(Label, Piece<'_>), (usize, Problem)> {
    let whole = pair.trimmed();
    let Some((name, _)) = whole.text.split_once(':') else {
        return Err((whole.start, Problem::NoColon(whole.text.to_owned())));
    };
    let values =
        Piece { start: whole.start + name.len() + 1, text: whole.text.get(name.len() + 1..).unwrap_or_default() };
    let name = name.trim_end_matches(' ');
    let label = Label::named(name).ok_or_else(|| (whole.start, Problem::UnknownLabel(name.to_owned())))?;
    Ok((label, values.trimmed()))
}

/// Cuts values at commas outside quotes. Blanks around them belong to them.
fn split_values(list: Piece<'_>) -> Vec<Piece<'_>> {
    let (mut values, mut start, mut quoted) = (Vec::new(), 0, false);
    let mut push = |from: usize, to: usize| {
        let piece = Piece::of(list.text, from, to);
        values.push(Piece { start: list.start + piece.start, ..piece });
    };
    for (at, c) in list.text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                push(start, at);
                start = at + 1;
            }
            _ => {}
        }
    }
    push(start, list.text.len());
    values
}

/// A place in bytes as a count of characters, from 1.
fn position(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < offset).count() + 1
}

#[cfg(test)]
mod tests;
