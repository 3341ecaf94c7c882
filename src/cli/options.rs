//! The table of options: what the normaliser, the completions and the manual need to know about each.
//!
//! What an option means is said once, in its doc comment in the argh structs, which is also what `--help` prints.

/// One option of one or more verbs.
#[derive(Debug)]
pub struct OptionRow {
    /// Long name, without dashes.
    pub name: &'static str,
    /// The letter that stands for it.
    pub short: Option<char>,
    /// What kind of value it takes; empty for a switch.
    pub hint: &'static str,
    /// What holds when it is not given; empty where that has no name.
    pub default: &'static str,
    /// May be given more than once.
    pub repeats: bool,
    /// Is also a key of the configuration file.
    pub in_file: bool,
    /// The verbs that have it.
    pub verbs: &'static [&'static str],
}

impl OptionRow {
    /// Whether it takes a value.
    #[must_use]
    pub const fn takes_value(&self) -> bool {
        !self.hint.is_empty()
    }
}

const fn setting(name: &'static str, hint: &'static str, default: &'static str) -> OptionRow {
    OptionRow { name, short: None, hint, default, repeats: false, in_file: true, verbs: &["serve"] }
}

const fn settings(name: &'static str, hint: &'static str, default: &'static str) -> OptionRow {
    OptionRow { repeats: true, ..setting(name, hint, default) }
}

const fn of(verbs: &'static [&'static str], name: &'static str, short: Option<char>, hint: &'static str) -> OptionRow {
    OptionRow { name, short, hint, default: "", repeats: false, in_file: false, verbs }
}

/// Every option. Whether an option takes a value does not depend on the verb.
pub const OPTIONS: &[OptionRow] = &[
    setting("pod-manifest-path", "path", ""),
    setting("manifest-url", "url", ""),
    settings("manifest-url-header", "name:value", ""),
    setting("http-check-frequency", "duration", "20s"),
    setting("kubeconfig", "path|auto|in-cluster|url", ""),
    setting("container-runtime-endpoint", "unix:///path|none", ""),
    setting("hostname-override", "name", ""),
    OptionRow {
        verbs: &["serve", "get", "watch"],
        ..settings("socket", "path", "/var/lib/kubelet/pods/kubelet.sock and /run/nodepods/pods.sock")
    },
    setting("socket-mode", "octal", "0600"),
    settings("allow-uid", "uid", ""),
    setting("state-dir", "path|none", "/var/lib/nodepods"),
    of(&["serve"], "config", None, "path"),
    settings("http-socket", "path|none", ""),
    setting("file-check-frequency", "duration", "20s"),
    setting("cri-poll-interval", "duration", "1s"),
    setting("kubelet-endpoint", "unix:///path|none", ""),
    setting("runtime-state-dir", "path", ""),
    setting("init-timeout", "duration", "15s"),
    settings("require", "source", ""),
    setting("watch-send-timeout", "duration", "60s"),
    setting("max-watchers", "number", "1024"),
    setting("max-connections", "number", "256"),
    setting("log-format", "format", "text"),
    of(&["serve"], "verbose", Some('v'), ""),
    of(&["get", "watch"], "namespace", Some('n'), "namespace"),
    of(&["get", "watch"], "all-namespaces", Some('A'), ""),
    of(&["get", "watch"], "selector", Some('l'), "labels"),
    of(&["get", "watch"], "field-selector", None, "fields"),
    of(&["get", "watch", "version"], "output", Some('o'), "format"),
    of(&["get"], "watch", Some('w'), ""),
    of(&["get", "watch"], "no-headers", None, ""),
    of(&[""], "version", None, ""),
];

/// The options of a verb; the program's own where `verb` is empty.
pub fn of_verb(verb: &str) -> impl Iterator<Item = &'static OptionRow> + '_ {
    OPTIONS.iter().filter(move |o| o.verbs.contains(&verb))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use argh::{ArgsInfo, FlagInfoKind, Optionality};

    use super::*;
    use crate::cli::Nodepods;
    use crate::config::options::KEYS;

    /// The table and the argh structs must say the same, in both directions.
    #[test]
    fn the_table_agrees_with_the_parser() {
        let top = Nodepods::get_args_info();
        let mut verbs: Vec<(&str, &[argh::FlagInfo<'_>])> = vec![("", top.flags)];
        verbs.extend(top.commands.iter().map(|c| (c.name, c.command.flags)));
        for (verb, flags) in verbs {
            let mut parsed = BTreeSet::new();
            for flag in flags.iter().filter(|f| f.long != "--help") {
                let name = flag.long.trim_start_matches("--");
                let row = of_verb(verb).find(|o| o.name == name).unwrap_or_else(|| panic!("{verb} --{name}: no row"));
                let hint = if let FlagInfoKind::Option { arg_name } = flag.kind { arg_name } else { "" };
                assert_eq!((flag.short, hint), (row.short, row.hint), "{verb} --{name}");
                if verb == "serve" {
                    assert_eq!(flag.optionality == Optionality::Repeating, row.repeats, "{verb} --{name}");
                    for part in row.default.split(" and ") {
                        assert!(flag.description.contains(part), "{verb} --{name}: {part} is not in its help");
                    }
                }
                parsed.insert(name);
            }
            let known: BTreeSet<_> = of_verb(verb).map(|o| o.name).collect();
            assert_eq!(known, parsed, "{verb}");
        }
    }

    #[test]
    fn the_table_agrees_with_the_configuration_file() {
        let rows: Vec<_> = OPTIONS.iter().filter(|o| o.in_file).map(|o| o.name).collect();
        assert_eq!(rows, KEYS);
    }

    #[test]
    fn names_and_letters_are_unique() {
        let names: BTreeSet<_> = OPTIONS.iter().map(|o| o.name).collect();
        let letters: BTreeSet<_> = OPTIONS.iter().filter_map(|o| o.short).collect();
        assert_eq!(names.len(), OPTIONS.len());
        assert_eq!(letters.len(), OPTIONS.iter().filter(|o| o.short.is_some()).count());
    }
}
