//! `nodepods check-config`: a configuration file before a daemon has to live with it.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::command::Command;
use super::exit::{Exit, Failure};
use super::output::print;
use crate::config::file::{self, FileError, DEFAULT_PATH};
use crate::config::options::ServeOptions;
use crate::config::settings::Settings;

/// Check a configuration file without starting anything. Exit code 78 when the daemon would refuse it.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "check-config",
    help_triggers("-h", "--help"),
    example = "nodepods check-config && systemctl restart nodepods"
)]
pub struct CheckConfig {
    /// the file; default: /etc/nodepods/config.yaml
    #[argh(positional, arg_name = "PATH")]
    path: Option<PathBuf>,
}

impl Command for CheckConfig {
    fn run(self) -> Result<(), Failure> {
        let wrong = |words: String| {
            Failure::new(Exit::Config, format!("error: {words}\n'nodepods serve --help' says what each key may have."))
        };
        let mut options = ServeOptions { config: self.path, ..ServeOptions::default() };
        let read = file::fill(&mut options).map_err(|e| match e {
            FileError::Content { .. } => wrong(e.to_string()),
            _ => Failure::new(Exit::Config, format!("error: {e}")),
        })?;
        Settings::resolve(options).map_err(|e| wrong(format!("{}{e}", file::place_of(read.as_deref(), e.option))))?;
        match read {
            Some(path) => print(&format!("{}: ok\n", path.display())),
            None => print(&format!("{DEFAULT_PATH} does not exist: ok, the daemon uses its defaults\n")),
        }
    }
}
