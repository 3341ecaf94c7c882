//! Why a pod does not run: from what is known about it to sentences for a person. Pure: no clock, no I/O.
//!
//! Nothing is guessed silently. Each remark says how it is known, and one that is a conclusion says from what.

mod case;
mod container;
mod exit_code;
mod facts;
mod manifest;
mod node;
mod obstacle;
mod pod;
mod probe;
#[cfg(test)]
mod recorded_tests;
mod shell;
mod span;
mod subject;
#[cfg(test)]
mod tests;
mod waiting;

pub use case::Case;
pub use facts::{Disk, FileKind, ImageFact, LogTail, NodeFacts, PodFacts, SourceFact};
pub use manifest::{concerns, of_finding, PodFinding};
pub use node::{left, of_disks, of_node};
pub use pod::of_pod;
pub use span::count;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It helps to understand the rest.
    Fact,
    /// Whether it is as it should be cannot be told from here.
    Unsure,
    /// It is not as it should be.
    Trouble,
}

impl Weight {
    /// The word for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Unsure => "unknown",
            Self::Trouble => "problem",
        }
    }
}

/// One remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How much it matters.
    pub weight: Weight,
    /// Short stable word for programs, in CamelCase as Kubernetes writes reasons.
    pub reason: String,
    /// What it is about: `container main`, `the pod`, `the node`, or a place in a manifest.
    pub about: String,
    /// What is the matter: part of a sentence that goes on behind `about`.
    pub what: String,
    /// How this is known: `the container runtime`, `/proc/meminfo`, or what it was concluded from.
    pub known: String,
    /// What to do about it; empty where there is nothing to say.
    pub advice: String,
    /// Lines of a log or a message that belong to it.
    pub lines: Vec<String>,
}

impl Remark {
    fn new(weight: Weight, reason: &str, about: &str, what: String, known: &str) -> Self {
        Self {
            weight,
            reason: reason.to_owned(),
            about: about.to_owned(),
            what,
            known: known.to_owned(),
            advice: String::new(),
            lines: Vec::new(),
        }
    }

    fn trouble(reason: &str, about: &str, what: String, known: &str) -> Self {
        Self::new(Weight::Trouble, reason, about, what, known)
    }

    fn unsure(reason: &str, about: &str, what: String, known: &str) -> Self {
        Self::new(Weight::Unsure, reason, about, what, known)
    }

    fn fact(reason: &str, about: &str, what: String, known: &str) -> Self {
        Self::new(Weight::Fact, reason, about, what, known)
    }

    #[must_use]
    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// The remark in one line, without how it is known.
    #[must_use]
    pub fn headline(&self) -> String {
        format!("{} {}", self.about, self.what)
    }
}

/// The worst of some remarks.
#[must_use]
pub fn worst(remarks: &[Remark]) -> Weight {
    remarks.iter().map(|r| r.weight).max().unwrap_or(Weight::Fact)
}
