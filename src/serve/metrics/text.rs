//! Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write as _};

/// A page of metrics in the making.
#[derive(Debug, Default)]
pub(super) struct Text {
    out: String,
    name: &'static str,
}

impl Text {
    /// Begins a metric; its samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) -> &mut Self {
        self.name = name;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}"); // a String takes everything
        self
    }

    /// One sample of the metric that was begun last.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.out.push_str(self.name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.out, "{}{label}=\"{text}\"", if i == 0 { '{' } else { ',' });
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.out, "{close} {value}");
        self
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_help_are_escaped() {
        let mut text = Text::default();
        text.family("a", "gauge", "one\\\ntwo").sample(&[], 1).sample(&[("x", "\"\\\n"), ("y", "é")], 2.5);
        let want = "# HELP a one\\\\\\ntwo\n# TYPE a gauge\na 1\na{x=\"\\\"\\\\\\n\",y=\"é\"} 2.5\n";
        assert_eq!(text.finish(), want);
    }
}
