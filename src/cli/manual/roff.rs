//! A manual page in the macros of man(7).

use std::fmt::Write as _;

use crate::cli::paragraph::wrap;

/// Longest lines of the source.
const WIDTH: usize = 78;

/// A page while it is written.
#[derive(Debug)]
pub struct Roff(String);

impl Roff {
    /// A page that has its title. `date` is `YYYY-MM-DD`.
    pub fn new(name: &str, section: u8, date: &str) -> Self {
        let title = escaped(&name.to_uppercase());
        let version = env!("CARGO_PKG_VERSION");
        Self(format!(".\\\" Made by `nodepods generate man`.\n.TH {title} {section} {date} \"nodepods {version}\"\n"))
    }

    /// A section.
    pub fn heading(&mut self, text: &str) {
        self.line(&format!(".SH {}", escaped(text)));
    }

    /// A part of a section.
    pub fn part(&mut self, text: &str) {
        self.line(&format!(".SS \"{}\"", escaped(text)));
    }

    /// A paragraph; an empty line in `text` begins another.
    pub fn paragraph(&mut self, text: &str) {
        for (i, paragraph) in text.split("\n\n").enumerate() {
            if i > 0 {
                self.line(".PP");
            }
            self.text(paragraph);
        }
    }

    /// A further paragraph.
    pub fn next(&mut self, text: &str) {
        self.line(".PP");
        self.paragraph(text);
    }

    /// A term with what it means. In `term`, what stands in `<angle brackets>` is a placeholder.
    pub fn tagged(&mut self, term: &str, meaning: &str) {
        self.line(".TP");
        let mut out = String::from("\\fB");
        for c in escaped(term).chars() {
            match c {
                '<' => out.push_str("\\fI"),
                '>' => out.push_str("\\fB"),
                c => out.push(c),
            }
        }
        self.line(&(out + "\\fR"));
        self.text(meaning);
    }

    /// Lines as they are.
    pub fn example(&mut self, lines: &str) {
        if !self.0.lines().last().is_some_and(|line| line.starts_with(".SH")) {
            self.line(".PP");
        }
        self.line(".RS 4\n.nf");
        lines.lines().for_each(|line| self.verbatim(&escaped(line)));
        self.line(".fi\n.RE");
    }

    /// A line of the page's own markup.
    pub fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn text(&mut self, text: &str) {
        let mut lines = String::new();
        wrap(&mut lines, &escaped(text), 0, WIDTH);
        lines.lines().for_each(|line| self.verbatim(line));
    }

    /// A line that is no request, whatever it begins with.
    fn verbatim(&mut self, escaped: &str) {
        let safe = if escaped.starts_with(['.', '\'']) { "\\&" } else { "" };
        self.line(&format!("{safe}{escaped}"));
    }

    /// The page.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Text in which nothing is markup: a dash is one that can be searched for and copied.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '"' => out.push_str("\\(dq"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_text_is_markup() {
        let mut page = Roff::new("x", 1, "2026-01-02");
        page.paragraph(".conf and 'this'\nthen a\\b");
        page.tagged("-n, --namespace <NAMESPACE>", "pods");
        let text = page.finish();
        assert!(
            text.ends_with(
                "\\&.conf and \\(aqthis\\(aq\nthen a\\eb\n.TP\n\\fB\\-n, \\-\\-namespace \\fINAMESPACE\\fB\\fR\npods\n"
            ),
            "{text}"
        );
    }
}
