//! The script for fish.

use std::fmt::Write as _;

use super::values::Values;
use crate::cli::command::Verb;
use crate::cli::help::summary;
use crate::cli::options::of_verb;

const START: &str = "\
# fish completion for nodepods, made by `nodepods completion fish`

function __nodepods_pods
    nodepods get pods -o name 2>/dev/null | string replace 'pod/' ''
end

complete -c nodepods -f
complete -c nodepods -n __fish_use_subcommand -l version -d 'print the version'
complete -c nodepods -n __fish_use_subcommand -a help -d 'Explain a command'
";

/// The script.
pub fn script(verbs: &[&Verb]) -> String {
    let mut out = String::from(START);
    for verb in verbs {
        let name = verb.name;
        // Writing to a String cannot fail.
        let _ = writeln!(out, "complete -c nodepods -n __fish_use_subcommand -a {name} -d {}", quoted(&summary(verb)));
        let after = format!("complete -c nodepods -n '__fish_seen_subcommand_from {name}'");
        for row in of_verb(Some(verb)) {
            let short = row.short.map_or_else(String::new, |c| format!(" -s {c}"));
            let values = if row.takes_value() { offer(&Values::of_option(&row), " -r") } else { String::new() };
            let _ = writeln!(out, "{after}{short} -l {}{values} -d {}", row.name, quoted(first_part(row.help)));
        }
        let values = Values::of_positionals((verb.info)().positionals);
        if values != Values::default() {
            let _ = writeln!(out, "{after}{}", offer(&values, ""));
        }
    }
    out
}

fn offer(values: &Values, required: &str) -> String {
    let mut out = String::from(required);
    out.push_str(if values.paths { " -F" } else { " -f" });
    let pods = values.pods.then(|| "(__nodepods_pods)".to_string());
    let words: Vec<_> = values.words.iter().cloned().chain(pods).collect();
    if !words.is_empty() {
        out.push_str(&format!(" -a {}", quoted(&words.join(" "))));
    }
    out
}

/// Up to the first bracket or semicolon: a shell shows one line.
pub fn first_part(help: &str) -> &str {
    help.split([';', '(']).next().unwrap_or(help).trim_end()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
