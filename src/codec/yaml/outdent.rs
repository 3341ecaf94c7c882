//! Lines inside brackets and quotes that go on to the left of where these began.
//!
//! YAML forbids them, the parser refuses them, and Go reads them: inside brackets and quotes the blanks at the start
//! of a line mean nothing to it (`go-yaml/yaml scannerc.go`, which unrolls no indentation in a flow). So such a line
//! may as well begin further right, where the parser takes it; what is told of it is put right again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Marker, ScanError};

use super::marks::Mark;

/// Bytes that are read again at most for the sake of such lines. Each costs one more reading of the text.
const MOST_AGAIN: usize = 4 << 20;
/// Blanks that are put before a line, and before it again should they not do.
const BLANKS: usize = 64;

/// A text with blanks before some of its lines.
pub(super) struct Outdented<'t> {
    text: Cow<'t, str>,
    /// Blanks that were put before a line, by its number from 1.
    blanks: BTreeMap<usize, usize>,
    read_again: usize,
}

impl<'t> Outdented<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), blanks: BTreeMap::new(), read_again: 0 }
    }

    /// What is to be read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the text as it was given.
    pub(super) fn mark(&self, marker: &Marker) -> Mark {
        let put = self.blanks.get(&marker.line()).copied().unwrap_or(0);
        Mark { line: marker.line() as u32, column: marker.col().saturating_sub(put) as u32 + 1 }
    }

    /// Moves to the right what the parser refused for standing too far left. False where that was not the reason, or
    /// was too often: then the refusal stands.
    pub(super) fn moves(&mut self, refused: &ScanError) -> bool {
        self.read_again = self.read_again.saturating_add(self.text.len());
        if self.read_again > MOST_AGAIN {
            return false;
        }
        let marker = refused.marker();
        let Some((line, at)) = lines(&self.text).find(|(line, _)| *line == marker.line()) else { return false };
        let lines: Vec<(usize, usize)> = match refused.info() {
            // Outside of brackets the parser finds other words: there a line to the left ends what is open.
            "invalid indentation" | "invalid indentation in flow construct" => vec![(line, at)],
            // The place is that of the quote that opens.
            "invalid indentation in quoted scalar" => {
                let from = self.text.get(at..).and_then(|rest| rest.char_indices().nth(marker.col()));
                let Some(from) = from.map(|(col, _)| at + col) else { return false };
                let to = from + quoted(self.text.get(from..).unwrap_or_default());
                lines(&self.text).filter(|(_, start)| (from + 1..=to).contains(start)).collect()
            }
            _ => return false,
        };
        // `---` and `...` end a document even there.
        let movable = lines.into_iter().filter(|(_, start)| !is_document_end(self.text.get(*start..)));
        let movable: Vec<_> = movable.collect();
        for (line, start) in movable.iter().rev() {
            self.text.to_mut().insert_str(*start, &" ".repeat(BLANKS));
            *self.blanks.entry(*line).or_default() += BLANKS;
        }
        !movable.is_empty()
    }
}

/// The lines of a text: their numbers from 1, and where they start.
fn lines(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, b)| match b {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).enumerate().map(|(n, start)| (n + 1, start))
}

/// How long a quoted text is that begins here, quotes included; to the end where nothing closes it.
fn quoted(text: &str) -> usize {
    let mut rest = text.bytes().enumerate().peekable();
    let Some((_, quote)) = rest.next() else { return 0 };
    while let Some((at, b)) = rest.next() {
        match b {
            b'\\' if quote == b'"' => drop(rest.next()),
            b'\'' if quote == b && rest.next_if(|(_, next)| *next == quote).is_some() => {} // doubled, it stands for itself
            _ if b == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_document_end(line: Option<&str>) -> bool {
    let rest = line.and_then(|l| l.strip_prefix("---").or_else(|| l.strip_prefix("...")));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}
