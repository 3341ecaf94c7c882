//! The log files of containers, where the runtime writes them: found, opened and read, without ever leaving the
//! directory of the pod.

mod files;
mod gzip;
mod reader;

pub use files::{LogError, LogFiles, LogPlace};
pub use reader::LogReader;
