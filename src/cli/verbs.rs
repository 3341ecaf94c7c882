//! The verbs. To add one: a file with a struct that argh reads and that is a [`super::command::Command`], and a line in
//! [`VERBS`].
//!
//! Everything else comes from the struct's doc comments: the help pages, the overview, what the normaliser accepts,
//! the completions and the manual pages.

use super::command::{read, AboutVerbs, Group, Verb};
use super::options::{of_verb, OptionRow};

/// Every verb, in the order of the overview. The first sentence of its struct's doc comment is its line there.
pub const VERBS: &[Verb] = &[
    Verb::of::<super::get::Get>(Group::Look),
    Verb::of::<super::describe::Describe>(Group::Look),
    Verb::of::<super::watch::Watch>(Group::Look),
    Verb::of::<super::logs::Logs>(Group::Look),
    Verb::of::<super::wait::Wait>(Group::Look),
    Verb::of::<super::kubectl::Kubectl>(Group::Look),
    Verb::of::<super::query::QueryPods>(Group::Look),
    Verb::of::<super::why::Why>(Group::Explain),
    Verb::of::<super::lint::Lint>(Group::Explain),
    Verb::of::<super::whois::Whois>(Group::Explain),
    Verb::of::<super::proxy::Proxy>(Group::Programs),
    Verb::of::<super::env::Env>(Group::Programs),
    Verb::of::<super::volume::VolumeFiles>(Group::Programs),
    Verb::of::<super::tree::PodTree>(Group::Programs),
    Verb::of::<super::export::Export>(Group::Programs),
    Verb::of::<super::serve::Serve>(Group::Daemon),
    Verb::of::<super::sources::Sources>(Group::Daemon),
    Verb::of::<super::doctor::Doctor>(Group::Daemon),
    Verb::of::<super::check_config::CheckConfig>(Group::Daemon),
    Verb::of::<super::version::Version>(Group::Program),
    about_verbs::<super::completion::Completion>(Group::Program),
    about_verbs::<super::generate::Generate>(Group::Hidden),
];

const fn about_verbs<T: AboutVerbs>(group: Group) -> Verb {
    Verb { group, name: T::COMMAND.name, info: T::get_args_info, run: |args| read::<T>(args)?.run(VERBS) }
}

/// Every verb that has `option` (`--name` or `-n`), with what it means there.
#[must_use]
pub fn with_option(option: &str) -> Vec<(&'static Verb, OptionRow)> {
    let of = |verb: &'static Verb| of_verb(Some(verb)).into_iter().map(move |row| (verb, row));
    VERBS.iter().flat_map(of).filter(|(_, row)| row.is(option)).collect()
}

#[cfg(test)]
mod tests;
