//! How a command ends: the exit codes, and failures with words for the person who typed it.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::plain::plain;

/// Every exit code of `nodepods`. From 64 on they are those of sysexits(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// It did not work, for a reason that no other code names.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// What was asked for does not exist.
    NotFound = 3,
    /// Nothing answers, or what answers is not ready.
    Unavailable = 69,
    /// A fault of ours.
    Internal = 70,
    /// Not allowed.
    Permission = 77,
    /// The configuration is wrong.
    Config = 78,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Failure,
        Self::Usage,
        Self::NotFound,
        Self::Unavailable,
        Self::Internal,
        Self::Permission,
        Self::Config,
    ];

    /// What it says to a script, for the manual.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "Done.",
            Self::Failure => "It did not work, or something is not as it should be.",
            Self::Usage => "The command line is wrong.",
            Self::NotFound => "What was asked for does not exist.",
            Self::Unavailable => "No daemon answers, or it does not know the node yet. Trying again later can help.",
            Self::Internal => "A fault of nodepods.",
            Self::Permission => "Not allowed: most commands need root.",
            Self::Config => "The configuration is wrong.",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command fails: its exit code and what is printed to standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// Full sentences; says what to do next.
    pub message: String,
}

impl Failure {
    /// A failure with these words.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: plain(message.into()) }
    }

    /// A failure that needs no words: what was printed says it.
    pub fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// A wrong command line. `verb` names the help page to point at; empty for the program's own.
    pub fn usage(verb: &str, problem: impl fmt::Display) -> Self {
        let page = if verb.is_empty() { String::new() } else { format!(" {verb}") };
        Self::new(Exit::Usage, format!("error: {problem}\nSee 'nodepods{page} --help'."))
    }

    /// Writing to standard output failed. A reader that has seen enough (`| head`) is no failure: `None`.
    #[must_use]
    pub fn output(error: &io::Error) -> Option<Self> {
        (error.kind() != io::ErrorKind::BrokenPipe)
            .then(|| Self::new(Exit::Failure, format!("error: cannot write to standard output: {error}")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_manual() {
        let table = [
            (Exit::Success, 0),
            (Exit::Failure, 1),
            (Exit::Usage, 2),
            (Exit::NotFound, 3),
            (Exit::Unavailable, 69),
            (Exit::Internal, 70),
            (Exit::Permission, 77),
            (Exit::Config, 78),
        ];
        assert_eq!(Exit::ALL, table.map(|(exit, _)| exit));
        for (exit, code) in table {
            assert_eq!(exit as u8, code);
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert_eq!(Failure::output(&io::ErrorKind::BrokenPipe.into()), None);
        assert_eq!(Failure::output(&io::ErrorKind::StorageFull.into()).map(|f| f.exit), Some(Exit::Failure));
    }
}
