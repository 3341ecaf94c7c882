//! `nodepods.yaml(5)`: the configuration file.

use super::command::sentence;
use super::roff::Roff;
use crate::cli::command::{named, Verb};
use crate::cli::options::of_verb;
use crate::config::file::DEFAULT_PATH;
use crate::config::options::KEYS;

/// The page.
pub fn page(verbs: &[Verb], date: &str) -> String {
    let mut page = Roff::new("nodepods.yaml", 5, date);
    page.heading("NAME");
    page.paragraph("nodepods.yaml - configuration of the nodepods daemon");
    page.heading("SYNOPSIS");
    page.paragraph(DEFAULT_PATH);
    page.heading("DESCRIPTION");
    page.paragraph(
        "A YAML mapping whose keys are the long options of nodepods serve, without dashes. The file need not exist; \
         another one is named with --config. What the command line says wins over the file. An option that may be \
         repeated takes a value or a list of values. Unknown keys, keys that stand twice and values that do not fit are \
         refused with line and column; nodepods check-config says so beforehand.\n\n\
         Commands that ask the daemon take the first socket from the file.",
    );
    page.heading("KEYS");
    for row in of_verb(named(verbs, "serve")).iter().filter(|row| KEYS.contains(&row.name)) {
        let list = if row.repeats { ", or a list" } else { "" };
        page.tagged(&format!("{}: <{}>{list}", row.name, row.hint), &sentence(row.help));
    }
    page.heading("EXAMPLE");
    page.example(
        "socket:\n- /run/nodepods/pods.sock\nmanifest-url: https://boot.example/pods.yaml\nmanifest-url-header:\n\
         - \"X-Token: secret\"\nkubeconfig: auto\ninit-timeout: 30s",
    );
    page.heading("SEE ALSO");
    page.line(".BR nodepods (8),\n.BR nodepods (1)");
    page.finish()
}
