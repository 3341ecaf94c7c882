//! `nodepods completion`: scripts with which shells complete a command line, made from the table of verbs.

mod bash;
mod fish;
mod values;
mod zsh;

use argh::{ArgsInfo, FromArgs};

use super::command::{shown, AboutVerbs, Verb};
use super::exit::Failure;
use super::output::print;

/// Print the script with which a shell completes command lines.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "completion",
    help_triggers("-h", "--help"),
    example = "source <(nodepods completion bash)\nnodepods completion zsh >\"${{fpath[1]}}/_nodepods\"\nnodepods completion fish >~/.config/fish/completions/nodepods.fish"
)]
pub struct Completion {
    /// the shell
    #[argh(positional, arg_name = "bash|zsh|fish")]
    shell: String,
}

/// The shells, and the files in which their packages look for a script.
pub const FILES: [(&str, &str); 3] = [("bash", "nodepods"), ("zsh", "_nodepods"), ("fish", "nodepods.fish")];

impl AboutVerbs for Completion {
    fn run(self, verbs: &[Verb]) -> Result<(), Failure> {
        match script(verbs, &self.shell) {
            Some(script) => print(&script),
            None => {
                Err(Failure::usage("completion", format!("no script for {:?}; known are bash, zsh, fish", self.shell)))
            }
        }
    }
}

/// The script of a shell; `None` where the shell is not known.
pub fn script(verbs: &[Verb], shell: &str) -> Option<String> {
    let verbs: Vec<_> = shown(verbs).collect();
    match shell {
        "bash" => Some(bash::script(&verbs)),
        "zsh" => Some(zsh::script(&verbs)),
        "fish" => Some(fish::script(&verbs)),
        _ => None,
    }
}
