//! What a verb is: what it is called, what it takes and what it does. Which there are stands in [`super::verbs`].

use argh::{ArgsInfo, CommandInfoWithArgs, EarlyExit, FromArgs, Optionality, SubCommand};

use super::exit::Failure;

/// What a verb does, once its command line is read.
pub trait Command: ArgsInfo + FromArgs + SubCommand {
    /// Does it. Standard output is for what was asked for, standard error for everything else.
    ///
    /// # Errors
    /// The reason, with an exit code and what to do next.
    fn run(self) -> Result<(), Failure>;
}

/// A verb that is about the verbs, such as one that writes their manual.
pub trait AboutVerbs: ArgsInfo + FromArgs + SubCommand {
    /// As [`Command::run`], with all verbs.
    ///
    /// # Errors
    /// The reason, with an exit code and what to do next.
    fn run(self, verbs: &[Verb]) -> Result<(), Failure>;
}

/// Where a verb stands in the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What runs here, and how it is.
    Look,
    /// Why something does not run, and what belongs to what.
    Explain,
    /// Pods for other programs.
    Programs,
    /// The daemon and its sources.
    Daemon,
    /// This program itself.
    Program,
    /// For those who build packages: not shown.
    Hidden,
}

impl Group {
    /// All of them, in the order of the overview, with their headings.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Look, "Look at pods"),
        (Self::Explain, "Find out why"),
        (Self::Programs, "Use pods in other programs"),
        (Self::Daemon, "The daemon"),
        (Self::Program, "This program"),
    ];
}

/// One verb.
#[derive(Debug)]
pub struct Verb {
    /// Where it stands in the overview.
    pub group: Group,
    /// The word.
    pub name: &'static str,
    /// Options, positional arguments, descriptions and examples.
    pub info: fn() -> CommandInfoWithArgs,
    /// Reads normalised arguments and does what they say.
    pub run: fn(&[&str]) -> Result<(), Failure>,
}

impl Verb {
    /// Whether all words behind it are for another program.
    #[must_use]
    pub fn is_greedy(&self) -> bool {
        (self.info)().positionals.iter().any(|p| p.optionality == Optionality::Greedy)
    }

    /// Command lines to learn from.
    pub fn examples(&self) -> impl Iterator<Item = String> {
        // argh takes them as templates, in which braces stand twice.
        let plain = |line: &str| line.replace("{{", "{").replace("}}", "}");
        (self.info)().examples.iter().flat_map(|example| example.lines()).map(plain).collect::<Vec<_>>().into_iter()
    }

    /// The verb that does what a command does.
    pub(super) const fn of<T: Command>(group: Group) -> Self {
        Self { group, name: T::COMMAND.name, info: T::get_args_info, run: |args| read::<T>(args)?.run() }
    }
}

/// Reads normalised arguments.
///
/// # Errors
/// They do not fit: a usage error.
pub(super) fn read<T: FromArgs + SubCommand>(args: &[&str]) -> Result<T, Failure> {
    let name = T::COMMAND.name;
    T::from_args(&["nodepods", name], args)
        .map_err(|EarlyExit { output, .. }| Failure::usage(name, in_our_words(&output)))
}

/// What argh has against a command line, as everything else here is told.
fn in_our_words(problem: &str) -> String {
    let whole = || problem.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = problem.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [title, names @ ..] if title.starts_with("Required ") && !names.is_empty() => {
            let are = if names.len() == 1 { "is" } else { "are" };
            format!("{} {are} missing", names.join(" and "))
        }
        [one] => {
            if let Some(word) = one.strip_prefix("Unrecognized argument: ") {
                return format!("{word:?} is one word too many");
            }
            let value = one.strip_prefix("Error parsing option '").and_then(|rest| rest.split_once("' with value '"));
            let Some((option, rest)) = value else { return whole() };
            let Some((value, why)) = rest.rsplit_once("': ") else { return whole() };
            let why = match why {
                _ if why.contains("too large") => "this number is too large",
                _ if why.contains("digit") || why.contains("number") => "want a whole number",
                _ => why,
            };
            format!("{option}: {value:?}: {why}")
        }
        _ => whole(),
    }
}

/// The verb of this name.
#[must_use]
pub fn named<'a>(verbs: &'a [Verb], name: &str) -> Option<&'a Verb> {
    verbs.iter().find(|verb| verb.name == name)
}

/// Every verb but the hidden ones.
pub fn shown(verbs: &[Verb]) -> impl Iterator<Item = &Verb> {
    verbs.iter().filter(|verb| verb.group != Group::Hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_argh_says_in_our_words() {
        for (said, want) in [
            ("Required options not provided:\n    --for\n", "--for is missing"),
            (
                "Required positional arguments not provided:\n    man|completions\n    DIR",
                "man|completions and DIR are missing",
            ),
            ("Unrecognized argument: x\n", "\"x\" is one word too many"),
            (
                "Error parsing option '--tail' with value 'x': invalid digit found in string\n",
                "--tail: \"x\": want a whole number",
            ),
            (
                "Error parsing option '--port' with value '80000': number too large to fit in target type\n",
                "--port: \"80000\": this number is too large",
            ),
            ("Error parsing option '--since' with value 'it's': not a duration", "--since: \"it's\": not a duration"),
            ("Something\n  else\n", "Something else"),
        ] {
            assert_eq!(in_our_words(said), want);
        }
    }
}
