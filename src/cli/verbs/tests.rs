//! What holds of every verb.

use std::collections::BTreeSet;

use super::*;
use crate::cli::command::{named, shown};
use crate::cli::help::{overview, page, WIDTH};
use crate::cli::{completion, manual};
use crate::config::options::KEYS;

#[test]
fn names_are_unique_and_every_verb_has_a_group_that_is_shown() {
    let names: BTreeSet<_> = VERBS.iter().map(|verb| verb.name).collect();
    assert_eq!(names.len(), VERBS.len());
    for verb in VERBS {
        let placed = verb.group == Group::Hidden || Group::ALL.iter().any(|(group, _)| *group == verb.group);
        assert!(placed, "{}", verb.name);
        assert_eq!(named(VERBS, verb.name).map(|v| v.name), Some(verb.name));
    }
}

#[test]
fn options_and_letters_are_unique_on_each_verb() {
    for verb in VERBS {
        let rows = of_verb(Some(verb));
        let names: BTreeSet<_> = rows.iter().map(|o| o.name).collect();
        let letters: BTreeSet<_> = rows.iter().filter_map(|o| o.short).collect();
        assert_eq!(names.len(), rows.len(), "{}", verb.name);
        assert_eq!(letters.len(), rows.iter().filter(|o| o.short.is_some()).count(), "{}", verb.name);
        assert!(!letters.contains(&'h'), "{}", verb.name);
    }
}

/// Options before the verb (`-n web get pods`) are read before it is known which verb they belong to.
#[test]
fn an_option_takes_a_value_on_all_verbs_or_on_none() {
    for verb in VERBS {
        for row in of_verb(Some(verb)) {
            for (other, same) in with_option(&format!("--{}", row.name)) {
                assert_eq!(same.takes_value(), row.takes_value(), "--{} of {}, {}", row.name, verb.name, other.name);
            }
        }
    }
}

#[test]
fn the_options_of_serve_are_the_keys_of_the_configuration_file() {
    let own: Vec<_> = of_verb(named(VERBS, "serve")).iter().map(|o| o.name).collect();
    let keys: Vec<_> = own.into_iter().filter(|name| !["config", "verbose"].contains(name)).collect();
    assert_eq!(keys, KEYS);
}

#[test]
fn the_overview_has_a_line_for_every_verb_and_fits_a_terminal() {
    let text = overview(VERBS);
    for verb in shown(VERBS) {
        assert!(text.contains(&format!("\n  {} ", verb.name)), "{}", verb.name);
    }
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
    assert!(text.lines().count() <= 50, "one screen");
}

#[test]
fn help_pages_fit_a_terminal_and_name_every_option() {
    for verb in shown(VERBS) {
        let text = page(verb);
        assert!(text.starts_with(&format!("Usage: nodepods {}", verb.name)), "{text}");
        for line in text.lines().take_while(|line| !line.starts_with("Examples:")) {
            assert!(line.chars().count() <= WIDTH, "{}: {line}", verb.name);
        }
        for row in of_verb(Some(verb)) {
            assert!(text.contains(&format!("--{}", row.name)), "{}: {}", verb.name, row.name);
        }
    }
}

#[test]
fn completions_name_every_verb_and_option() {
    for (shell, _) in completion::FILES {
        let script = completion::script(VERBS, shell).unwrap();
        for verb in shown(VERBS) {
            assert!(script.contains(verb.name), "{shell}: {}", verb.name);
            for row in of_verb(Some(verb)) {
                assert!(script.contains(row.name), "{shell}: {} --{}", verb.name, row.name);
            }
        }
    }
}

fn manual_page(name: &str) -> String {
    manual::pages(VERBS).into_iter().find(|(file, _)| *file == name).unwrap().1
}

fn in_roff(option: &str) -> String {
    manual::escaped(&format!("--{option}"))
}

#[test]
fn the_manual_of_commands_names_every_verb_and_option() {
    let text = manual_page("nodepods.1");
    for verb in shown(VERBS) {
        assert!(text.contains(&format!(".SS \"nodepods {}", manual::escaped(verb.name))), "{}", verb.name);
        if verb.name != "serve" {
            let missing: Vec<_> =
                of_verb(Some(verb)).into_iter().filter(|row| !text.contains(&in_roff(row.name))).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", verb.name);
        }
    }
}

#[test]
fn the_daemons_manual_names_every_option_of_serve_and_the_files_every_key() {
    let text = manual_page("nodepods.8");
    assert!(of_verb(named(VERBS, "serve")).iter().all(|row| text.contains(&in_roff(row.name))));
    let text = manual_page("nodepods.yaml.5");
    assert!(KEYS.iter().all(|key| text.contains(&format!("\\fB{}", manual::escaped(key)))));
}

#[test]
fn bash_is_offered_no_name_in_which_it_would_find_a_command() {
    let script = completion::script(VERBS, "bash").unwrap();
    let daemon = r#"nodepods() { printf 'pod/%s\n' web-n1 '$(echo x)' 'a;b' etcd.n1 '`id`'; }"#;
    let line = format!("{script}\n{daemon}\n_nodepods_pods");
    let out = std::process::Command::new("bash").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "web-n1\netcd.n1\n", "{out:?}");
}
