//! The script for zsh.

use std::fmt::Write as _;

use super::fish::first_part;
use super::values::Values;
use crate::cli::command::Verb;
use crate::cli::help::summary;
use crate::cli::options::{of_verb, OptionRow};

const START: &str = "\
#compdef nodepods
# zsh completion for nodepods, made by `nodepods completion zsh`

_nodepods_pods() {
    local -a pods
    pods=(${${(f)\"$(nodepods get pods -o name 2>/dev/null)\"}#pod/})
    compadd -a pods
}

_nodepods() {
    local -a verbs
    verbs=(
";

const MIDDLE: &str = "        'help:Explain a command'
    )
    if ((CURRENT == 2)); then
        _describe -t commands command verbs
        return
    fi
    shift words
    ((CURRENT--))
    case $words[1] in
";

const END: &str = "    esac
}

if [[ $funcstack[1] == _nodepods ]]; then
    _nodepods \"$@\"
else
    compdef _nodepods nodepods
fi
";

/// The script.
pub fn script(verbs: &[&Verb]) -> String {
    let mut out = String::from(START);
    // Writing to a String cannot fail.
    for verb in verbs {
        let _ = writeln!(out, "        '{}:{}'", verb.name, quoted(&summary(verb)));
    }
    out.push_str(MIDDLE);
    for verb in verbs {
        let _ = writeln!(out, "    {})\n        _arguments -s -S \\", verb.name);
        of_verb(Some(verb)).iter().for_each(|row| option(&mut out, row));
        let values = Values::of_positionals((verb.info)().positionals);
        let _ = writeln!(out, "            '(- *)'{{-h,--help}}'[explain this command]' \\");
        let _ = writeln!(out, "            '*: :{}'\n        ;;", action(&values));
    }
    out + END
}

fn option(out: &mut String, row: &OptionRow) {
    let (help, name) = (quoted(first_part(row.help)), row.name);
    let value = match row.takes_value() {
        true => format!(":{}:{}", quoted(&row.hint), action(&Values::of_option(row))),
        false => String::new(),
    };
    let star = if row.repeats || name == "verbose" { "*" } else { "" };
    let end = if row.takes_value() { "=" } else { "" };
    let _ = match row.short {
        Some(c) if row.takes_value() => writeln!(out, "            {star}{{-{c}+,--{name}=}}'[{help}]{value}' \\"),
        Some(c) => writeln!(out, "            {star}{{-{c},--{name}}}'[{help}]' \\"),
        None => writeln!(out, "            '{star}--{name}{end}[{help}]{value}' \\"),
    };
}

fn action(values: &Values) -> String {
    if values.pods {
        "_nodepods_pods".into()
    } else if values.paths {
        "_files".into()
    } else if values.words.is_empty() {
        String::new()
    } else {
        format!("({})", values.words.join(" "))
    }
}

/// Inside single quotes, inside a specification.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\'' => out.push_str("'\\''"),
            '[' | ']' | ':' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
