//! What the daemon is told: options, the configuration file, and the settings they come to.

pub mod duration;
pub mod file;
pub mod narrow;
pub mod nearest;
pub mod options;
pub mod settings;
pub mod values;
