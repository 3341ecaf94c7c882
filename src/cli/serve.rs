//! `nodepods serve`: the daemon.

use std::io;

use super::command::Command;
use super::exit::{Exit, Failure};
use crate::config::file;
use crate::config::settings::Settings;
use crate::daemon::{self, DaemonError};
use crate::logger;
use crate::serve::ServeError;

pub use crate::config::options::ServeOptions as Serve;

impl Command for Serve {
    /// Reads the configuration and runs the daemon until it is told to stop.
    fn run(mut self) -> Result<(), Failure> {
        daemon::prepare().map_err(|e| failure(&e))?;
        let wrong = |e: &dyn std::fmt::Display| Failure::new(Exit::Config, format!("error: {e}"));
        let file = file::fill(&mut self).map_err(|e| wrong(&e))?;
        let settings =
            Settings::resolve(self).map_err(|e| wrong(&format!("{}{e}", file::place_of(file.as_deref(), e.option))))?;
        logger::start(settings.log_format, settings.verbosity).map_err(|e| wrong(&e))?;
        if let Some(path) = file {
            log::info!("configuration from {}", path.display());
        }
        daemon::run(&settings).map_err(|e| failure(&e))
    }
}

fn failure(e: &DaemonError) -> Failure {
    let denied = |e: &io::Error| e.kind() == io::ErrorKind::PermissionDenied;
    let exit = match e {
        DaemonError::Serve(ServeError::Io { source, .. }) | DaemonError::StateDir { source, .. } if denied(source) => {
            let hint = "the daemon is meant to run as root; without it, name a --socket and a --state-dir of your own";
            return Failure::new(Exit::Permission, format!("error: {e}; {hint}"));
        }
        DaemonError::Serve(ServeError::Io { source, .. }) if source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            let hint = "name a --socket where the disk can be written, such as /run/nodepods/pods.sock";
            return Failure::new(Exit::Failure, format!("error: {e}; {hint}"));
        }
        DaemonError::Group { .. } | DaemonError::Serve(ServeError::BadPath { .. } | ServeError::NotASocket { .. }) => {
            Exit::Config
        }
        DaemonError::Signals { .. }
        | DaemonError::Harden(_)
        | DaemonError::Thread { .. }
        | DaemonError::Serve(ServeError::Grpc { .. }) => Exit::Internal,
        DaemonError::MetricsListen { .. }
        | DaemonError::DownwardDir(_)
        | DaemonError::Serve(_)
        | DaemonError::Inherited { .. }
        | DaemonError::StateDir { .. } => Exit::Failure,
    };
    Failure::new(exit, format!("error: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_become_exit_codes() {
        let io = |kind: io::ErrorKind| ServeError::Io { doing: "bind", path: "/run/x".into(), source: kind.into() };
        let state = |kind: io::ErrorKind| DaemonError::StateDir { path: "/var/lib/x".into(), source: kind.into() };
        let table = [
            (DaemonError::Serve(io(io::ErrorKind::PermissionDenied)), 77),
            (DaemonError::Serve(io(io::ErrorKind::StorageFull)), 1),
            (state(io::ErrorKind::PermissionDenied), 77),
            (state(io::ErrorKind::ReadOnlyFilesystem), 1),
            (DaemonError::Serve(ServeError::NotASocket { path: "/run/x".into() }), 78),
            (DaemonError::Serve(ServeError::LiveServer { path: "/run/x".into(), pid: Some(7) }), 1),
            (DaemonError::Signals { source: io::ErrorKind::Other.into() }, 70),
        ];
        for (error, exit) in table {
            let failure = failure(&error);
            assert_eq!(failure.exit as u8, exit, "{failure}");
            assert!(failure.message.starts_with("error: "), "{failure}");
        }
    }
}
