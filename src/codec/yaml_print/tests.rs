use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::codec::{golden, yaml};

fn read(text: &str) -> Value {
    yaml::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}")).value
}

/// Texts as values of one key; the right side was printed by kubectl 1.32.4.
#[test]
fn texts() {
    for (text, want) in [
        ("plain", "plain"),
        ("true", "\"true\""),
        ("", "\"\""),
        ("~", "\"~\""),
        ("null", "\"null\""),
        ("12:30", "\"12:30\""),
        ("190:20:30.15", "\"190:20:30.15\""),
        ("2021-01-11", "\"2021-01-11\""),
        ("2021-01-11T07:47:02Z", "\"2021-01-11T07:47:02Z\""),
        ("2021-1-1 1:2:3", "\"2021-1-1 1:2:3\""),
        ("2001-12-14 21:59:43.10 -5", "2001-12-14 21:59:43.10 -5"),
        ("0x1F", "\"0x1F\""),
        ("1e3", "\"1e3\""),
        (".5", "\".5\""),
        (".", "."),
        ("_1", "_1"),
        ("=", "="),
        ("<<", "<<"),
        ("key: value", "'key: value'"),
        ("a: ", "'a: '"),
        ("a:b", "a:b"),
        ("::a", "::a"),
        (":", "':'"),
        ("- x", "'- x'"),
        ("-a", "-a"),
        ("-", "'-'"),
        ("---", "'---'"),
        ("...", "'...'"),
        ("? a", "'? a'"),
        ("trailing ", "'trailing '"),
        ("it's # no", "'it''s # no'"),
        ("a#b", "a#b"),
        ("*a", "'*a'"),
        ("[a]", "'[a]'"),
        ("a,b]", "a,b]"),
        ("%a", "'%a'"),
        ("@a", "'@a'"),
        ("`x", "'`x'"),
        ("a > b | c", "a > b | c"),
        ("tab\there", "\"tab\\there\""),
        ("a\rb", "\"a\\rb\""),
        ("\u{1}", "\"\\x01\""),
        ("😀", "\"\\U0001F600\""),
        ("é", "é"),
        ("multi\nline", "|-\n  multi\n  line"),
        ("multi\nline\n", "|\n  multi\n  line"),
        ("multi\nline\n\n", "|+\n  multi\n  line\n"),
        (" lead\nline", "|2-\n   lead\n  line"),
        ("\n\na", "|2-\n\n\n  a"),
        ("\n", "|2+\n"),
        ("line \nb", "\"line \\nb\""),
        ("a\n\tb", "\"a\\n\\tb\""),
        ("a\n b\n\n\nc", "|-\n  a\n   b\n\n\n  c"),
    ] {
        let value = json!({"a": text});
        let printed = print(&value);
        assert_eq!(printed, format!("a: {want}\n"));
        assert_eq!(read(&printed), value);
    }
}

#[test]
fn long_lines_are_folded() {
    let text = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 55Mi, something that wraps";
    let want = "a:\n- 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 55Mi,\n  something that wraps'\n";
    assert_eq!(print(&json!({"a": [text]})), want);
    assert_eq!(read(want), json!({"a": [text]}));
}

#[test]
fn keys_and_collections() {
    let long = "x".repeat(129);
    let value = json!({"a10": 1, "a2": {}, "yes": [], "1": [[1, "b"], {"x": null, "y": {"z": 0.5}}], "": 1e21, "<<": 2,
        long.clone(): "v"});
    let want = format!(
        "\"\": 1e+21\n\"<<\": 2\n\"1\":\n- - 1\n  - b\n- x: null\n  \"y\":\n    z: 0.5\na2: {{}}\na10: 1\n? {long}\n: v\n\"yes\": []\n"
    );
    assert_eq!(print(&value), want);
    assert_eq!(read(&want), value);
    assert_eq!(print(&json!("x")), "x\n");
    assert_eq!(print(&json!({})), "{}\n");
}

#[test]
fn golden_files_are_printed_alike() {
    let Some(expected) = golden::file("HEAD", "core.v1.Pod.yaml") else { return };
    let expected = String::from_utf8(expected).unwrap();
    let value = read(&expected);
    assert_eq!(print(&value), expected);
    let Some((_, json)) = golden::pod("HEAD") else { return };
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[-a0:#'\" \n\t\r.,~{&?|<\u{85}\u{2028}\u{feff}]{0,12}", "([a-z ]{1,12} ){0,12}"]
}

proptest! {
    /// Whatever is printed is read back as the same value.
    #[test]
    fn printed_values_are_read_back(
        texts in prop::collection::vec(any_text(), 1..5),
        keys in prop::collection::btree_map(any_text(), any_text(), 0..4),
        n in any::<i64>(),
    ) {
        let value = json!({"list": texts, "map": keys, "lists": [[n], [], [[texts]]], "n": n});
        let printed = print(&value);
        let got = yaml::parse(printed.as_bytes());
        prop_assert_eq!(got.map(|d| d.value).map_err(|e| e.to_string()), Ok(value), "{}", printed);
    }
}
