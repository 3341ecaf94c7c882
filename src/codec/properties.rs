//! Properties that hold for every message of the schema, on random encodings.

use proptest::prelude::*;
use serde_json::Value;

use super::schema::{id, Field, Kind, Label, MessageId, Omit, Special, MESSAGES};
use super::{canonical, json, wire};

/// A small generator of numbers, seeded by proptest.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }
}

const TEXTS: [&[u8]; 6] = [b"", b"a", b"<b>&\"", "\u{2028}é".as_bytes(), b"\xff\xfe", b"x\ny"];

/// One encoded message, as another program may have written it: zero value fields written, fields in any order,
/// messages split, lists packed, maps with doubles.
pub(crate) fn message(id: MessageId, dice: &mut Dice, depth: u32) -> Vec<u8> {
    let mut out = Vec::new();
    match id.message().special {
        Special::Quantity => {
            let text = dice.pick(&["0", "0.5", "1500Mi", "1e3", "+5", "1000", "3.001n"]);
            wire::put_bytes(&mut out, 1, text.as_bytes());
        }
        Special::Time => {
            wire::put_number(&mut out, 1, dice.pick(&[0, 1, 1_600_000_000, (-5i64) as u64]));
            wire::put_number(&mut out, 2, dice.pick(&[0, 999_999_999]));
        }
        Special::IntOrString => {
            wire::put_number(&mut out, 1, dice.roll(2));
            wire::put_number(&mut out, 2, dice.pick(&[0, 80, (-1i64) as u64]));
            wire::put_bytes(&mut out, 3, dice.pick(&TEXTS));
        }
        Special::FieldsV1 => wire::put_bytes(&mut out, 1, dice.pick(&[&b"{}"[..], br#"{"f:a":{"f:b":{}}}"#])),
        Special::None => {
            let mut fields: Vec<Vec<u8>> = id.message().fields.iter().map(|f| field(f, dice, depth)).collect();
            while !fields.is_empty() {
                let next = dice.roll(fields.len() as u64) as usize;
                out.extend(fields.swap_remove(next));
            }
        }
    }
    out
}

fn field(field: &Field, dice: &mut Dice, depth: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let always = field.label == Label::Single && matches!(field.omit, Omit::Empty | Omit::Always | Omit::StructAlways);
    let scalar = !matches!(field.kind, Kind::Message(_));
    if depth == 0 || !(always && scalar || dice.roll(4) == 0) {
        return out;
    }
    let times = if field.label == Label::Single { 1 } else { dice.roll(4) };
    for _ in 0..times {
        let bytes = match field.kind {
            Kind::Message(id) => message(id, dice, depth - 1),
            Kind::String | Kind::Bytes => dice.pick(&TEXTS).to_vec(),
            Kind::Bool => vec![dice.roll(2) as u8],
            Kind::Int32 | Kind::Int64 => {
                let mut n = Vec::new();
                wire::put_varint(&mut n, dice.pick(&[0, 1, 420, i32::MAX as u64, (-1i64) as u64]));
                n
            }
        };
        match (field.label, field.kind) {
            (Label::Map, _) => {
                let mut entry = Vec::new();
                wire::put_bytes(&mut entry, 2, &bytes);
                wire::put_bytes(&mut entry, 1, dice.pick(&TEXTS));
                wire::put_bytes(&mut out, field.number, &entry);
            }
            (Label::Repeated, Kind::Bool | Kind::Int32 | Kind::Int64) => {
                wire::put_bytes(&mut out, field.number, &bytes)
            }
            (_, Kind::Bool | Kind::Int32 | Kind::Int64) => {
                wire::put_varint(&mut out, u64::from(field.number) << 3);
                out.extend(bytes);
            }
            (Label::Single, Kind::Message(id)) if id.message().special == Special::None => {
                for part in split(&bytes, dice) {
                    wire::put_bytes(&mut out, field.number, part);
                }
            }
            _ => wire::put_bytes(&mut out, field.number, &bytes),
        }
    }
    out
}

/// Cuts a message in two between fields.
fn split<'a>(bytes: &'a [u8], dice: &mut Dice) -> [&'a [u8]; 2] {
    let count = wire::fields(bytes).count() as u64;
    let cut = dice.roll(count + 1) as usize;
    let at = wire::fields(bytes).take(cut).map(|f| f.unwrap().raw.len()).sum();
    let (a, b) = bytes.split_at(at);
    [a, b]
}

fn any_message() -> impl Strategy<Value = (MessageId, Vec<u8>)> {
    let ids = prop_oneof![Just(0u16), 0..MESSAGES.len() as u16].prop_map(MessageId);
    (ids, any::<u64>(), 1..6u32).prop_map(|(id, seed, depth)| (id, message(id, &mut Dice(seed), depth)))
}

proptest! {
    /// Equal messages become equal bytes: by way of JSON, and by a second pass.
    #[test]
    fn canonical_bytes_are_those_of_the_json((id, bytes) in any_message()) {
        let canonical = canonical::message(id, &bytes).unwrap();
        prop_assert_eq!(&canonical::message(id, &canonical).unwrap(), &canonical);
        let value = json::from_wire(id, &bytes).unwrap();
        prop_assert_eq!(&json::from_wire(id, &canonical).unwrap(), &value);
        let encoded = json::to_wire(id, &value).map_err(|e| TestCaseError::fail(format!("{e} in {value}")))?;
        prop_assert!(encoded.unknown.is_empty(), "{:?}", encoded.unknown);
        prop_assert_eq!(&encoded.bytes, &canonical, "{}", value);
    }

    #[test]
    fn text_and_tree_are_the_same_json((id, bytes) in any_message()) {
        let mut text = String::new();
        json::write(id, &bytes, &mut text).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(value, json::from_wire(id, &bytes).unwrap());
    }

    #[test]
    fn pods_keep_their_form(seed in any::<u64>()) {
        let bytes = message(id::POD, &mut Dice(seed), 5);
        let pod = canonical::pod(&bytes).unwrap();
        prop_assert_eq!(&canonical::pod(pod.as_bytes()).unwrap(), &pod);
        prop_assert_eq!(pod.spec(), &canonical::message(id::POD_SPEC, pod.spec()).unwrap()[..]);
        prop_assert_eq!(pod.as_bytes(), &json::to_wire(id::POD, &json::pod_value(&bytes).unwrap()).unwrap().bytes[..]);
    }

    /// Damaged messages are errors or messages, and what is accepted has a canonical form.
    #[test]
    fn damaged_bytes_do_not_panic((id, mut bytes) in any_message(), hits in prop::collection::vec(any::<(usize, u8)>(), 0..8)) {
        for (at, value) in hits {
            let len = bytes.len().max(1);
            if let Some(b) = bytes.get_mut(at % len) {
                *b = value;
            }
        }
        let mut text = String::new();
        let _ = (json::from_wire(id, &bytes), json::write(id, &bytes, &mut text));
        if let Ok(canonical) = canonical::message(id, &bytes) {
            prop_assert_eq!(canonical::message(id, &canonical).unwrap(), canonical);
        }
    }

    #[test]
    fn rubbish_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for at in 0..MESSAGES.len() as u16 {
            let _ = (json::from_wire(MessageId(at), &bytes), canonical::message(MessageId(at), &bytes));
        }
    }

    /// Any JSON in any field is taken or refused with the path of a field.
    #[test]
    fn odd_values_do_not_panic((id, bytes) in any_message(), at in any::<usize>(), odd in odd_value()) {
        let mut value = json::from_wire(id, &bytes).unwrap();
        plant(&mut value, at, odd);
        if let Ok(encoded) = json::to_wire(id, &value) {
            prop_assert_eq!(&canonical::message(id, &encoded.bytes).unwrap(), &encoded.bytes);
        }
    }
}

/// Puts a value in the place of some leaf.
fn plant(value: &mut Value, way: usize, odd: Value) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let at = way % map.len();
            plant(map.values_mut().nth(at).unwrap(), way.rotate_right(3), odd);
        }
        Value::Array(list) if !list.is_empty() => {
            let at = way % list.len();
            plant(&mut list[at], way.rotate_right(3), odd);
        }
        leaf => *leaf = odd,
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    let options =
        ["null", "-1", "1.5", "1e300", "\"0.5\"", "[null]", "{\"a\":{}}", "[[]]", "true", "9223372036854775808"];
    (0..options.len()).prop_map(move |i| serde_json::from_str(options[i]).unwrap())
}
