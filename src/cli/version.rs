//! `nodepods version`: what was built, from what, for what.

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::exit::Failure;
use super::print;

/// Print the version of this program.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(subcommand, name = "version", help_triggers("-h", "--help"))]
pub struct Version {
    /// json for a form that programs read
    #[argh(option, short = 'o', arg_name = "format")]
    output: Option<String>,
}

/// Versions of the Pods API that this program serves.
const APIS: [&str; 2] = ["v1alpha1.Pods", "Pods"];

/// `1.2.3 (rev abc1234567)`.
pub fn line() -> String {
    format!("{} (rev {})", env!("CARGO_PKG_VERSION"), env!("NODEPODS_COMMIT"))
}

/// Prints the version.
///
/// # Errors
/// The output format is unknown, or standard output cannot be written.
pub fn run(version: &Version) -> Result<(), Failure> {
    match version.output.as_deref() {
        None => print(&format!("nodepods {}\n", line())),
        Some("json") => {
            let facts = json!({
                "version": env!("CARGO_PKG_VERSION"),
                "commit": env!("NODEPODS_COMMIT"),
                "target": env!("NODEPODS_TARGET"),
                "services": APIS,
            });
            print(&format!("{facts:#}\n"))
        }
        Some(other) => Err(Failure::usage("version", format!("unknown output format {other:?}; json is known"))),
    }
}
