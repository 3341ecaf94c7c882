//! The operating system's words, without its numbers.

/// The text without what Rust writes behind the words of an error of the operating system: ` (os error 2)` helps
/// nobody who reads "No such file or directory". Used where messages leave the program.
#[must_use]
pub fn plain(text: String) -> String {
    const START: &str = " (os error ";
    if !text.contains(START) {
        return text;
    }
    let mut pieces = text.split(START);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(')') {
            Some((number, rest)) if number.parse::<i32>().is_ok() => out.push_str(rest),
            _ => {
                out.push_str(START);
                out.push_str(piece);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn numbers_go_and_words_stay() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(
            plain(format!("cannot read a: {error}; write it")),
            "cannot read a: No such file or directory; write it"
        );
        assert_eq!(plain(format!("{error}, {error}")), "No such file or directory, No such file or directory");
        for text in ["", "nothing", "a (os error x) b", "a (os error 2"] {
            assert_eq!(plain(text.to_owned()), text);
        }
    }
}
