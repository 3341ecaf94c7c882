//! A place in a manifest: the value and the path that leads to it.

use std::borrow::Cow;

use serde_json::Value;

static NULL: Value = Value::Null;

/// A value in a manifest with its path. A field that is absent and a field that is `null` are the same, as they are
/// for Kubernetes. The types of the values have been checked by then, so a value of a wrong type reads as absent.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Place<'a> {
    /// A place with a path of its own: the document as a whole, or an item of a list.
    #[must_use]
    pub fn new(path: &str, value: &'a Value) -> Self {
        Self { path: path.to_owned(), value }
    }

    /// The path, such as `spec.containers[0].image`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value as it stands.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The member `name`, which may be absent.
    #[must_use]
    pub fn at(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, value: self.value.get(name).unwrap_or(&NULL) }
    }

    /// Whether there is a value.
    #[must_use]
    pub fn present(&self) -> bool {
        !self.value.is_null()
    }

    /// This place if there is a value.
    #[must_use]
    pub fn some(self) -> Option<Self> {
        self.present().then_some(self)
    }

    /// The text, empty where there is none.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// The whole number, if there is one.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.value.as_i64()
    }

    /// The truth value, false where there is none.
    #[must_use]
    pub fn truth(&self) -> bool {
        self.value.as_bool().unwrap_or_default()
    }

    /// Whether the text, list, map or value is missing or empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.value {
            Value::Null => true,
            Value::String(s) => s.is_empty(),
            Value::Array(a) => a.is_empty(),
            Value::Object(o) => o.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// The elements of a list.
    pub fn items(&self) -> impl Iterator<Item = Place<'a>> + use<'a, '_> {
        let list = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().enumerate().map(|(i, value)| Place { path: format!("{}[{i}]", self.path), value })
    }

    /// The entries of a map, each with its key.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Place<'a>)> + use<'a, '_> {
        let map = self.value.as_object();
        map.into_iter().flatten().map(|(key, value)| (key.as_str(), self.entry(key, value)))
    }

    /// The entry of a map with this key, if there is one.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Self> {
        Some(self.entry(key, self.value.get(key)?))
    }

    fn entry(&self, key: &str, value: &'a Value) -> Self {
        Place { path: format!("{}[{key}]", self.path), value }
    }

    /// The value as Kubernetes quotes it in an error.
    #[must_use]
    pub fn quoted(&self) -> Cow<'static, str> {
        match self.value {
            Value::Null => Cow::Borrowed("\"\""),
            Value::Array(_) | Value::Object(_) => Cow::Borrowed("..."),
            other => Cow::Owned(other.to_string()),
        }
    }
}
