//! `nodepods version`: what was built, from what, for what; of this program and of the daemon.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use serde_json::{json, Value};

use super::client::PodsClient;
use super::command::Command;
use super::exit::Failure;
use super::form::is_json;
use super::output::print;
use super::socket;
use crate::proto::node::Daemon;
use crate::serve::grpc::reflection;

/// Print the versions of this program and of the daemon.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "version", help_triggers("-h", "--help"))]
pub struct Version {
    /// json for a form that programs read
    #[argh(option, short = 'o', arg_name = "json")]
    output: Option<String>,
    /// do not ask the daemon
    #[argh(switch)]
    client: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets
    #[argh(option, arg_name = "PATH")]
    socket: Vec<PathBuf>,
}

/// `nodepods 1.2.3 (rev abc1234567)`, with a line break.
pub fn line() -> String {
    format!("nodepods {} (rev {})\n", env!("CARGO_PKG_VERSION"), env!("NODEPODS_COMMIT"))
}

impl Command for Version {
    fn run(self) -> Result<(), Failure> {
        let json = is_json("version", self.output.as_deref())?;
        let daemon = match self.client {
            true => None,
            false => Some(ask(&self.socket)),
        };
        print(&if json { format!("{:#}\n", value(daemon.as_ref())) } else { text(daemon.as_ref()) })
    }
}

fn ask(socket: &[PathBuf]) -> Result<Daemon, Failure> {
    let answer = PodsClient::new(&socket::find("version", socket)?).sources()?;
    Ok(answer.daemon.unwrap_or_default())
}

fn text(daemon: Option<&Result<Daemon, Failure>>) -> String {
    match daemon {
        None => line(),
        Some(Ok(daemon)) => {
            format!("{}daemon   {} (rev {}), pid {}\n", line(), daemon.version, daemon.commit, daemon.pid)
        }
        // That none runs is no failure of this command.
        Some(Err(failure)) => {
            let why = failure.message.lines().next().unwrap_or_default();
            format!("{}daemon   unknown: {}\n", line(), why.trim_start_matches("error: "))
        }
    }
}

fn value(daemon: Option<&Result<Daemon, Failure>>) -> Value {
    let daemon = daemon.and_then(|answer| answer.as_ref().ok()).map(|daemon| {
        json!({ "version": daemon.version, "commit": daemon.commit, "target": daemon.target, "pid": daemon.pid })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "commit": env!("NODEPODS_COMMIT"),
        "target": env!("NODEPODS_TARGET"),
        "services": reflection::services(),
        "daemon": daemon,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn of_both() {
        let daemon = Daemon { version: "9.9.9".into(), commit: "abc".into(), pid: 7, ..Daemon::default() };
        assert!(text(Some(&Ok(daemon.clone()))).ends_with(")\ndaemon   9.9.9 (rev abc), pid 7\n"));
        assert_eq!(value(Some(&Ok(daemon)))["daemon"]["version"], "9.9.9");
        let none = Err(Failure::new(Exit::Unavailable, "error: no nodepods daemon answers\n  /run/x: gone"));
        assert!(text(Some(&none)).ends_with("daemon   unknown: no nodepods daemon answers\n"));
        assert_eq!(value(Some(&none))["daemon"], Value::Null);
    }
}
