//! `nodepods sources`: where the daemon learns of pods, and how these sources are.

mod report;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::command::Command;
use super::exit::Failure;
use super::form::is_json;
use super::output::print;
use super::screen::Screen;
use super::socket;

/// Show where the daemon learns of pods, and how it goes. For each source: what was found and why, since when it is
/// as it is, when it last answered and what went wrong; also the runtime, and what is wrong in the manifests.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "sources",
    help_triggers("-h", "--help"),
    example = "nodepods sources\nnodepods sources -o json"
)]
pub struct Sources {
    /// json for a form that programs read
    #[argh(option, short = 'o', arg_name = "json")]
    output: Option<String>,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
}

impl Command for Sources {
    fn run(self) -> Result<(), Failure> {
        let json = is_json("sources", self.output.as_deref())?;
        let answer = PodsClient::new(&socket::find("sources", &self.socket)?).sources()?;
        print(&if json { report::json(&answer) } else { report::text(&answer, Screen::stdout()) })
    }
}
