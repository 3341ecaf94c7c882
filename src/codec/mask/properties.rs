//! Masks against a slow and obvious reference, which decodes the whole pod and walks its JSON.

use proptest::prelude::*;
use serde_json::Value;

use super::{Mask, MaskError};
use crate::codec::json;
use crate::codec::properties::{message, Dice};
use crate::codec::schema::{id, Kind, Label, MessageId, Omit, Special};

/// Steps of one path: names of fields, and at its end maybe the key of a map, as in `['a']`.
type Path = Vec<String>;

/// A path through the schema that may end anywhere, with the text that a client writes for it.
fn path(dice: &mut Dice) -> (Path, String) {
    let (mut steps, mut text, mut at) = (Vec::new(), String::new(), id::POD);
    loop {
        let field = &at.message().fields[dice.roll(at.message().fields.len() as u64) as usize];
        if let (Kind::Message(inner), Omit::Inline) = (field.kind, field.omit) {
            at = inner; // members of an inlined message appear in its parent
            continue;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(field.name);
        steps.push(field.name.to_string());
        match (field.label, field.kind) {
            (Label::Map, _) if dice.roll(2) == 0 => {
                text.push_str("['a']");
                steps.push("['a']".into());
                return (steps, text);
            }
            (Label::Single | Label::Repeated, Kind::Message(inner)) if has_fields(inner) && dice.roll(3) > 0 => {
                at = inner
            }
            _ => return (steps, text),
        }
    }
}

fn has_fields(message: MessageId) -> bool {
    message.message().special == Special::None && !message.message().fields.is_empty()
}

/// Whether a step of a path is this member of an object.
fn names(step: &str, member: &str) -> bool {
    step == member || step == "['a']" && member == "a"
}

/// What a path selects, with everything that stands beside it taken out of `value`. Lists keep their elements.
fn select(value: &Value, paths: &[&[String]]) -> Value {
    if paths.iter().any(|p| p.is_empty()) {
        return value.clone();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| select(item, paths)).collect(),
        Value::Object(members) => {
            let below = |name: &str| {
                let of_it = paths.iter().filter(|p| names(&p[0], name)).map(|p| &p[1..]);
                of_it.collect::<Vec<_>>()
            };
            let kept = members.iter().map(|(name, v)| (name, v, below(name))).filter(|(_, _, below)| !below.is_empty());
            let selected = kept.map(|(name, v, below)| (name.clone(), select(v, &below), below));
            // on the wire a map without entries is no map
            let gone = |v: &Value, below: &[&[String]]| {
                v.as_object().is_some_and(serde_json::Map::is_empty)
                    && below.iter().all(|p| p.first().is_some_and(|s| s == "['a']"))
            };
            selected.filter(|(_, v, below)| !gone(v, below)).map(|(name, v, _)| (name, v)).collect()
        }
        other => other.clone(),
    }
}

/// Whether nothing but zeros, which JSON prints unasked, stands outside the paths.
fn only_zeros_beside(value: &Value, paths: &[&[String]]) -> bool {
    if paths.iter().any(|p| p.is_empty()) {
        return true;
    }
    match value {
        Value::Array(items) => items.iter().all(|item| only_zeros_beside(item, paths)),
        Value::Object(members) => members.iter().all(|(name, v)| {
            let below: Vec<_> = paths.iter().filter(|p| names(&p[0], name)).map(|p| &p[1..]).collect();
            only_zeros_beside(v, &below)
        }),
        // a leaf that was not asked for, or an absent value on the way to one that was
        leaf => matches!(leaf.to_string().as_str(), "null" | "false" | "0" | "\"\"" | "\"0\""),
    }
}

proptest! {
    #[test]
    fn a_mask_shows_what_the_json_shows(seed in any::<u64>(), count in 1..5usize) {
        let mut dice = Dice(seed);
        let bytes = message(id::POD, &mut dice, 5);
        let (paths, texts): (Vec<Path>, Vec<String>) = (0..count).map(|_| path(&mut dice)).unzip();
        let text = texts.join(",");
        let mask = Mask::parse(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let whole = json::from_wire(id::POD, &bytes).unwrap();
        let shown = json::from_wire(id::POD, &mask.apply(&bytes)).unwrap();
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(select(&shown, &paths), select(&whole, &paths), "{}", text);
        prop_assert!(only_zeros_beside(&shown, &paths), "{}: {}", text, shown);
    }

    #[test]
    fn the_path_that_is_proposed_is_a_real_one(text in "(spec|status|Metadata|x_y)?[.]?[a-zA-Z_]{0,12}(\\[0\\]|\\['a'\\])?([.][a-zA-Z]{1,8}){0,3}") {
        if let Err(MaskError::UnknownField { nearest, .. }) = Mask::parse(&text) {
            let nearest = nearest.unwrap();
            prop_assert!(Mask::parse(&nearest).is_ok(), "{} for {}", nearest, text);
        }
    }
}
