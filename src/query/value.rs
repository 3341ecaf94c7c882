//! One value of a condition: its modifiers, and whether a pod's value satisfies it.
//!
//! Rules: `stackrox/stackrox pkg/search/general_query_parser.go`, `pkg/search/postgres/query/{string,uuid,map}_query.go`.
//! Three things differ on purpose: `%` and `_` stand for themselves, a regular expression is compiled as it was
//! written instead of in lower case (`\D` is not `\d`), and an empty value is an error instead of everything.

use regex_lite::{Regex, RegexBuilder};

use super::error::Problem;
use super::label::{Kind, Label};
use super::uuid::Uuid;

/// Most bytes of a compiled regular expression. What matches in time proportional to its size must be small.
const REGEX_SIZE: usize = 8 * 1024;

/// A test of one value.
#[derive(Clone, Debug)]
pub enum ValueTest {
    /// Of a text or a UUID.
    Scalar(ScalarTest),
    /// Of a map.
    Map(MapTest),
}

/// A test of a text or a UUID.
#[derive(Clone, Debug)]
pub struct ScalarTest {
    /// `!`
    pub negated: bool,
    /// What is looked for.
    pub pattern: Pattern,
}

/// What a value is compared with. An empty value counts as null.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// `*`: there is a value.
    Present,
    /// `-`: there is none.
    Absent,
    /// `v`: begins so, whatever the case; kept in lower case.
    Prefix(String),
    /// `"v"`: this very text.
    Exact(String),
    /// `r/v`: matches somewhere, whatever the case.
    Regex(Regex),
    /// A whole UUID.
    Uuid(Uuid),
}

/// A test of keys with values.
#[derive(Clone, Debug)]
pub enum MapTest {
    /// `*`, `=`: it has entries, or (`-`) it has none.
    Filled(bool),
    /// `key`, `!key`: the key is there, or it is not.
    Key {
        /// `!`
        negated: bool,
        /// The whole key, unless it has modifiers.
        pattern: Pattern,
    },
    /// `key=value`, `=value`, `key=!value`: some entry satisfies both.
    Entry {
        /// Of the key; `None` for any.
        key: Option<ScalarTest>,
        /// Of the value.
        value: ScalarTest,
    },
}

impl ValueTest {
    /// Reads one value of a condition on `label`.
    ///
    /// # Errors
    /// It is empty, no UUID, no regular expression, or contradicts itself.
    pub fn parse(label: Label, text: &str) -> Result<Self, Problem> {
        match label.kind() {
            Kind::Map => MapTest::parse(label, text).map(Self::Map),
            kind => ScalarTest::parse(label, kind, text).map(Self::Scalar),
        }
    }

    /// Whether it needs a regular expression.
    #[must_use]
    pub fn regexes(&self) -> usize {
        let count = |pattern: &Pattern| usize::from(matches!(pattern, Pattern::Regex(_)));
        match self {
            Self::Scalar(test) => count(&test.pattern),
            Self::Map(MapTest::Filled(_)) => 0,
            Self::Map(MapTest::Key { pattern, .. }) => count(pattern),
            Self::Map(MapTest::Entry { key, value }) => {
                count(&value.pattern) + key.as_ref().map_or(0, |key| count(&key.pattern))
            }
        }
    }
}

impl ScalarTest {
    fn parse(label: Label, kind: Kind, text: &str) -> Result<Self, Problem> {
        if text.starts_with("!!") {
            return Err(Problem::AtLeastOne);
        }
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let pattern = match text {
            "" => return Err(Problem::Empty(label.name())),
            "*" => Pattern::Present,
            "-" => Pattern::Absent,
            _ => match (text.strip_prefix("r/"), quoted(text)) {
                (Some(regex), _) => Pattern::Regex(compile(label, regex)?),
                (None, exact) if kind == Kind::Uuid => {
                    let text = exact.unwrap_or(text);
                    Pattern::Uuid(Uuid::parse(text).ok_or_else(|| Problem::NotUuid(text.to_owned()))?)
                }
                (None, Some(exact)) => Pattern::Exact(exact.to_owned()),
                (None, None) => Pattern::Prefix(text.to_lowercase()),
            },
        };
        Ok(Self { negated, pattern })
    }

    /// Whether a value satisfies it; an empty one counts as null.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        self.pattern.matches(value) != self.negated
    }

    /// Whether it is satisfied where there is no value at all to be tested: only a question for null is.
    #[must_use]
    pub fn holds_for_none(&self) -> bool {
        match self.pattern {
            Pattern::Present => self.negated,
            Pattern::Absent => !self.negated,
            _ => false,
        }
    }
}

