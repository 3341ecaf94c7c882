//! Words of a command that a person is told to try. They come from a pod's spec and end in a shell, often root's.

/// A word as a POSIX shell takes it for that word and nothing else; in single quotes where it needs them.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_word_that_was_meant() {
        assert_eq!(word("/bin/cat"), "/bin/cat");
        for text in ["", "a b", "it's", "x; echo y", "$(id)", "`id`", "a&b", "~", "*", "#", "a\\", "\"", "-c", "é|"] {
            let line = format!("printf %s {}", word(text));
            let said = Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout), text, "{line}");
        }
    }
}
