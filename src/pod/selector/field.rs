//! Field selectors: `status.phase=Running,spec.nodeName!=other`.
//!
//! Grammar: `kubernetes/apimachinery pkg/fields/selector.go`. Fields of a pod: `kubernetes/kubernetes
//! pkg/apis/core/v1/conversion.go` and `pkg/registry/core/pod/strategy.go`.

use super::SelectorError;

/// The fields that select pods.
pub const FIELDS: [&str; 11] = [
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];

/// All terms must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: &'static str,
    equal: bool,
    value: String,
}

impl FieldSelector {
    /// Reads a selector; a backslash escapes `\`, `,` and `=`.
    ///
    /// # Errors
    /// A term that is no comparison, a bad escape, or a field that does not select pods.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        Self::parse_among(text, &FIELDS)
    }

    /// As [`FieldSelector::parse`], for objects that are selected by these fields.
    ///
    /// # Errors
    /// As there.
    pub fn parse_among(text: &str, known: &'static [&'static str]) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in split(text).into_iter().filter(|p| !p.is_empty()) {
            let Some((field, equal, value)) = comparison(part) else {
                return Err(SelectorError(format!("invalid selector: '{text}'; can't understand '{part}'")));
            };
            let value = unescape(value)?;
            let name = if field == "spec.host" { "spec.nodeName" } else { field };
            let Some(field) = known.iter().find(|f| **f == name) else {
                return Err(SelectorError(format!("field label not supported: {field}")));
            };
            terms.push(Term { field, equal, value });
        }
        Ok(Self { terms })
    }

    /// True where everything is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a pod matches; `get` gives a field's text, empty where the pod has none.
    pub fn matches(&self, get: impl Fn(&str) -> String) -> bool {
        self.terms.iter().all(|t| (get(t.field) == t.value) == t.equal)
    }

    /// The value that the field must have, where a term says so.
    #[must_use]
    pub fn requires(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|t| t.equal && t.field == field).map(|t| t.value.as_str())
    }
}

/// Splits at commas that are not escaped.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (i, c) in text.char_indices() {
        if c == ',' && !escaped {
            parts.push(text.get(start..i).unwrap_or_default());
            start = i + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// The first comparison that is not escaped: left side, whether it wants equality, right side.
fn comparison(term: &str) -> Option<(&str, bool, &str)> {
    let mut escaped = false;
    for (i, c) in term.char_indices() {
        if !escaped {
            let (left, right) = term.split_at(i);
            for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
                if let Some(value) = right.strip_prefix(operator) {
                    return Some((left, equal, value));
                }
            }
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn unescape(value: &str) -> Result<String, SelectorError> {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                Some(c) => {
                    return Err(SelectorError(format!("invalid field selector: invalid escape sequence: \\{c}")))
                }
                None => return Err(SelectorError("invalid field selector: invalid escape sequence: \\".into())),
            },
            ',' | '=' => {
                return Err(SelectorError(format!("invalid field selector: unescaped character in value: {c}")));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z.=!,\\\\ é]{0,24}", value in "\\PC{0,12}") {
            let _ = FieldSelector::parse(&text);
            // Whatever a name is, escaped it selects itself.
            let escaped: String =
                value.chars().flat_map(|c| if "\\,=".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
            let selector = FieldSelector::parse(&format!("metadata.name={escaped}")).unwrap();
            proptest::prop_assert!(selector.matches(|_| value.clone()));
        }
    }

    fn matches(selector: &str) -> bool {
        FieldSelector::parse(selector).unwrap_or_else(|e| panic!("{selector}: {e}")).matches(|f| match f {
            "metadata.name" => "a,b".into(),
            "status.phase" => "Running".into(),
            "spec.nodeName" => "n1".into(),
            _ => String::new(),
        })
    }

    #[test]
    fn terms() {
        for yes in [
            "",
            "status.phase=Running",
            "status.phase==Running,spec.host=n1",
            "status.phase!=Pending",
            "metadata.name=a\\,b",
            "status.podIP=",
            ",",
        ] {
            assert!(matches(yes), "{yes}");
        }
        for no in ["status.phase=Pending", "status.phase!=Running", "spec.nodeName=", "metadata.name=a"] {
            assert!(!matches(no), "{no}");
        }
    }

    #[test]
    fn errors() {
        for (selector, want) in [
            ("status.phase", "invalid selector: 'status.phase'; can't understand 'status.phase'"),
            ("spec.color=red", "field label not supported: spec.color"),
            ("metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"),
            ("metadata.name=a=b", "invalid field selector: unescaped character in value: ="),
        ] {
            assert_eq!(FieldSelector::parse(selector), Err(SelectorError(want.into())), "{selector}");
        }
    }
}
