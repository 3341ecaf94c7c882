//! Text of others on somebody's terminal.

/// One line of text in which every control character is U+FFFD. Names, values and messages come from manifests,
/// containers and servers; a terminal must not obey them.
#[must_use]
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The same for several lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(printable("a\u{1b}[31mb\r\nc\u{9b}0m"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}0m");
        assert_eq!(printable_lines("a\u{7}\nb\n"), "a\u{fffd}\nb\n");
    }
}
