//! Text in lines of a given width.

use super::cells::cells;

/// Appends `text` in lines of at most `width` columns, with a line break at its end. The first line goes on where `out`
/// stands, which is taken to be column `indent`; the others are indented by as much. Line breaks in `text` stay.
pub fn wrap(out: &mut String, text: &str, indent: usize, width: usize) {
    for (i, line) in text.lines().enumerate() {
        if i > 0 {
            out.push_str(&" ".repeat(indent));
        }
        let mut column = indent;
        for (j, word) in line.split_whitespace().enumerate() {
            let length = cells(word);
            if j > 0 && column + 1 + length > width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else if j > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, indent: usize, width: usize) -> String {
        let mut out = String::new();
        wrap(&mut out, text, indent, width);
        out
    }

    #[test]
    fn words_go_to_the_next_line_whole() {
        assert_eq!(wrapped("one two three", 0, 9), "one two\nthree\n");
        assert_eq!(wrapped("one two three", 2, 9), "one two\n  three\n");
        assert_eq!(wrapped("incomprehensible", 0, 5), "incomprehensible\n");
        assert_eq!(wrapped("a\nb", 1, 5), "a\n b\n");
    }
}
