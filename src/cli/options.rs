//! The options of each verb, read from the structs that argh reads: there is no second list of them.

use argh::{FlagInfo, FlagInfoKind, Optionality};

use super::verbs::{Verb, VERBS};

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

/// What `option` (`--name` or `-n`) means on this verb; before a verb is known, what it means on the first that has it.
#[must_use]
pub fn find(verb: Option<&Verb>, option: &str) -> Option<OptionRow> {
    let own = of_verb(verb).into_iter().find(|row| row.is(option));
    own.or_else(|| if verb.is_some() { None } else { anywhere(option).into_iter().next().map(|(_, row)| row) })
}

/// Every verb that has `option`.
#[must_use]
pub fn anywhere(option: &str) -> Vec<(&'static Verb, OptionRow)> {
    let of = |verb: &'static Verb| of_verb(Some(verb)).into_iter().map(move |row| (verb, row));
    VERBS.iter().flat_map(of).filter(|(_, row)| row.is(option)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::verbs::named;
    use crate::config::options::KEYS;

    #[test]
    fn names_and_letters_are_unique_on_each_verb() {
        for verb in VERBS {
            let rows = of_verb(Some(verb));
            let names: BTreeSet<_> = rows.iter().map(|o| o.name).collect();
            let letters: BTreeSet<_> = rows.iter().filter_map(|o| o.short).collect();
            assert_eq!(names.len(), rows.len(), "{}", verb.name);
            assert_eq!(letters.len(), rows.iter().filter(|o| o.short.is_some()).count(), "{}", verb.name);
            assert!(!letters.contains(&'h'), "{}", verb.name);
        }
    }

    /// Options before the verb (`-n web get pods`) are read before it is known which verb they belong to.
    #[test]
    fn an_option_takes_a_value_on_all_verbs_or_on_none() {
        for verb in VERBS {
            for row in of_verb(Some(verb)) {
                for (other, same) in anywhere(&format!("--{}", row.name)) {
                    assert_eq!(
                        same.takes_value(),
                        row.takes_value(),
                        "--{} of {}, {}",
                        row.name,
                        verb.name,
                        other.name
                    );
                }
            }
        }
    }

    #[test]
    fn kinds_stand_in_capitals() {
        assert_eq!(in_capitals("path|none"), "PATH|none");
        assert_eq!(in_capitals("unix:///path|none"), "unix:///PATH|none");
        assert_eq!(in_capitals("name"), "NAME");
        assert_eq!(in_capitals("json|name|jsonpath=TEMPLATE"), "json|name|jsonpath=TEMPLATE");
        assert_eq!(in_capitals(""), "");
    }

    #[test]
    fn the_options_of_serve_are_the_keys_of_the_configuration_file() {
        let own: Vec<_> = of_verb(named("serve")).iter().map(|o| o.name).collect();
        let keys: Vec<_> = own.into_iter().filter(|name| !["config", "verbose"].contains(name)).collect();
        assert_eq!(keys, KEYS);
    }
}
