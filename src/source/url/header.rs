//! `--manifest-url-header`.

use std::fmt;
use std::str::FromStr;

use crate::source::http::client;
use crate::source::http::secret::Secret;

/// A header that goes with each request, written `NAME:VALUE`. Its value is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The name, as written.
    pub name: String,
    /// The value, without blanks around it.
    pub value: Secret,
}

impl FromStr for Header {
    type Err = String;

    /// Errors never repeat the text: a user who forgot the name has written the value alone.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write it as NAME:VALUE, such as 'Authorization:Bearer ...'";
        let (name, value) = text.split_once(':').ok_or_else(|| format!("there is no colon; {wanted}"))?;
        let (name, value) = (name.trim(), value.trim());
        if !client::is_header_name(name) {
            return Err(format!("what stands before the colon is no header name; {wanted}"));
        }
        if value.is_empty() {
            return Err(format!("header {name} has no value; {wanted}"));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(format!("the value of header {name} holds a line break or another control character"));
        }
        Ok(Self { name: name.into(), value: Secret::new(value) })
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ..", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_name_and_value() {
        for (text, name, value) in [("X-Key:abc", "X-Key", "abc"), ("a: b:c ", "a", "b:c")] {
            let header: Header = text.parse().unwrap();
            assert_eq!((header.name.as_str(), header.value.expose()), (name, value.as_bytes()));
        }
    }

    #[test]
    fn no_value_is_ever_repeated() {
        for text in ["hunter2", ":hunter2", "hunter 2:x", "X:a\r\nhunter2", "hunter2\u{e9}:v"] {
            let error = text.parse::<Header>().unwrap_err();
            assert!(!error.contains("hunter"), "{error}");
        }
        let shown = format!("{:?}", "X-Key:hunter2".parse::<Header>().unwrap());
        assert_eq!(shown, "X-Key: ..");
    }
}
