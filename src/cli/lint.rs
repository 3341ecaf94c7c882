//! `nodepods lint`: what a kubelet would say of manifests, before they are dropped in. Offline, without a daemon.

mod advice;
mod files;
mod hint;
mod outcome;
mod report;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use self::files::Linted;
use self::report::Form;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::output::print;
use crate::pod::finding::{Severity, MAX_FILE_BYTES};
use crate::source::discovery::node::Node;
use crate::source::discovery::node_name;

/// Check manifests by the kubelet's rules before they are dropped in. Needs no daemon. Of a directory those
/// files are checked that a kubelet would read. Exit code 1 if a kubelet would refuse one, 2 if this command line is
/// wrong.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "lint",
    help_triggers("-h", "--help"),
    example = "nodepods lint /etc/kubernetes/manifests\nnodepods lint web.yaml -o yaml\nrender | nodepods lint --strict -o github -"
)]
pub struct Lint {
    /// json or github (annotations of a workflow) for the findings in other forms; yaml for the pods as they would be
    #[argh(option, short = 'o', arg_name = "text|json|github|yaml")]
    pub output: Option<String>,
    /// warnings fail too
    #[argh(switch)]
    pub strict: bool,
    /// name of the node, with which a pod's name ends; default: this machine's
    #[argh(option, arg_name = "name")]
    pub hostname_override: Option<String>,
    /// manifests, directories of them, or - for standard input
    #[argh(positional, arg_name = "FILE|DIR")]
    pub paths: Vec<String>,
}

impl Command for Lint {
    fn run(self) -> Result<(), Failure> {
        let form = form(self.output.as_deref())?;
        if self.paths.is_empty() {
            return Err(Failure::usage("lint", "name manifests, directories of them, or - for standard input"));
        }
        let node = match &self.hostname_override {
            Some(name) => name.trim().to_lowercase(),
            None => {
                let root = Path::new("/");
                node_name::on_disk(&Node::new(root).decide(), root).map(|found| found.name).unwrap_or_default()
            }
        };
        let mut linted = Linted::default();
        for path in &self.paths {
            match path.as_str() {
                "-" => linted.text("<stdin>", &standard_input()?),
                path => linted.path(Path::new(path)),
            }
        }
        linted.finish(&node);
        print(&report::render(&linted, &node, form)?)?;
        if form == Form::Yaml {
            // The pods go to a file or another program; what is wrong goes to whoever runs this.
            eprint!("{}", report::render(&linted, &node, Form::Text)?);
        }
        match linted.worst() {
            Some(Severity::Error) => Err(Failure::silent(Exit::Failure)),
            Some(Severity::Warning) if self.strict => Err(Failure::silent(Exit::Failure)),
            _ => Ok(()),
        }
    }
}

fn form(text: Option<&str>) -> Result<Form, Failure> {
    match text {
        None | Some("" | "text") => Ok(Form::Text),
        Some("json") => Ok(Form::Json),
        Some("github") => Ok(Form::Github),
        Some("yaml") => Ok(Form::Yaml),
        Some(other) => {
            Err(Failure::usage("lint", format!("unknown output format {other:?}; known are text, json, github, yaml")))
        }
    }
}

/// Standard input, one byte more than a manifest may have at most.
fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|e| Failure::new(Exit::Failure, format!("error: cannot read standard input: {e}")))?;
    Ok(bytes)
}
