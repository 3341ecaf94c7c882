//! What an exit code says.

/// What an exit code means, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Short stable word.
    pub reason: &'static str,
    /// Part of a sentence.
    pub what: &'static str,
    /// What to do.
    pub advice: &'static str,
}

const LOG: &str = "the program ended by itself: its log says why";
const CRASH: &str = "the program has a fault, or the image is not for this processor: look at its log, and at \
                     'dmesg' on the node";

/// Codes with a meaning of their own; 128 and above are 128 plus the signal (signal(7)).
const TABLE: [(i64, &str, &str, &str); 14] = [
    (0, "Completed", "success", ""),
    (1, "Error", "a failure that the program itself reports", LOG),
    (2, "Error", "a failure that the program itself reports, often wrong usage", LOG),
    (126, "CannotExecute", "a command was found and cannot be executed", NOT_EXECUTABLE),
    (127, "CommandNotFound", "a command was not found", NOT_FOUND),
    (129, "Signal", "SIGHUP", LOG),
    (130, "Signal", "SIGINT", "somebody or something in the container interrupted it"),
    (132, "Crash", "SIGILL: an instruction that this processor does not know", CRASH),
    (134, "Crash", "SIGABRT: it gave up", LOG),
    (135, "Crash", "SIGBUS: it touched memory that is not there", CRASH),
    (136, "Crash", "SIGFPE: an arithmetic fault", CRASH),
    (139, "Crash", "SIGSEGV: it touched memory that is not its own", CRASH),
    (141, "Signal", "SIGPIPE: whoever read its output had gone", LOG),
    (255, "Error", "a failure; a program that returned -1 shows so, and a container that the runtime lost", LOG),
];

const NOT_EXECUTABLE: &str = "the file in the image lacks the right to be executed, is a directory, or is for another \
                              processor: check 'command' and the image";
const NOT_FOUND: &str = "check the spelling in 'command' and 'args', and whether the image has that program (and the \
                         interpreter that a script's first line names)";

/// What the code of a container means, by itself.
#[must_use]
pub fn meaning(code: i64) -> Meaning {
    if let Some((_, reason, what, advice)) = TABLE.into_iter().find(|(c, ..)| *c == code) {
        return Meaning { reason, what, advice };
    }
    match code {
        137 => Meaning {
            reason: "Killed",
            what: "SIGKILL: killed from outside",
            advice:
                "somebody killed it, or it did not stop within its grace period; 'dmesg' tells whether the node ran \
                     out of memory",
        },
        143 => Meaning {
            reason: "Terminated",
            what: "SIGTERM: told to stop",
            advice: "a failing liveness probe, an edited manifest, or a shutdown of the node can be why",
        },
        129.. => Meaning { reason: "Signal", what: "a signal", advice: LOG },
        _ => Meaning { reason: "Error", what: "a failure that the program itself reports", advice: LOG },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_people_ask_about() {
        let table = [
            (0, "Completed", "success"),
            (1, "Error", "program itself"),
            (3, "Error", "program itself"),
            (126, "CannotExecute", "cannot be executed"),
            (127, "CommandNotFound", "not found"),
            (137, "Killed", "SIGKILL"),
            (139, "Crash", "SIGSEGV"),
            (143, "Terminated", "SIGTERM"),
            (144, "Signal", "signal"),
            (255, "Error", "-1"),
            (-1, "Error", "failure"),
        ];
        for (code, reason, words) in table {
            let meaning = meaning(code);
            assert_eq!(meaning.reason, reason, "{code}");
            assert!(meaning.what.contains(words), "{code}: {}", meaning.what);
            assert_eq!(meaning.advice.is_empty(), code == 0, "{code}");
        }
    }
}
