//! Any text as a label selector and as a field selector.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use nodepods::pod::selector::{FieldSelector, LabelSelector};

fuzz_target!(|text: &str| {
    if let Ok(labels) = LabelSelector::parse(text) {
        let _ = labels.matches(|_| None);
        let _ = labels.matches(|_| Some(Cow::Borrowed("a")));
        assert!(!labels.is_empty() || labels.matches(|_| None), "an empty selector selects everything");
    }
    if let Ok(fields) = FieldSelector::parse(text) {
        let _ = fields.matches(|_| String::new());
        let _ = fields.requires("metadata.name");
        assert!(!fields.is_empty() || fields.matches(|_| String::new()), "an empty selector selects everything");
    }
});
