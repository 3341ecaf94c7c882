//! Label selectors: `app=web,tier in (front, back),!canary`.
//!
//! Grammar, meaning and error texts: `kubernetes/apimachinery pkg/labels/selector.go`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::token::{Token, Tokens};
use super::SelectorError;
use crate::pod::names;

const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

/// All requirements must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// The text does not follow the grammar, or a key or value could not be a label; the text is Kubernetes' own.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut tokens = Tokens::new(text);
        let mut requirements = Vec::new();
        loop {
            match tokens.peek() {
                Token::End => break,
                Token::Word(_) | Token::Not => {}
                other => return Err(found(other, ", expected: !, identifier, or 'end of string'")),
            }
            let requirement =
                requirement(&mut tokens).map_err(|e| SelectorError(format!("unable to parse requirement: {e}")))?;
            requirements.push(requirement);
            match tokens.next() {
                Token::End => break,
                Token::Comma => {
                    let after = tokens.peek();
                    if !matches!(after, Token::Word(_) | Token::Not) {
                        return Err(found(after, ", expected: identifier after ','"));
                    }
                }
                other => return Err(found(other, ", expected: ',' or 'end of string'")),
            }
        }
        Ok(Self { requirements })
    }

    /// True where everything is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels match; `get` gives the value of a label. `!=` and `notin` match where the label is missing.
    pub fn matches<'a>(&self, get: impl Fn(&str) -> Option<Cow<'a, str>>) -> bool {
        self.requirements.iter().all(|r| {
            let value = get(&r.key);
            match &r.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(set) => value.is_some_and(|v| set.contains(v.as_ref())),
                Test::NotIn(set) => value.is_none_or(|v| !set.contains(v.as_ref())),
                Test::Greater(n) => value.and_then(|v| v.parse::<i64>().ok()).is_some_and(|v| v > *n),
                Test::Less(n) => value.and_then(|v| v.parse::<i64>().ok()).is_some_and(|v| v < *n),
            }
        })
    }
}

fn found(token: Token, expected: &str) -> SelectorError {
    SelectorError(format!("found '{}'{expected}", token.text()))
}

fn requirement(tokens: &mut Tokens) -> Result<Requirement, SelectorError> {
    let absent = tokens.peek() == Token::Not;
    if absent {
        tokens.next();
    }
    let key = match tokens.next() {
        Token::Word(key) => key,
        other => return Err(found(other, ", expected: identifier")),
    };
    let problems = names::qualified_name(key);
    if !problems.is_empty() {
        return Err(SelectorError(format!("key: Invalid value: {key:?}: {}", problems.join("; "))));
    }
    let test = if absent {
        Test::Absent
    } else if matches!(tokens.peek(), Token::End | Token::Comma) {
        Test::Exists
    } else {
        test(tokens, key)?
    };
    Ok(Requirement { key: key.to_owned(), test })
}

fn test(tokens: &mut Tokens, key: &str) -> Result<Test, SelectorError> {
    match tokens.next() {
        Token::Word("in") => Ok(Test::In(set(tokens, key)?)),
        Token::Word("notin") => Ok(Test::NotIn(set(tokens, key)?)),
        Token::Operator("!=") => Ok(Test::NotIn(BTreeSet::from([exact(tokens, key)?]))),
        Token::Operator("=" | "==") => Ok(Test::In(BTreeSet::from([exact(tokens, key)?]))),
        Token::Operator(">") => Ok(Test::Greater(number(tokens, key)?)),
        Token::Operator("<") => Ok(Test::Less(number(tokens, key)?)),
        other => Err(found(other, &format!(", expected: {OPERATORS}"))),
    }
}

/// One value; nothing before a comma or the end is the empty value.
fn exact(tokens: &mut Tokens, key: &str) -> Result<String, SelectorError> {
    match tokens.peek() {
        Token::End | Token::Comma => Ok(String::new()),
        Token::Word(v) => {
            tokens.next();
            checked(key, 0, v)
        }
        other => Err(found(other, ", expected: identifier")),
    }
}

fn number(tokens: &mut Tokens, key: &str) -> Result<i64, SelectorError> {
    let text = exact(tokens, key)?;
    text.parse().map_err(|_| {
        SelectorError(format!(
            "values[0]: Invalid value: {text:?}: for 'Gt', 'Lt' operators, the value must be an integer"
        ))
    })
}

/// `(a, b)`; a missing member is the empty value.
fn set(tokens: &mut Tokens, key: &str) -> Result<BTreeSet<String>, SelectorError> {
    match tokens.next() {
        Token::Open => {}
        other => return Err(found(other, ", expected: '('")),
    }
    let mut values = BTreeSet::new();
    loop {
        let value = match tokens.peek() {
            Token::Word(v) => {
                tokens.next();
                checked(key, values.len(), v)?
            }
            Token::Comma | Token::Close => String::new(),
            other => return Err(found(other, ", expected: ',', ')' or identifier")),
        };
        values.insert(value);
        match tokens.next() {
            Token::Comma => {}
            Token::Close => return Ok(values),
            other => return Err(found(other, ", expected: ',' or ')'")),
        }
    }
}

fn checked(key: &str, at: usize, value: &str) -> Result<String, SelectorError> {
    let problems = names::label_value(value);
    if problems.is_empty() {
        return Ok(value.to_owned());
    }
    Err(SelectorError(format!("values[{at}][{key}]: Invalid value: {value:?}: {}", problems.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: [(&str, &str); 3] = [("app", "web"), ("size", "10"), ("empty", "")];

    fn matches(selector: &str) -> bool {
        let get = |k: &str| POD.iter().find(|(key, _)| *key == k).map(|(_, v)| Cow::Borrowed(*v));
        LabelSelector::parse(selector).unwrap_or_else(|e| panic!("{selector}: {e}")).matches(get)
    }

    #[test]
    fn requirements() {
        for yes in [
            "",
            "app",
            "app=web",
            "app==web",
            " app = web , size",
            "app in (web,db)",
            "app in (web)",
            "app notin (db)",
            "app!=db",
            "other!=db",
            "other notin (a)",
            "!other",
            "size>9",
            "size<11",
            "empty=",
            "empty in (,x)",
            "empty in ()",
            "app=web,!other,size",
        ] {
            assert!(matches(yes), "{yes}");
        }
        for no in [
            "other",
            "app=db",
            "app in (db)",
            "app notin (web)",
            "app!=web",
            "!app",
            "size>10",
            "app>1",
            "app=",
            "app,other",
        ] {
            assert!(!matches(no), "{no}");
        }
    }

    #[test]
    fn errors_in_the_words_of_the_api_server() {
        for (selector, want) in [
            ("=a", "found '=', expected: !, identifier, or 'end of string'"),
            ("a=b,", "found '', expected: identifier after ','"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("!!", "unable to parse requirement: found '!', expected: identifier"),
            ("!", "unable to parse requirement: found '', expected: identifier"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=!", "unable to parse requirement: found '!', expected: identifier"),
            ("a in ", "unable to parse requirement: found '', expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"),
            ("@=b", "unable to parse requirement: key: Invalid value: \"@\": name part must consist"),
            ("a=@", "unable to parse requirement: values[0][a]: Invalid value: \"@\": a valid label must be"),
        ] {
            let got = LabelSelector::parse(selector).map_err(|e| e.0);
            assert!(got.as_ref().is_err_and(|e| e.starts_with(want)), "{selector}: {got:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z!=<>(), /.@-]{0,24}") {
            let _ = LabelSelector::parse(&text).map(|s| s.matches(|_| None));
        }
    }
}
