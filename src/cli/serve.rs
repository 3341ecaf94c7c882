//! `nodepods serve`: the daemon.

use super::exit::{Exit, Failure};
use crate::config::file;
use crate::config::options::ServeOptions;
use crate::config::settings::Settings;
use crate::logger;

/// Reads the configuration and runs the daemon until it is told to stop.
///
/// # Errors
/// The configuration is wrong, or the daemon cannot start.
pub fn run(mut options: ServeOptions) -> Result<(), Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::new(Exit::Config, format!("error: {e}"));
    let file = file::fill(&mut options).map_err(|e| wrong(&e))?;
    let settings = Settings::resolve(options).map_err(|e| wrong(&e))?;
    logger::start(settings.log_format, settings.verbosity).map_err(|e| wrong(&e))?;
    if let Some(path) = file {
        log::info!("configuration from {}", path.display());
    }
    Err(Failure::new(Exit::Internal, "error: this build has no daemon yet"))
}
