//! The end of a container's log, in the format that CRI prescribes: `TIME STREAM TAGS TEXT`, tags `F` or `P`.
//! A line that was split (`P`) goes on in the next one.

/// `kubecontainer.MaxContainerTerminationMessageLogLines`: lines of the file, split ones count each.
const MAX_LINES: usize = 80;
/// `kubecontainer.MaxContainerTerminationMessageLogLength`.
const MAX_BYTES: usize = 2048;

/// What the container wrote last, both streams in their order: at most 80 lines and 2048 bytes. `block` is the end
/// of the log; unless it is the `whole` log, its first line may be cut.
#[must_use]
pub fn last_output(block: &[u8], whole: bool) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = block.split_inclusive(|b| *b == b'\n').collect();
    if !whole && lines.len() > 1 {
        lines.remove(0);
    }
    // A last line without its end is still being written; the kubelet's reader waits for the rest of it.
    if lines.last().is_some_and(|l| !l.ends_with(b"\n")) && (whole || lines.len() > 1) {
        lines.pop();
    }
    let from = lines.len().saturating_sub(MAX_LINES);
    let mut out: Vec<u8> = Vec::new();
    for line in lines.into_iter().skip(from) {
        match text(line) {
            Some(text) => out.extend_from_slice(text),
            // One line longer than the block: all of it is text.
            None if !whole => out.extend_from_slice(line),
            None => {}
        }
    }
    let cut = out.len().saturating_sub(MAX_BYTES);
    out.drain(..cut);
    out
}

/// The text of one line, with its newline where the container wrote it.
fn text(line: &[u8]) -> Option<&[u8]> {
    let mut parts = line.splitn(4, |b| *b == b' ');
    let (_time, stream, tags, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !matches!(stream, b"stdout" | b"stderr") {
        return None;
    }
    let partial = tags.split(|b| *b == b':').any(|t| t == b"P");
    if partial {
        return text.strip_suffix(b"\n").or(Some(text));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let l = |stream: &str, tag: &str, text: &str| format!("2026-01-01T00:00:00.1Z {stream} {tag} {text}\n");
        let cases = [
            (String::new(), String::new()),
            (l("stdout", "F", "one") + &l("stderr", "F", "two  blanks "), "one\ntwo  blanks \n".into()),
            (l("stdout", "P", "spl") + &l("stdout", "F", "it"), "split\n".into()),
            (l("stdout", "P:x", "spl") + &l("stdout", "F", "it"), "split\n".into()),
            (l("stdout", "F", ""), "\n".into()),
            ("rubbish\n".to_string() + &l("stdout", "F", "ok"), "ok\n".into()),
            (l("stdout", "F", "done") + "2026-01-01T00:00:00.1Z stdout F not d", "done\n".into()),
            (
                (0..100).map(|i| l("stdout", "F", &format!("{i}"))).collect(),
                (20..100).map(|i| format!("{i}\n")).collect(),
            ),
            (l("stdout", "F", &"x".repeat(3000)), "x".repeat(2047) + "\n"),
        ];
        for (log, want) in cases {
            assert_eq!(String::from_utf8(last_output(log.as_bytes(), true)).unwrap(), want, "{log:?}");
        }
    }

    #[test]
    fn a_block_that_begins_within_a_line() {
        assert_eq!(last_output(b"F cut\n2026 stdout F whole\n", false), b"whole\n");
        assert_eq!(last_output(&[b'y'; 5000], false), [b'y'; 2048]);
    }
}
