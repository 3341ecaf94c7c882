//! The command line: one file a verb, listed in [`verbs`].

mod api_client;
mod argv;
mod cells;
mod check_config;
mod client;
mod clock;
mod comeback;
mod command;
mod completion;
mod custom_columns;
mod describe;
mod disks;
mod doctor;
mod env;
mod exit;
mod export;
mod form;
mod generate;
mod get;
mod grid;
mod help;
mod http_socket;
mod kubectl;
mod lint;
mod logs;
mod manual;
mod missing;
mod objects;
mod one_pod;
mod options;
mod output;
mod paragraph;
mod pods_now;
mod printable;
mod progress;
mod proxy;
mod query;
mod resource;
mod screen;
mod selection;
mod serve;
mod socket;
mod sorting;
mod sources;
mod table;
mod tree;
mod verbs;
mod version;
mod volume;
mod wait;
mod watch;
mod whois;
mod why;

use std::io::{self, Write};
use std::process::ExitCode;

use exit::{Exit, Failure};
use printable::printable_lines;

/// Runs the command that the arguments name, and prints why it failed.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            if failure.message.is_empty() {
                // What was printed says it all.
            } else if log::max_level() == log::LevelFilter::Off {
                // With standard error closed there is nobody left to tell.
                let _ = writeln!(io::stderr().lock(), "{}", printable_lines(&failure.message));
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
    match argv.verb {
        Some(verb) if argv.help => output::print(&help::page(verb)),
        Some(verb) => (verb.run)(&argv.args.iter().map(String::as_str).collect::<Vec<_>>()),
        None if argv.args.iter().any(|arg| arg == "--version") => output::print(&version::line()),
        None => output::print(&help::overview(verbs::VERBS)),
    }
}
