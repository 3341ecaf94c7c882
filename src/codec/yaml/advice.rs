//! The YAML parser's complaints in plain words, with what to do.

use super::YamlError;

/// Part of what the parser says, what that means, and the way out. The first that fits counts.
const WORDS: &[(&str, &str)] = &[
    ("tab", TAB),
    ("expected ',' or '}'", "a comma or } is missing; close what { has begun, or quote a value that begins with {"),
    ("expected ',' or ']'", "a comma or ] is missing; close what [ has begun, or quote a value that begins with ["),
    ("misplaced bracket", "a closing bracket without an opening one; remove it, or quote the value"),
    (
        "mapping values are not allowed",
        "a second ': ' in one line, or a line that is indented too far; quote a value with ': ' in it, or align the \
         line with the one above",
    ),
    ("block mapping, did not find expected key", "no key stands here; align this line with the keys it belongs to"),
    ("did not find expected '-'", "no '- ' stands here; align this line with the entries of its list"),
    ("block sequence entries are not allowed", "a '- ' cannot stand here; begin the list in the line below its key"),
    ("illegal placement of ':'", "a colon cannot stand here; close what [ or { has begun above, or quote the value"),
    ("simple key expect", "the colon of a key is missing; write KEY: VALUE, or align the line with the one above"),
    ("':' must be followed", "a colon without a space behind it; write KEY: VALUE"),
    ("found unexpected end of stream", "a quote is opened and never closed; close it"),
    ("unexpected document indicator", "a quote is opened and not closed before the document ends; close it"),
    ("unknown escape", "an escape that YAML does not know; double the backslash, or use single quotes"),
    (
        "trailing content after double-quoted",
        "something stands behind the closing quote; remove it, or quote all of it",
    ),
    ("found unknown anchor", "an alias of a name that no & has set; set it above, or quote a value that begins with *"),
    ("expected node content", "a value is missing; write one, or remove what waits for it"),
    ("unexpected character", "no value can begin with this character; quote the value"),
    ("scalar cannot start with '-'", "no value can begin like this; quote the value"),
    ("recursion limit", "lists and mappings are nested too deeply; write fewer levels"),
    ("indent", "this line is indented wrongly; align it with the lines it belongs to"),
];

const TAB: &str = "a tab stands where only spaces may; indent with spaces";

/// The parser complains of a tab at the end of the line before; the error belongs to the line that begins with one.
pub(super) fn at_the_tab(error: YamlError, source: &str) -> YamlError {
    let behind = error.line.saturating_sub(1) as usize;
    let begins = |line: &str| line.starts_with([' ', '\t']) && line.trim_start_matches(' ').starts_with('\t');
    let tab = source.lines().skip(behind).position(begins).filter(|_| error.problem == TAB);
    match tab.and_then(|lines| u32::try_from(lines).ok()) {
        Some(lines @ 1..) => YamlError { line: error.line.saturating_add(lines), column: 1, ..error },
        _ => error,
    }
}

/// What is wrong and what to do, parted by `; `.
pub(super) fn plain(complaint: &str) -> String {
    match WORDS.iter().find(|(part, _)| complaint.contains(part)) {
        Some((_, words)) => (*words).to_owned(),
        None => format!("{complaint}; correct it here or shortly before"),
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::yaml::parse;

    #[test]
    fn what_people_write_wrong_is_told_in_plain_words() {
        let table = [
            ("a:\n\tb: c\n", 2, "indent with spaces"),
            ("a:\n  b: c\n\td: e\n", 3, "indent with spaces"),
            ("a: {b: c\n", 0, "close what { has begun"),
            ("a: [b\nc: d\n", 0, "close what [ or { has begun"),
            ("a: b: c\n", 1, "quote a value"),
            ("a: b\n  c: d\n", 2, "align the line"),
            ("a:\n- b\n c\n- d: [\n", 0, "; "),
            ("a: - b\n", 1, "in the line below"),
            ("a: \"b\n", 0, "close it"),
            ("a: \"\\k\"\n", 1, "double the backslash"),
            ("a: *b\n", 1, "begins with *"),
            ("a: [1,\n", 0, "; "),
            ("a: @b\n", 1, "quote the value"),
            ("a: {{ b }}\n", 1, "needs quotes"),
            ("a: b\nc\n", 0, "the colon of a key is missing"),
        ];
        for (text, line, words) in table {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.problem.contains(words), "{text:?}: {error}");
            assert!(line == 0 || error.line == line, "{text:?}: {error}");
        }
    }
}
