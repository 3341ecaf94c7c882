//! Help: the overview, and the page of each verb.

use argh::PositionalInfo;

use super::command::{shown, Group, Verb};
use super::options::of_verb;
use super::paragraph::wrap;

/// Columns of a help page.
pub(super) const WIDTH: usize = 80;
/// Where the meaning of an option begins.
const MEANING: usize = 26;
/// Where choices go on for which there was no room.
const CHOICES: usize = 10;

const START: &str = "\
Which pods are on this node, and what state are they in?

Usage: nodepods COMMAND [OPTIONS]
";
const END: &str = "
Try it:
  nodepods get      what runs here, asked of the daemon
  nodepods why      what does not run, and why
  nodepods doctor   what stands in the way of nodepods itself
  nodepods serve    as root, where no daemon runs yet: it finds the node's parts

nodepods COMMAND --help explains a command and its options.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 69 no daemon answers
or it is not ready, 70 internal fault, 77 not allowed, 78 wrong configuration.
";

/// What `nodepods` alone prints: every verb with one line.
pub fn overview(verbs: &[Verb]) -> String {
    let mut out = String::from(START);
    let width = shown(verbs).map(|verb| verb.name.len()).max().unwrap_or(0);
    for (group, heading) in Group::ALL {
        let listed: Vec<_> = shown(verbs).filter(|verb| verb.group == group).collect();
        if !listed.is_empty() {
            out.push_str(&format!("\n{heading}:\n"));
        }
        for verb in listed {
            out.push_str(&format!("  {:width$}   ", verb.name));
            wrap(&mut out, &summary(verb), width + 5, WIDTH);
        }
    }
    out + END
}

/// The first sentence of a verb's description, as it stands in the overview.
pub fn summary(verb: &Verb) -> String {
    let description = (verb.info)().description;
    let first = description.split_once(". ").map_or(description, |(first, _)| first);
    first.trim_end_matches('.').to_string()
}

/// `[OPTIONS] [NAME...]`: what comes after the verb.
pub fn usage(verb: &Verb) -> String {
    let info = (verb.info)();
    let mut words = Vec::new();
    if !of_verb(Some(verb)).is_empty() {
        words.push("[OPTIONS]".to_string());
    }
    words.extend(info.positionals.iter().filter(|p| !p.hidden).map(positional));
    words.join(" ")
}

fn positional(p: &PositionalInfo<'_>) -> String {
    let name = p.name;
    match p.optionality {
        argh::Optionality::Required => name.to_string(),
        argh::Optionality::Optional => format!("[{name}]"),
        argh::Optionality::Repeating | argh::Optionality::Greedy => format!("[{name}...]"),
    }
}

/// The help page of a verb.
pub fn page(verb: &Verb) -> String {
    let info = (verb.info)();
    let mut out = format!("Usage: nodepods {} {}", verb.name, usage(verb)).trim_end().to_string();
    out.push_str("\n\n");
    wrap(&mut out, info.description, 0, WIDTH);
    let positionals: Vec<_> = info.positionals.iter().filter(|p| !p.hidden).collect();
    if !positionals.is_empty() {
        out.push('\n');
        positionals.iter().for_each(|p| entry(&mut out, p.name, p.description));
    }
    out.push_str("\nOptions:\n");
    for row in of_verb(Some(verb)) {
        let short = row.short.map_or_else(|| "    ".into(), |c| format!("-{c}, "));
        let hint = if row.hint.is_empty() { String::new() } else { format!(" <{}>", row.hint) };
        entry(&mut out, &format!("{short}--{}{hint}", row.name), row.help);
    }
    entry(&mut out, "-h, --help", "print this page");
    for (at, line) in verb.examples().enumerate() {
        out.push_str(if at == 0 { "\nExamples:\n" } else { "" });
        out.push_str(&format!("  {line}\n"));
    }
    for note in info.notes {
        out.push('\n');
        wrap(&mut out, note, 0, WIDTH);
    }
    out
}

/// A name and what it means, beside it where the name is short.
fn entry(out: &mut String, name: &str, meaning: &str) {
    let mut lines = String::new();
    // A long list of choices goes on in further lines.
    wrap(&mut lines, &name.replace('|', "| "), CHOICES, WIDTH);
    let name = lines.trim_end().replace("| ", "|");
    out.push_str("  ");
    out.push_str(&name);
    if name.len() + 4 > MEANING {
        out.push_str(&format!("\n{:MEANING$}", ""));
    } else {
        out.push_str(&" ".repeat(MEANING - name.len() - 2));
    }
    wrap(out, meaning, MEANING, WIDTH);
}
