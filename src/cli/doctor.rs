//! `nodepods doctor`: what stands in the way, and what to do about it. Works without a daemon.

mod check;
mod daemon;
mod disk;
mod machine;

use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::form::is_json;
use super::output::print;
use super::screen::Screen;
use super::socket;
use check::Verdict;

/// Look for what stands in the way, and say what to do. Checks permissions, sockets, the runtime, manifests, disks,
/// cgroups, the clock, the configuration and versions, with a daemon or without one. Exit code 1 when something is wrong.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "doctor", help_triggers("-h", "--help"), example = "sudo nodepods doctor")]
pub struct Doctor {
    /// json for a form that programs read
    #[argh(option, short = 'o', arg_name = "json")]
    output: Option<String>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
}

impl Command for Doctor {
    fn run(self) -> Result<(), Failure> {
        let json = is_json("doctor", self.output.as_deref())?;
        let mut checks = machine::checks(Path::new("/"));
        let answer = socket::find("doctor", &self.socket).and_then(|path| {
            let answer = PodsClient::new(&path).sources()?;
            Ok((path, answer))
        });
        if let Ok((_, answer)) = &answer {
            // The daemon knows better: it may have been told of other places than those that can be found.
            let knows = |name: &str| answer.sources.iter().any(|s| s.name == name && !s.target.is_empty());
            let (file, cri) = (knows("file"), knows("cri"));
            let told = |check: &check::Check| file && check.subject == "manifests" || cri && check.subject == "runtime";
            checks.retain(|check| check.verdict != Verdict::Note || !told(check));
        }
        checks.extend(daemon::checks(&answer));
        if let Ok((_, answer)) = &answer {
            let asked: Vec<_> = answer.sources.iter().map(|source| source.name.as_str()).collect();
            checks.extend(machine::unasked(Path::new("/"), &asked));
        }
        print(&if json { check::json(&checks) } else { check::text(&checks, Screen::stdout()) })?;
        match checks.iter().any(|check| check.verdict == Verdict::Bad) {
            true => Err(Failure::new(Exit::Failure, "")), // what is wrong has been said
            false => Ok(()),
        }
    }
}
