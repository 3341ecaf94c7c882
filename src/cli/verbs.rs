//! The verbs. To add one: a file with a struct that argh reads and that is a [`Command`], and a line in [`VERBS`].
//!
//! Everything else comes from the struct's doc comments: the help pages, the overview, what the normaliser accepts,
//! the completions and the manual pages.

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
}

/// Every verb, in the order of the overview. The first sentence of its struct's doc comment is its line there.
pub const VERBS: &[Verb] = &[
    verb::<super::get::Get>(Group::Look),
    verb::<super::describe::Describe>(Group::Look),
    verb::<super::watch::Watch>(Group::Look),
    verb::<super::logs::Logs>(Group::Look),
    verb::<super::wait::Wait>(Group::Look),
    verb::<super::kubectl::Kubectl>(Group::Look),
    verb::<super::query::QueryPods>(Group::Look),
    verb::<super::why::Why>(Group::Explain),
    verb::<super::lint::Lint>(Group::Explain),
    verb::<super::whois::Whois>(Group::Explain),
    verb::<super::proxy::Proxy>(Group::Programs),
    verb::<super::env::Env>(Group::Programs),
    verb::<super::volume::VolumeFiles>(Group::Programs),
    verb::<super::tree::PodTree>(Group::Programs),
    verb::<super::export::Export>(Group::Programs),
    verb::<super::serve::Serve>(Group::Daemon),
    verb::<super::sources::Sources>(Group::Daemon),
    verb::<super::doctor::Doctor>(Group::Daemon),
    verb::<super::check_config::CheckConfig>(Group::Daemon),
    verb::<super::version::Version>(Group::Program),
    verb::<super::completion::Completion>(Group::Program),
    verb::<super::generate::Generate>(Group::Hidden),
];

/// The verb of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// Every verb but the hidden ones.
pub fn shown() -> impl Iterator<Item = &'static Verb> {
    VERBS.iter().filter(|verb| verb.group != Group::Hidden)
}

const fn verb<T: Command>(group: Group) -> Verb {
    Verb { group, name: T::COMMAND.name, info: T::get_args_info, run: run::<T> }
}

fn run<T: Command>(args: &[&str]) -> Result<(), Failure> {
    let name = T::COMMAND.name;
    match T::from_args(&["nodepods", name], args) {
        Ok(command) => command.run(),
        Err(EarlyExit { output, .. }) => Err(Failure::usage(name, output.trim_end())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_verb_has_a_group_that_is_shown() {
        let names: BTreeSet<_> = VERBS.iter().map(|verb| verb.name).collect();
        assert_eq!(names.len(), VERBS.len());
        for verb in VERBS {
            let placed = verb.group == Group::Hidden || Group::ALL.iter().any(|(group, _)| *group == verb.group);
            assert!(placed, "{}", verb.name);
            assert_eq!(named(verb.name).map(|v| v.name), Some(verb.name));
        }
    }
}
