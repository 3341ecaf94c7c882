//! Problems of a manifest before they have a line.

use super::place::Place;
use crate::pod::finding::{self, Severity};

/// One problem: as [`crate::pod::finding::Finding`], but not yet placed in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field.
    pub field: String,
    /// Error or warning.
    pub severity: Severity,
    /// Short stable word.
    pub reason: &'static str,
    /// One sentence for a person.
    pub message: String,
}

/// Collects problems; each method writes one in the words of `kubernetes/apimachinery
/// pkg/util/validation/field/errors.go`, followed by what to do where those words do not say it.
#[derive(Debug, Default)]
pub struct Report {
    problems: Vec<Problem>,
    errors: usize,
    warnings: usize,
}

/// Errors, and warnings, that one report holds: a file that is wrong from end to end is told so, and no more.
const MAX_OF_EACH: usize = 100;

impl Report {
    /// All problems, in the order in which they were found.
    #[must_use]
    pub fn into_problems(mut self) -> Vec<Problem> {
        let left_out = self.errors.saturating_sub(MAX_OF_EACH) + self.warnings.saturating_sub(MAX_OF_EACH);
        if left_out > 0 {
            let message = format!("{left_out} more problems are not listed; correct those that are");
            let (field, severity) = (String::new(), Severity::Warning);
            self.problems.push(Problem { field, severity, reason: "TooManyFindings", message });
        }
        self.problems
    }

    fn add(&mut self, field: &str, severity: Severity, reason: &'static str, message: String) {
        let count = if severity == Severity::Error { &mut self.errors } else { &mut self.warnings };
        *count += 1;
        if *count <= MAX_OF_EACH {
            let message = finding::short(message);
            self.problems.push(Problem { field: field.to_owned(), severity, reason, message });
        }
    }

    /// Adds an error in free words.
    pub fn error(&mut self, place: &Place<'_>, reason: &'static str, message: String) {
        self.add(place.path(), Severity::Error, reason, message);
    }

    /// Adds a warning in free words.
    pub fn warning(&mut self, field: &str, reason: &'static str, message: String) {
        self.add(field, Severity::Warning, reason, message);
    }

    /// A value must be there and is not. `advice` says what to write.
    pub fn required(&mut self, place: &Place<'_>, advice: &str) {
        self.error(place, "Required", format!("Required value: {advice}"));
    }

    /// The value breaks a rule.
    pub fn invalid(&mut self, place: &Place<'_>, reason: &'static str, detail: &str) {
        self.error(place, reason, format!("Invalid value: {}: {detail}", place.quoted()));
    }

    /// The text breaks the rules that a function of [`crate::pod::names`] found broken.
    pub fn invalid_all(&mut self, place: &Place<'_>, reason: &'static str, details: Vec<String>) {
        for detail in details {
            self.invalid(place, reason, &detail);
        }
    }

    /// A key of a map breaks rules.
    pub fn invalid_key(&mut self, map: &Place<'_>, key: &str, reason: &'static str, details: Vec<String>) {
        for detail in details {
            self.error(map, reason, format!("Invalid value: {key:?}: {detail}"));
        }
    }

    /// The text is none of the allowed ones.
    pub fn unsupported(&mut self, place: &Place<'_>, allowed: &[&str]) {
        let list: Vec<String> = allowed.iter().map(|a| format!("{a:?}")).collect();
        let message = format!("Unsupported value: {}: supported values: {}", place.quoted(), list.join(", "));
        self.error(place, "UnsupportedValue", message);
    }

    /// Checks that a text that is set is one of the allowed ones.
    pub fn one_of(&mut self, place: &Place<'_>, allowed: &[&str]) {
        if place.present() && !allowed.contains(&place.text()) {
            self.unsupported(place, allowed);
        }
    }

    /// The field may not be set here.
    pub fn forbidden(&mut self, place: &Place<'_>, reason: &'static str, detail: &str) {
        self.error(place, reason, format!("Forbidden: {detail}"));
    }

    /// The value occurs before.
    pub fn duplicate(&mut self, place: &Place<'_>, reason: &'static str, advice: &str) {
        self.error(place, reason, format!("Duplicate value: {}: {advice}", place.quoted()));
    }

    /// The value names something that does not exist.
    pub fn not_found(&mut self, place: &Place<'_>, reason: &'static str, advice: &str) {
        self.error(place, reason, format!("Not found: {}: {advice}", place.quoted()));
    }

    /// Checks that a number that is set lies in `low..=high`.
    pub fn range(&mut self, place: &Place<'_>, low: i64, high: i64) {
        if place.number().is_some_and(|n| !(low..=high).contains(&n)) {
            self.invalid(place, "OutOfRange", &crate::pod::names::range_text(low, high));
        }
    }

    /// Checks that a number that is set is not negative.
    pub fn non_negative(&mut self, place: &Place<'_>) {
        if place.number().is_some_and(|n| n < 0) {
            self.invalid(place, "OutOfRange", "must be greater than or equal to 0");
        }
    }
}
