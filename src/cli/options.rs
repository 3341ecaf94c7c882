//! The options of each verb, read from the structs that argh reads: there is no second list of them.

use argh::{FlagInfo, FlagInfoKind, Optionality};

use super::command::Verb;

/// One option of one verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionRow {
    /// Long name, without dashes.
    pub name: &'static str,
    /// The letter that stands for it.
    pub short: Option<char>,
    /// What kind of value it takes; empty for a switch. What stands for itself is in small letters, what stands for
    /// something of its kind in capitals: `PATH|none`.
    pub hint: String,
    /// May be given more than once.
    pub repeats: bool,
    /// What it means, in words without a full stop.
    pub help: &'static str,
}

/// Kinds of values.
const KINDS: [&str; 18] = [
    "address:port",
    "amounts",
    "dir",
    "duration",
    "fields",
    "file",
    "format",
    "labels",
    "name",
    "name:value",
    "namespace",
    "number",
    "octal",
    "path",
    "source",
    "uid",
    "unix:///path",
    "url",
];

/// `--version`, which stands without a verb.
const fn version() -> OptionRow {
    OptionRow { name: "version", short: None, hint: String::new(), repeats: false, help: "print the version" }
}

/// A name of a value with its kinds in capitals. Among choices, `name` is the form of that name.
pub fn in_capitals(name: &str) -> String {
    let part = |part: &str| match KINDS.contains(&part) && (part != "name" || part == name) {
        true => part.to_uppercase().replace("UNIX", "unix"),
        false => part.to_string(),
    };
    name.split('|').map(part).collect::<Vec<_>>().join("|")
}

impl OptionRow {
    /// Whether it takes a value.
    #[must_use]
    pub fn takes_value(&self) -> bool {
        !self.hint.is_empty()
    }

    /// Whether `option`, spelled with its dashes, is this one.
    #[must_use]
    pub fn is(&self, option: &str) -> bool {
        match option.strip_prefix("--") {
            Some(name) => self.name == name,
            None => self.short.is_some_and(|short| option.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))),
        }
    }

    fn of(flag: &FlagInfo<'static>) -> Self {
        let hint =
            if let FlagInfoKind::Option { arg_name } = flag.kind { in_capitals(arg_name) } else { String::new() };
        let repeats = flag.optionality == Optionality::Repeating;
        Self { name: flag.long.trim_start_matches('-'), short: flag.short, hint, repeats, help: flag.description }
    }
}

/// The options of a verb, without `--help`; those of the program itself where there is no verb.
#[must_use]
pub fn of_verb(verb: Option<&Verb>) -> Vec<OptionRow> {
    match verb {
        None => vec![version()],
        Some(verb) => (verb.info)().flags.iter().filter(|flag| flag.long != "--help").map(OptionRow::of).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_in_capitals() {
        assert_eq!(in_capitals("path|none"), "PATH|none");
        assert_eq!(in_capitals("unix:///path|none"), "unix:///PATH|none");
        assert_eq!(in_capitals("name"), "NAME");
        assert_eq!(in_capitals("json|name|jsonpath=TEMPLATE"), "json|name|jsonpath=TEMPLATE");
        assert_eq!(in_capitals(""), "");
    }
}
