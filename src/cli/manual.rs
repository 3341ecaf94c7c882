//! The manual pages, made from the table of verbs.

mod command;
mod daemon;
mod file;
mod roff;

use super::exit::Exit;
use crate::codec::time::Time;
use roff::Roff;

/// Every page with the name of its file.
pub fn pages() -> Vec<(&'static str, String)> {
    let date = date();
    vec![
        ("nodepods.1", command::page(&date)),
        ("nodepods.yaml.5", file::page(&date)),
        ("nodepods.8", daemon::page(&date)),
    ]
}

/// The day of `SOURCE_DATE_EPOCH`, so that a package can be built twice and come out the same; else today.
fn date() -> String {
    let named = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = Time::from_unix(named.unwrap_or_else(super::clock::now)).to_string();
    time.split('T').next().unwrap_or_default().to_string()
}

/// `EXIT STATUS`, the same on all pages.
fn exit_status(page: &mut Roff) {
    page.heading("EXIT STATUS");
    for exit in Exit::ALL {
        page.tagged(&(exit as u8).to_string(), exit.meaning());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options::of_verb;
    use crate::cli::verbs::{named, shown};
    use crate::config::options::KEYS;

    fn page(name: &str) -> String {
        pages().into_iter().find(|(file, _)| *file == name).unwrap().1
    }

    fn option(name: &str) -> String {
        roff::escaped(&format!("--{name}"))
    }

    #[test]
    fn the_command_page_names_every_verb_and_option() {
        let text = page("nodepods.1");
        for verb in shown() {
            assert!(text.contains(&format!(".SS \"nodepods {}", roff::escaped(verb.name))), "{}", verb.name);
            if verb.name != "serve" {
                let missing: Vec<_> =
                    of_verb(Some(verb)).into_iter().filter(|row| !text.contains(&option(row.name))).collect();
                assert!(missing.is_empty(), "{}: {missing:?}", verb.name);
            }
        }
    }

    #[test]
    fn the_daemons_page_names_every_option_of_serve_and_the_files_page_every_key() {
        let text = page("nodepods.8");
        assert!(of_verb(named("serve")).iter().all(|row| text.contains(&option(row.name))));
        let text = page("nodepods.yaml.5");
        assert!(KEYS.iter().all(|key| text.contains(&format!("\\fB{}", roff::escaped(key)))));
    }
}
