//! In which of YAML's forms a text can be printed.

/// The form of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    /// `|`, for text of several lines.
    Literal,
}

/// The form that libyaml's emitter and its Go port choose. `reads_as_text`: without quotes it would be read as
/// this very text.
pub(super) fn of(text: &str, reads_as_text: bool, key: bool) -> Style {
    let space_before_break = text.contains(" \n");
    let special = text.chars().any(|c| !is_printable(c)); // tabs too
    if text.contains('\n') {
        let block = !(special || space_before_break || text.ends_with(' ') || key);
        return if block { Style::Literal } else { Style::Double };
    }
    // a plain `<<` is text as a value, but would merge as a key
    if !reads_as_text || special || (key && text == "<<") {
        return Style::Double;
    }
    let plain = !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ') && !has_indicators(text);
    if plain {
        Style::Plain
    } else {
        Style::Single
    }
}

/// Whether something in the text means structure in a block context.
fn has_indicators(text: &str) -> bool {
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    let spaced = matches!(second, None | Some(' ' | '\t'));
    text.starts_with("---")
        || text.starts_with("...")
        || first.is_some_and(|c| "#,[]{}&*!|>'\"%@`".contains(c) || (spaced && "?:-".contains(c)))
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #")
}

/// Characters that are printed as they are; all others are escaped. The Go port escapes what lies beyond the
/// basic plane.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}