impl Pattern {
    /// Whether it fits a value, `!` left aside.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::Present => !value.is_empty(),
            Self::Absent => value.is_empty(),
            Self::Prefix(prefix) => begins_with(value, prefix),
            Self::Exact(exact) => value == exact,
            Self::Regex(regex) => regex.is_match(value),
            Self::Uuid(uuid) => Uuid::parse(value) == Some(*uuid),
        }
    }
}

impl MapTest {
    fn parse(label: Label, text: &str) -> Result<Self, Problem> {
        if text.starts_with("!!") {
            return Err(Problem::AtLeastOne);
        }
        match text {
            "" | "!" => return Err(Problem::Empty(label.name())),
            "*" | "=" | "!-" => return Ok(Self::Filled(true)),
            "-" | "!*" => return Ok(Self::Filled(false)),
            _ => {}
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let (negated, bare) = key.strip_prefix('!').map_or((false, key), |rest| (true, rest));
        if value.is_empty() {
            let pattern = match (bare.strip_prefix("r/"), quoted(bare)) {
                _ if bare.is_empty() => return Err(Problem::Empty(label.name())),
                (Some(regex), _) => Pattern::Regex(compile(label, regex)?),
                (None, exact) => Pattern::Exact(exact.unwrap_or(bare).to_owned()),
            };
            return Ok(Self::Key { negated, pattern });
        }
        if negated {
            return Err(Problem::NegatedKey(text.to_owned()));
        }
        let test = |text| ScalarTest::parse(label, Kind::Text, text);
        Ok(Self::Entry { key: (!key.is_empty()).then(|| test(key)).transpose()?, value: test(value)? })
    }

    /// Whether the entries of a map satisfy it.
    pub fn holds<K: AsRef<str>, V: AsRef<str>>(&self, mut entries: impl Iterator<Item = (K, V)>) -> bool {
        match self {
            Self::Filled(filled) => entries.next().is_some() == *filled,
            Self::Key { negated, pattern } => entries.any(|(key, _)| pattern.matches(key.as_ref())) != *negated,
            Self::Entry { key, value } => {
                entries.any(|(k, v)| key.as_ref().is_none_or(|test| test.holds(k.as_ref())) && value.holds(v.as_ref()))
            }
        }
    }
}

/// The text between two quotes; a lone quote encloses nothing.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

fn compile(label: Label, text: &str) -> Result<Regex, Problem> {
    if text.is_empty() {
        return Err(Problem::Empty(label.name()));
    }
    let built = RegexBuilder::new(text).case_insensitive(true).size_limit(REGEX_SIZE).build();
    built.map_err(|e| Problem::Regex(text.to_owned(), e.to_string()))
}

/// Whether `value`, in lower case, begins with `prefix`, which is in lower case.
fn begins_with(value: &str, prefix: &str) -> bool {
    let mut value = value.chars().flat_map(char::to_lowercase);
    prefix.chars().all(|c| value.next() == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(label: Label, test: &str, value: &str) -> bool {
        match ValueTest::parse(label, test) {
            Ok(ValueTest::Scalar(test)) => test.holds(value),
            other => panic!("{test}: {other:?}"),
        }
    }

    #[test]
    fn texts() {
        for (test, yes, no) in [
            ("kube", &["kube-system", "KUBE", "kube"][..], &["kub", "a-kube", ""][..]),
            ("KUBE", &["kube-system"], &["kub"]),
            ("!kube", &["default", ""], &["kube-system"]),
            ("\"web\"", &["web"], &["Web", "web-1", ""]),
            ("!\"web\"", &["Web", "web-1"], &["web"]),
            ("\"\"", &[""], &["a"]),
            ("\"", &["\"x"], &["x"]),
            ("\"a", &["\"ab"], &["a"]),
            ("r/^a.c$", &["abc", "ABC", "a.c"], &["xabc", "abcd"]),
            ("r/b", &["abc"], &["ac"]),
            ("!r/b", &["ac"], &["abc"]),
            ("r/^\\D+$", &["abc"], &["123"]),
            ("r/\"a\"", &["x\"a\"y"], &["a"]),
            ("*", &["a"], &[""]),
            ("-", &[""], &["a"]),
            ("!*", &[""], &["a"]),
            ("!-", &["a"], &[""]),
            ("\"*\"", &["*"], &["a"]),
            ("-a", &["-ab"], &["", "a"]),
            ("a_b%", &["a_b%c"], &["axbyc"]),
            (" a", &[" a"], &["a"]),
            ("tr/1-2", &["tr/1-2"], &["1"]),
            ("ä", &["Äb"], &["ab"]),
        ] {
            for value in yes {
                assert!(holds(Label::PodName, test, value), "{test} on {value:?}");
            }
            for value in no {
                assert!(!holds(Label::PodName, test, value), "{test} on {value:?}");
            }
        }
    }

    #[test]
    fn uuids() {
        let uid = "1d591f87-c631-49c3-9398-aafcfd709636";
        for test in
            [uid, &uid.to_uppercase(), "1d591f87c63149c39398aafcfd709636", &format!("\"{uid}\""), "r/^1d591", "*"]
        {
            assert!(holds(Label::DeploymentId, test, uid), "{test}");
        }
        assert!(!holds(Label::DeploymentId, &format!("!{uid}"), uid));
        assert!(holds(Label::DeploymentId, uid, "1d591f87c63149c39398aafcfd709636"));
        let problem = ValueTest::parse(Label::PodId, "1d591f87").unwrap_err();
        assert_eq!(problem, Problem::NotUuid("1d591f87".into()));
    }

    #[test]
    fn maps() {
        let entries = [("app", "web"), ("app.kubernetes.io/name", "Shop"), ("tier", "")];
        for (test, want) in [
            ("app", true),
            ("ap", false),
            ("!ap", true),
            ("!app", false),
            ("app=", true),
            ("!app=", false),
            ("!none=", true),
            ("tier", true),
            ("r/^app\\.", true),
            ("!r/^app", false),
            ("\"app\"", true),
            ("app=we", true),
            ("app=\"we\"", false),
            ("app=shop", true),
            ("\"app\"=shop", false),
            ("r/^app$=!web", false),
            ("app=!web", true),
            ("=shop", true),
            ("=r/^$", true),
            ("=none", false),
            ("=", true),
            ("*", true),
            ("-", false),
        ] {
            let Ok(ValueTest::Map(parsed)) = ValueTest::parse(Label::PodLabel, test) else { panic!("{test}") };
            assert_eq!(parsed.holds(entries.into_iter()), want, "{test}");
        }
        let Ok(ValueTest::Map(absent)) = ValueTest::parse(Label::PodLabel, "-") else { panic!() };
        assert!(absent.holds(std::iter::empty::<(&str, &str)>()));
    }

    #[test]
    fn what_is_refused() {
        let empty = || Problem::Empty("Pod Name");
        for (label, test, want) in [
            (Label::PodName, "", empty()),
            (Label::PodName, "!", empty()),
            (Label::PodName, "r/", empty()),
            (Label::PodName, "!!a", Problem::AtLeastOne),
            (Label::PodLabel, "!!a", Problem::AtLeastOne),
            (Label::PodLabel, "!a=b", Problem::NegatedKey("!a=b".into())),
            (Label::PodLabel, "!=", Problem::Empty("Pod Label")),
            (Label::PodLabel, "a=!", Problem::Empty("Pod Label")),
        ] {
            assert_eq!(ValueTest::parse(label, test).unwrap_err(), want, "{test}");
        }
        for regex in ["r/(", "r/a{99999}", "r/(((a{100}){100}){100})", "r/\\p{L}", "r/(?=a)"] {
            let problem = ValueTest::parse(Label::PodName, regex).unwrap_err();
            assert!(matches!(problem, Problem::Regex(..)), "{regex}: {problem:?}");
        }
    }

    #[test]
    fn null_is_asked_for_and_nothing_else_where_there_are_no_values() {
        for (test, want) in [("-", true), ("!*", true), ("*", false), ("a", false), ("!a", false), ("!-", false)] {
            let Ok(ValueTest::Scalar(parsed)) = ValueTest::parse(Label::ContainerName, test) else { panic!("{test}") };
            assert_eq!(parsed.holds_for_none(), want, "{test}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_test_or_an_error(text in "[!r/\"*=a-c(|+\\\\.{}0-9-]{0,12}|\\PC{0,20}", value in "\\PC{0,20}") {
            for label in [Label::PodName, Label::PodId, Label::PodLabel] {
                match ValueTest::parse(label, &text) {
                    Ok(ValueTest::Scalar(test)) => {
                        let negated = ScalarTest { negated: !test.negated, pattern: test.pattern.clone() };
                        prop_assert_ne!(test.holds(&value), negated.holds(&value));
                    }
                    Ok(ValueTest::Map(test)) => drop(test.holds([(&value, &value)].into_iter())),
                    Err(_) => {}
                }
            }
        }

        #[test]
        fn a_value_begins_with_its_own_beginning(value in "[a-zA-Z0-9._-]{1,20}", cut in 1usize..20) {
            let prefix: String = value.chars().take(cut).collect();
            prop_assume!(prefix != "-" && !prefix.starts_with("r/"));
            prop_assert!(holds(Label::PodName, &prefix.to_uppercase(), &value));
            let quoted = format!("\"{value}\"");
            prop_assert!(holds(Label::PodName, &quoted, &value));
        }
    }
}
