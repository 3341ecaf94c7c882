//! What can stand where a value is expected, read from its name: words in small letters stand for themselves, words in
//! capitals for something of their kind (`PATH|none`).

use argh::PositionalInfo;

use crate::cli::options::{in_capitals, OptionRow};

/// What a shell offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// These words; one that ends in `=` goes on.
    pub words: Vec<String>,
    /// Paths.
    pub paths: bool,
    /// Names of pods, as the daemon knows them.
    pub pods: bool,
}

impl Values {
    /// Those of an option.
    pub fn of_option(row: &OptionRow) -> Self {
        Self::named(&row.hint)
    }

    /// Those of the arguments that are no options.
    pub fn of_positionals(positionals: &[PositionalInfo<'_>]) -> Self {
        let visible = positionals.iter().filter(|p| !p.hidden);
        visible.map(|p| Self::named(&in_capitals(p.name))).fold(Self::default(), |mut all, one| {
            all.words.extend(one.words);
            Self { words: all.words, paths: all.paths || one.paths, pods: all.pods || one.pods }
        })
    }

    fn named(name: &str) -> Self {
        let mut values = Self::default();
        for part in name.split('|') {
            match part.split_once('=') {
                Some((key, _)) => values.words.push(format!("{key}=")),
                None if ["PATH", "DIR", "FILE"].iter().any(|kind| part.ends_with(kind)) => values.paths = true,
                None if part == "POD" => values.pods = true,
                None if !part.chars().any(char::is_uppercase) && !part.is_empty() => values.words.push(part.into()),
                None => {}
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_fits() {
        let read = |name: &str| {
            let Values { words, paths, pods } = Values::named(name);
            (words.join(" "), paths, pods)
        };
        assert_eq!(read("PATH|none"), ("none".into(), true, false));
        assert_eq!(read("unix:///PATH|none"), ("none".into(), true, false));
        assert_eq!(read("json|jsonpath=TEMPLATE"), ("json jsonpath=".into(), false, false));
        assert_eq!(read("POD"), (String::new(), false, true));
        assert_eq!(read("NAME:VALUE"), (String::new(), false, false));
        assert_eq!(read(""), (String::new(), false, false));
    }
}
