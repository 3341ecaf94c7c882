//! `nodepods version`: what was built, from what, for what.

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::exit::Failure;
use super::output::print;
use super::verbs::Command;

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

/// `nodepods 1.2.3 (rev abc1234567)`, with a line break.
pub fn line() -> String {
    format!("nodepods {} (rev {})\n", env!("CARGO_PKG_VERSION"), env!("NODEPODS_COMMIT"))
}

impl Command for Version {
    fn run(self) -> Result<(), Failure> {
        match self.output.as_deref() {
            None => print(&line()),
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
}
