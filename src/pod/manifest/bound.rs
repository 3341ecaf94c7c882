//! How much of what is wrong is kept while the daemon runs: a directory full of files that are no manifests must not
//! fill the memory. `lint`, which ends, shows more of it.

use super::ManifestFile;
use crate::pod::finding::{Finding, Severity};

/// Findings that are kept of one file.
pub const MOST_OF_A_FILE: usize = 50;
/// Findings that are kept of all files of a source. Of each file beyond that the worst alone is: every file that is
/// wrong is told.
pub const MOST: usize = 2_000;

/// What says how much is missing.
const TOO_MANY: &str = "TooManyFindings";

/// The room for findings that is left, going through the files of a source in order.
#[derive(Debug)]
pub struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Room {
    /// Whether there is no more room.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0 == 0
    }

    /// Keeps of the findings of this file what there is room for. What was cut before is not cut again without need.
    pub fn keep(&mut self, file: &mut ManifestFile) {
        cut(&mut file.findings, MOST_OF_A_FILE.min(self.0).max(1));
        self.0 = self.0.saturating_sub(file.findings.len());
    }
}

/// Keeps so many, errors before warnings since they are why there is no pod, and says how many more there are.
fn cut(findings: &mut Vec<Finding>, most: usize) {
    let is_note = |f: &Finding| f.reason == TOO_MANY;
    let listed = findings.iter().filter(|f| !is_note(f)).count();
    if listed <= most {
        return;
    }
    let more = if findings.iter().any(is_note) { "more than " } else { "" };
    let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
    let (mut errors, mut warnings) = (most, most.saturating_sub(errors));
    findings.retain(|f| {
        let room = if f.severity == Severity::Error { &mut errors } else { &mut warnings };
        let kept = *room > 0 && !is_note(f);
        *room -= usize::from(kept);
        kept
    });
    if let Some(first) = findings.first() {
        let message = format!("{more}{} more problems are not listed; correct those that are", listed - most);
        let note = Finding { severity: Severity::Warning, ..Finding::file_error(&first.file, TOO_MANY, message) };
        findings.push(Finding { pod: first.pod.clone(), ..note });
    }
    findings.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, warnings: usize, errors: usize) -> ManifestFile {
        let finding = |severity| Finding { severity, ..Finding::file_error(name, "Some", String::new()) };
        let mut findings = vec![finding(Severity::Warning); warnings];
        findings.extend(vec![finding(Severity::Error); errors]);
        ManifestFile { origin: name.into(), pod: None, stale: false, findings }
    }

    fn counts(file: &ManifestFile) -> (usize, usize, &str) {
        let listed = |severity| file.findings.iter().filter(|f| f.severity == severity && f.reason == "Some").count();
        let note = file.findings.iter().find(|f| f.reason == TOO_MANY);
        (listed(Severity::Warning), listed(Severity::Error), note.map_or("", |n| n.message.split(';').next().unwrap()))
    }

    #[test]
    fn a_file_keeps_some_tens_the_errors_first() {
        for (warnings, errors, want) in [
            (0, 0, (0, 0, "")),
            (50, 0, (50, 0, "")),
            (40, 30, (20, 30, "20 more problems are not listed")),
            (100, 100, (0, 50, "150 more problems are not listed")),
        ] {
            let mut file = file("f", warnings, errors);
            Room::default().keep(&mut file);
            assert_eq!(counts(&file), want);
            let once = file.clone();
            Room::default().keep(&mut file);
            assert_eq!(file, once, "what was cut is not cut again");
        }
    }

    #[test]
    fn all_files_together_have_a_bound_and_each_is_told() {
        let mut room = Room::default();
        let mut files: Vec<_> = (0..500).map(|i| file(&i.to_string(), 30, 1)).collect();
        files.iter_mut().for_each(|file| room.keep(file));
        let kept: usize = files.iter().map(|f| f.findings.len()).sum();
        assert!(kept <= MOST + 2 * files.len(), "{kept}");
        assert_eq!(counts(&files[0]), (30, 1, ""));
        assert_eq!(counts(&files[499]), (0, 1, "30 more problems are not listed"), "the worst of it");
    }

    #[test]
    fn what_was_cut_may_be_cut_further() {
        let mut file = file("f", 100, 0);
        Room::default().keep(&mut file);
        Room(1).keep(&mut file);
        assert_eq!(counts(&file), (1, 0, "more than 49 more problems are not listed"));
    }
}
