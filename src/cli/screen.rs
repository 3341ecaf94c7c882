//! What standard output is: a terminal of some width, with colours or not, or something that reads along.

use std::env;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use crate::sys::terminal;

/// How output may look. The default is that of a pipe or a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Columns to fit into.
    pub width: Option<usize>,
    /// Whether colours are welcome.
    pub colour: bool,
}

impl Screen {
    /// That of standard output: colours and a width only on a terminal, and no colours with `NO_COLOR` or `TERM=dumb`.
    #[must_use]
    pub fn stdout() -> Self {
        let out = io::stdout();
        if !out.is_terminal() {
            return Self::default();
        }
        let plain =
            env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) || env::var_os("TERM").is_none_or(|t| t == "dumb");
        Self { width: terminal::columns(out.as_fd()), colour: !plain }
    }
}

/// What a piece of output says about the state of things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// On its way, or worth a look.
    Careful,
    /// Wrong.
    Bad,
    /// Of no interest any more.
    Faint,
}

impl Tone {
    /// All that [`Tone::paint`] sends to a terminal beside the text.
    pub const CODES: [&'static str; 5] = ["\u{1b}[32m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[2m", "\u{1b}[0m"];

    /// `text` in the colour of this tone.
    #[must_use]
    pub fn paint(self, text: &str, screen: Screen) -> String {
        let code = match self {
            Self::Plain => return text.to_string(),
            _ if !screen.colour => return text.to_string(),
            Self::Good => 32,
            Self::Careful => 33,
            Self::Bad => 31,
            Self::Faint => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_welcome() {
        assert_eq!(Tone::Bad.paint("Error", Screen::default()), "Error");
        assert_eq!(Tone::Bad.paint("Error", Screen { colour: true, width: None }), "\u{1b}[31mError\u{1b}[0m");
        assert_eq!(Tone::Plain.paint("x", Screen { colour: true, width: None }), "x");
    }
}
