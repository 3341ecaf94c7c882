//! `nodepods generate`: the manual pages and completions as files, for packages.

use std::fs;
use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::command::{AboutVerbs, Verb};
use super::exit::{Exit, Failure};
use super::{completion, manual};

/// Write the manual pages or the shells' completions into a directory, for packages.
#[derive(ArgsInfo, Debug, FromArgs)]
#[argh(
    subcommand,
    name = "generate",
    help_triggers("-h", "--help"),
    example = "nodepods generate man target/man\nnodepods generate completions target/completions"
)]
pub struct Generate {
    /// what to write
    #[argh(positional, arg_name = "man|completions")]
    what: String,
    /// where to; made if it is not there
    #[argh(positional, arg_name = "DIR")]
    directory: PathBuf,
}

impl AboutVerbs for Generate {
    fn run(self, verbs: &[Verb]) -> Result<(), Failure> {
        let files: Vec<(&str, String)> = match self.what.as_str() {
            "man" => manual::pages(verbs),
            "completions" => {
                let file = |(shell, file)| completion::script(verbs, shell).map(|script| (file, script));
                completion::FILES.into_iter().filter_map(file).collect()
            }
            other => return Err(Failure::usage("generate", format!("{other:?} is neither man nor completions"))),
        };
        write(&self.directory, &files)
    }
}

fn write(directory: &Path, files: &[(&str, String)]) -> Result<(), Failure> {
    let failed = |path: &Path, e| Failure::new(Exit::Failure, format!("error: cannot write {}: {e}", path.display()));
    fs::create_dir_all(directory).map_err(|e| failed(directory, e))?;
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|e| failed(&path, e))?;
    }
    Ok(())
}
