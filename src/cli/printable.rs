//! Text of others on somebody's terminal.

use std::borrow::Cow;
use std::io::{self, IsTerminal};

use super::screen::Tone;

/// One line of text in which every character that commands a terminal is U+FFFD. Names, values and messages come from
/// manifests, containers and servers; a terminal must not obey them.
#[must_use]
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if commands(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for several lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// What goes to standard output: as it is, unless that is a terminal.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() {
        Cow::Owned(on_a_terminal(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same as [`printable_lines`], but our own colours stay, and tabs.
fn on_a_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = Tone::CODES.iter().find(|code| c == '\u{1b}' && rest.starts_with(**code));
        let taken = colour.map_or(c.len_utf8(), |code| code.len());
        match colour {
            Some(code) => out.push_str(code),
            None if commands(c) && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            None => out.push(c),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Control characters, and those that turn the direction of the text around them: `gpj.exe` can look like `exe.jpg`.
fn commands(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(printable("a\u{1b}[31mb\r\nc\u{9b}0m"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}0m");
        assert_eq!(printable("a\u{202e}b\u{2066}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(printable_lines("a\u{7}\nb\n"), "a\u{fffd}\nb\n");
    }

    #[test]
    fn of_what_is_written_to_a_terminal_only_our_colours_are_obeyed() {
        let colour = Screen { colour: true, width: None };
        for tone in [Tone::Plain, Tone::Good, Tone::Careful, Tone::Bad, Tone::Faint] {
            let painted = tone.paint("ö\t1\n", colour);
            assert_eq!(on_a_terminal(&painted), painted);
        }
        assert_eq!(on_a_terminal("pod/a\u{1b}]0;x\u{7}\r\u{9b}2J\n"), "pod/a\u{fffd}]0;x\u{fffd}\u{fffd}\u{fffd}2J\n");
        assert_eq!(on_a_terminal("\u{1b}"), "\u{fffd}");
    }
}
