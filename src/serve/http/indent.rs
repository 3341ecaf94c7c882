//! Compact JSON made readable while it passes through, as Go's `json.Indent` lays it out.

/// Where in the text it stands.
#[derive(Debug, Default)]
pub(crate) struct Indenter {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// An object or list was opened, and nothing of it was seen: an empty one stays on its line.
    opened: bool,
}

impl Indenter {
    /// Appends the next piece of compact JSON, indented by two blanks a level.
    pub(crate) fn feed(&mut self, compact: &str, out: &mut Vec<u8>) {
        for &byte in compact.as_bytes() {
            if self.in_text {
                out.push(byte);
                self.in_text = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                continue;
            }
            let closes = matches!(byte, b'}' | b']');
            match (std::mem::take(&mut self.opened), closes) {
                (true, false) => {
                    self.depth += 1;
                    self.line(out);
                }
                (false, true) => {
                    self.depth = self.depth.saturating_sub(1);
                    self.line(out);
                }
                _ => {}
            }
            out.push(byte);
            match byte {
                b'{' | b'[' => self.opened = true,
                b',' => self.line(out),
                b':' => out.push(b' '),
                b'"' => self.in_text = true,
                _ => {}
            }
        }
    }

    fn line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_gives_the_same_text() {
        let compact = r#"{"a":[],"b":{},"c":[1,{"d":"x,{\"[\\"}],"e":[[]],"f":null}"#;
        let want =
            "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": \"x,{\\\"[\\\\\"\n    }\n  ],\n  \
                    \"e\": [\n    []\n  ],\n  \"f\": null\n}";
        for cut in 0..=compact.len() {
            let (mut indenter, mut out) = (Indenter::default(), Vec::new());
            indenter.feed(&compact[..cut], &mut out);
            indenter.feed(&compact[cut..], &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want, "cut at {cut}");
        }
    }

    #[test]
    fn as_serde_lays_it_out() {
        let value = serde_json::json!({"kind": "Status", "details": {"causes": [{"field": "a"}, 1, true]}});
        let (mut indenter, mut out) = (Indenter::default(), Vec::new());
        indenter.feed(&value.to_string(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string_pretty(&value).unwrap());
    }
}
