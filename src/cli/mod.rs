//! The command line: one file a verb.

mod argv;
mod client;
mod exit;
mod get;
mod objects;
pub mod options;
mod resource;
mod serve;
mod socket;
mod table;
mod version;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use argh::{ArgsInfo, EarlyExit, FromArgs};

use crate::config::options::ServeOptions;
use exit::{Exit, Failure};

const OVERVIEW: &str = "\
Which pods are on this node, and what state are they in?

Usage: nodepods COMMAND [OPTIONS]

Commands:
  serve     run the daemon: find the node's pods and serve them on root-only sockets
  get       show pods: nodepods get pods, nodepods get pod NAME -o yaml
  watch     show pods as they change
  version   print the version
  help      explain a command: nodepods help get

Try it:
  nodepods serve &          on a node, as root; finds manifests and the container runtime by itself
  nodepods get pods -o wide

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 69 no daemon answers or it is not ready,
70 internal fault, 77 not allowed, 78 wrong configuration.
";

/// Which pods are on this node, and what state are they in?
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(name = "nodepods", help_triggers("-h", "--help"))]
pub(crate) struct Nodepods {
    /// print the version
    #[argh(switch)]
    version: bool,
    #[argh(subcommand)]
    verb: Option<Verb>,
}

#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand)]
#[allow(clippy::large_enum_variant)] // made once in a process
enum Verb {
    Serve(ServeOptions),
    Get(get::Get),
    Watch(watch::Watch),
    Version(version::Version),
}

/// Runs the command that the arguments name, and prints why it failed.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            if log::max_level() == log::LevelFilter::Off {
                // With standard error closed there is nobody left to tell.
                let _ = writeln!(io::stderr().lock(), "{failure}");
            } else {
                // The daemon speaks in the form of its log, also when it speaks last.
                log::error!("{}", failure.message.trim_start_matches("error: "));
            }
            failure.exit.into()
        }
    }
}

fn run() -> Result<(), Failure> {
    let argv = argv::normalise(std::env::args_os().skip(1))?;
    if argv.help {
        return help(&argv.verb);
    }
    if argv.verb == "help" {
        return help(argv.args.get(1).map(String::as_str).unwrap_or_default()); // the first is `--`
    }
    let verb: Vec<&str> = Some(argv.verb.as_str()).into_iter().filter(|v| !v.is_empty()).collect();
    let words: Vec<&str> = verb.into_iter().chain(argv.args.iter().map(String::as_str)).collect();
    let parsed = Nodepods::from_args(&["nodepods"], &words)
        .map_err(|EarlyExit { output, .. }| Failure::usage(&argv.verb, output.trim_end()))?;
    match parsed.verb {
        Some(Verb::Serve(options)) => serve::run(options),
        Some(Verb::Get(get)) => get::run(&get),
        Some(Verb::Watch(watch)) => watch::run(&watch),
        Some(Verb::Version(version)) => version::run(&version),
        None if parsed.version => print(&format!("nodepods {}\n", version::line())),
        None => print(OVERVIEW),
    }
}

/// The help page of a verb, or the overview.
fn help(verb: &str) -> Result<(), Failure> {
    if verb.is_empty() || verb == "help" {
        return print(OVERVIEW);
    }
    match Nodepods::from_args(&["nodepods"], &[verb, "--help"]) {
        Err(EarlyExit { output, status: Ok(()) }) => print(&output),
        _ => Err(Failure::usage("", format!("unknown command {verb:?}"))),
    }
}

/// Writes to standard output; a reader that left early is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.or_else(|e| Failure::output(&e).map_or(Ok(()), Err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overview_names_every_verb() {
        let mut verbs: Vec<_> = Nodepods::get_args_info().commands.iter().map(|c| c.name).collect();
        verbs.push("help"); // argh has no such command
        assert_eq!(verbs, argv::VERBS);
        for verb in verbs {
            assert!(OVERVIEW.contains(&format!("\n  {verb} ")), "{verb}");
        }
    }

    #[test]
    fn every_verb_explains_itself() {
        for verb in argv::VERBS.iter().filter(|v| **v != "help") {
            let exit = Nodepods::from_args(&["nodepods"], &[verb, "--help"]).unwrap_err();
            assert_eq!(exit.status, Ok(()), "{verb}: {}", exit.output);
            assert!(exit.output.starts_with(&format!("Usage: nodepods {verb}")), "{}", exit.output);
        }
    }
}
