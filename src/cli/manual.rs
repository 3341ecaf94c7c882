//! The manual pages, made from the table of verbs.

mod command;
mod daemon;
mod file;
mod roff;

use super::command::Verb;
use super::exit::Exit;
use crate::codec::time::Time;
#[cfg(test)]
pub use roff::escaped;
use roff::Roff;

/// Every page with the name of its file.
pub fn pages(verbs: &[Verb]) -> Vec<(&'static str, String)> {
    let date = date();
    vec![
        ("nodepods.1", command::page(verbs, &date)),
        ("nodepods.yaml.5", file::page(verbs, &date)),
        ("nodepods.8", daemon::page(verbs, &date)),
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
