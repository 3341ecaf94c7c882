//! Percent-decoding and the parameters of a query.

use super::refusal::Refusal;

/// The decoded parameters of a query, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads `a=1&b=2`; a parameter may have no value.
    ///
    /// # Errors
    /// A bad escape or invalid UTF-8, or one parameter with two different values, which contradicts itself.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let pair = (decode(key, true)?, decode(value, true)?);
            match pairs.iter().find(|(key, _)| *key == pair.0) {
                None => pairs.push(pair),
                Some((_, before)) if *before == pair.1 => {}
                Some((key, before)) => {
                    let message = format!("parameter {key} was given twice, as {before:?} and as {:?}", pair.1);
                    return Err(Refusal::BadRequest(message));
                }
            }
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter; empty where it was given without one.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// All parameters with their values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of a parameter, `None` also where it is empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }

    /// A switch: everything but `false` and `0` turns it on (`kubernetes/apimachinery pkg/runtime/conversion.go`).
    pub(crate) fn switch(&self, key: &str) -> Option<bool> {
        self.get(key).map(|value| !(value == "0" || value.eq_ignore_ascii_case("false")))
    }

    /// A whole number.
    ///
    /// # Errors
    /// The value is none.
    pub(crate) fn number(&self, key: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let wrong = |_| Refusal::BadRequest(format!("{key}: {text:?} is not a whole number"));
        text.parse().map(Some).map_err(wrong)
    }
}

/// Decodes `%41`; in a query `+` is a blank.
///
/// # Errors
/// A bad escape, or what comes out is not UTF-8 or holds control characters.
pub(crate) fn decode(text: &str, plus_is_blank: bool) -> Result<String, Refusal> {
    let wrong = |problem: &str| Refusal::BadRequest(format!("{text:?}: {problem}"));
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = (bytes.next().and_then(hex), bytes.next().and_then(hex));
                let (Some(high), Some(low)) = digits else { return Err(wrong("a percent sign needs two hex digits")) };
                high << 4 | low
            }
            b'+' if plus_is_blank => b' ',
            byte => byte,
        });
    }
    let out = String::from_utf8(out).map_err(|_| wrong("not UTF-8"))?;
    if out.chars().any(char::is_control) {
        return Err(wrong("control characters"));
    }
    Ok(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|n| n as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&watch=1&empty=&bare&&x=a+b%20c&limit=500").unwrap();
        assert_eq!(query.get("labelSelector"), Some("a=b,c"));
        assert_eq!((query.get("empty"), query.text("empty"), query.get("bare")), (Some(""), None, Some("")));
        assert_eq!(query.get("x"), Some("a b c"));
        assert_eq!(query.get("none"), None);
        assert_eq!(query.number("limit").unwrap(), Some(500));
        assert!(query.number("x").is_err());
    }

    #[test]
    fn switches_as_the_api_server_reads_them() {
        for (text, want) in [("w=true", true), ("w=1", true), ("w", true), ("w=yes", true), ("w=false", false)] {
            assert_eq!(Query::parse(text).unwrap().switch("w"), Some(want), "{text}");
        }
        assert_eq!(Query::parse("w=0").unwrap().switch("w"), Some(false));
        assert_eq!(Query::parse("").unwrap().switch("w"), None);
    }

    #[test]
    fn a_contradiction_is_refused_and_a_repetition_is_not() {
        assert!(Query::parse("limit=1&limit=2").is_err());
        assert!(Query::parse("limit=1&limit=1").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c%0-9f&=+é]{0,30}") {
            if let Ok(query) = Query::parse(&text) {
                for (at, (key, value)) in query.pairs.iter().enumerate() {
                    proptest::prop_assert!(query.pairs.iter().skip(at + 1).all(|(other, _)| other != key));
                    proptest::prop_assert!(!value.chars().any(char::is_control));
                }
            }
        }
    }

    #[test]
    fn bad_escapes_are_refused() {
        for bad in ["%", "%4", "%zz", "%ff", "%00", "a%0ab", "%c3%28"] {
            assert!(decode(bad, false).is_err(), "{bad}");
        }
        assert_eq!(decode("a+b", false).unwrap(), "a+b");
        assert_eq!(decode("%c3%bc", false).unwrap(), "ü");
    }
}
