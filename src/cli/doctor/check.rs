//! One thing that was looked at, and what came of it.

use serde_json::json;

use crate::cli::paragraph::wrap;
use crate::cli::screen::{Screen, Tone};
use crate::plain::plain;

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and could be better.
    Note,
    /// It does not work.
    Bad,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Note => Tone::Careful,
            Self::Bad => Tone::Bad,
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word.
    pub subject: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do; empty where there is nothing to do.
    pub advice: String,
}

impl Check {
    /// As it should be.
    pub fn ok(subject: &'static str, seen: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Ok, seen: seen.into(), advice: String::new() }
    }

    /// It works, and could be better.
    pub fn note(subject: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Note, seen: plain(seen.into()), advice: advice.into() }
    }

    /// It does not work.
    pub fn bad(subject: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Bad, seen: plain(seen.into()), advice: advice.into() }
    }
}

/// Where what was seen begins.
const INDENT: usize = 18;

/// Lines for people.
pub fn text(checks: &[Check], screen: Screen) -> String {
    let width = screen.width.unwrap_or(100).max(40);
    let mut out = String::new();
    for check in checks {
        let word = check.verdict.tone().paint(&format!("{:4}", check.verdict.word()), screen);
        out.push_str(&format!("{word}  {:10}  ", check.subject));
        wrap(&mut out, &check.seen, INDENT, width);
        if !check.advice.is_empty() {
            out.push_str(&format!("{:>INDENT$}", "-> "));
            wrap(&mut out, &check.advice, INDENT, width);
        }
    }
    out
}

/// The same for programs.
pub fn json(checks: &[Check]) -> String {
    let one =
        |c: &Check| json!({ "subject": c.subject, "verdict": c.verdict.word(), "seen": c.seen, "advice": c.advice });
    format!("{:#}\n", json!({ "checks": checks.iter().map(one).collect::<Vec<_>>() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_say_what_to_do() {
        let checks = [Check::ok("user", "root"), Check::bad("runtime", "it does not answer", "start it")];
        assert_eq!(
            text(&checks, Screen::default()),
            "ok    user        root\nbad   runtime     it does not answer\n               -> start it\n"
        );
        let value: serde_json::Value = serde_json::from_str(&json(&checks)).unwrap();
        assert_eq!(value["checks"][1]["verdict"], "bad");
    }
}
