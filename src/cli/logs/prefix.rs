//! Lines with the pod and the container in front.

use std::io::{self, Write};

/// Writes one log; what it is given may begin and end within a line.
#[derive(Debug)]
pub struct Prefixed {
    prefix: String,
    /// What comes next begins a line.
    at_start: bool,
}

impl Prefixed {
    /// A log of which every line begins with `prefix`, which may be empty.
    pub fn new(prefix: String) -> Self {
        Self { prefix, at_start: true }
    }

    /// Writes the next bytes.
    ///
    /// # Errors
    /// `out` takes no more.
    pub fn write(&mut self, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
        if self.prefix.is_empty() {
            return out.write_all(bytes);
        }
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            if self.at_start {
                out.write_all(self.prefix.as_bytes())?;
            }
            out.write_all(line)?;
            self.at_start = line.ends_with(b"\n");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_one_prefix() {
        let written = |prefix: &str, pieces: &[&str]| {
            let (mut log, mut out) = (Prefixed::new(prefix.into()), Vec::new());
            pieces.iter().for_each(|piece| log.write(piece.as_bytes(), &mut out).unwrap());
            String::from_utf8(out).unwrap()
        };
        let pieces = ["one\ntw", "o", "\n", "", "three\n\nfi", "ve"];
        assert_eq!(written("> ", &pieces), "> one\n> two\n> three\n> \n> five");
        assert_eq!(written("", &pieces), "one\ntwo\nthree\n\nfive");
    }
}
