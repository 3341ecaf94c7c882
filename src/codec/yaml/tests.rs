use proptest::prelude::*;
use serde_json::json;

use super::*;

fn value(text: &str) -> Result<Value, String> {
    parse(text.as_bytes()).map(|d| d.value).map_err(|e| e.to_string())
}

/// Scalars and what kubectl makes of them.
#[test]
fn scalars() {
    let table = [
        ("yes Yes YES y Y on On ON true True TRUE", json!(true)),
        ("no No NO n N off Off OFF false False FALSE", json!(false)),
        ("~ null Null NULL", Value::Null),
        ("0644 0o644 0O644 +0644", json!(420)),
        ("0777", json!(511)),
        ("010 08", json!(8)),
        ("00 0 -0 0.0 -0.0", json!(0)),
        ("007 0_7", json!(7)),
        ("-07", json!(-7)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("1_000 1e3 1E3", json!(1000)),
        ("1_0.5", json!(10.5)),
        ("685.230_15e+03", json!(685_230.15)),
        ("1e-3", json!(0.001)),
        ("1. 1.0", json!(1)),
        (".5", json!(0.5)),
        ("1.50", json!(1.5)),
        ("+12", json!(12)),
        ("9223372036854775807", json!(i64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
        ("18446744073709551615", json!(18_446_744_073_709_552_000.0)),
        ("80.0", json!(80)),
    ];
    for (texts, want) in table {
        for text in texts.split(' ') {
            assert_eq!(value(&format!("a: {text}")), Ok(json!({"a": want})), "{text}");
        }
    }
    for text in [
        "tRue",
        "nUll",
        "0x",
        "0xG",
        "0b2",
        "1e400",
        "12:30",
        "12:30:45",
        "1:2",
        "190:20:30",
        "2021-01-11",
        "2021-01-11T07:47:02Z",
        "2001-12-14 21:59:43.10 -5",
        "=",
        ".",
        "1,000",
        "123abc",
        "<<",
        "1e",
        "._5",
        "_1",
        "+",
    ] {
        assert_eq!(value(&format!("a: {text}")), Ok(json!({"a": text})));
    }
    for (text, want) in [
        ("'0644'", json!("0644")),
        ("\"yes\"", json!("yes")),
        ("!!str 0644", json!("0644")),
        ("!!int \"3\"", json!(3)),
        ("!!float 3", json!(3)),
        ("!!bool \"yes\"", json!(true)),
        ("!!null ''", Value::Null),
        ("! 12", json!(12)),
        ("!own 12", json!("12")),
        ("!!binary aGk=", json!("hi")),
        ("!!binary '/w=='", json!("\u{fffd}")),
        ("\"\\x41\"", json!("A")),
        ("", Value::Null),
        ("|\n  x\n  y\n", json!("x\ny\n")),
        (">-\n  x\n  y\n", json!("x y")),
    ] {
        assert_eq!(value(&format!("a: {text}")), Ok(json!({"a": want})), "{text}");
    }
}

#[test]
fn what_is_refused() {
    for (text, want) in [
        ("a: .inf", "line 1, column 4: .inf cannot be expressed in JSON"),
        ("a: .nan", "line 1, column 4: .nan cannot be expressed in JSON"),
        ("null: a", "line 1, column 1: null cannot be a key"),
        ("[a]: b", "line 1, column 1: a list or a mapping cannot be a key"),
        ("a: !!int x", "line 1, column 4: cannot read the str `x` as !!int"),
        ("a: !!binary '*'", "line 1, column 4: !!binary holds no base64"),
        ("a: &x [*x]", "line 1, column 8: an alias stands inside the value that it names"),
        ("a: 1\nb: \u{7}", "line 2, column 4: the control character U+0007 is not allowed"),
        ("a: {<<: 3}", "line 1, column 5: << wants a mapping or a list of mappings"),
    ] {
        let error = value(text).unwrap_err();
        assert_eq!(error.split("; ").next(), Some(want), "{text}: {error}");
    }
    for text in [
        "a: @x",
        "a: -",
        "a: b: c",
        "a: [b",
        "a: *x",
        "a:\n\tb: c",
        "a:\n  b:\n  \tc: d",
        "a: 'b",
        "{a: b}",
        "{\"a\": 1,}",
        "- a\nb: c",
    ] {
        assert!(value(text).is_err(), "{text}");
    }
    assert_eq!(parse(b"a: b\nc: \xff").map_err(|e| (e.line, e.column)).unwrap_err(), (2, 4));
    let error = value("{\"a\":\n 01}").unwrap_err();
    assert!(error.starts_with("line 2, column "), "{error}");
}

#[test]
fn keys_become_text() {
    let text = "1: a\nyes: b\n1.5: c\n0644: d\n'x y': e\n1e3: f\n1000000.5: g\n0.00001: h\n";
    let want = json!({"1": "a", "true": "b", "1.5": "c", "420": "d", "x y": "e", "1000": "f", "1.0000005e+06": "g",
        "1e-05": "h"});
    assert_eq!(value(text), Ok(want));
}

#[test]
fn documents() {
    for empty in ["", "\n", "# nothing\n", "---\n", "---\n...\n"] {
        assert_eq!(value(empty), Ok(Value::Null), "{empty:?}");
    }
    assert_eq!(value("\u{feff}a: 1"), Ok(json!({"a": 1})));
    assert_eq!(value("a: b\r\nc: |\r\n  d\r\n  e\r\n"), Ok(json!({"a": "b", "c": "d\ne\n"})));
    assert_eq!(value("a:\n  b: [\n    c,\n  ]\n"), Ok(json!({"a": {"b": ["c"]}})));
    assert_eq!(value("---\na: 1\n---\nb: [\n"), Ok(json!({"a": 1})));
    assert_eq!(value("%YAML 1.1\n---\na: 1\n"), Ok(json!({"a": 1})));
    assert_eq!(value(" {\"a\": 30.0, \"b\": [1, {\"c\": \"\\u00e9\"}]}"), Ok(json!({"a": 30.0, "b": [1, {"c": "é"}]})));
}

#[test]
fn anchors_and_merge_keys() {
    let text = "base: &b {x: 1, z: 2}\nuse: *b\nc: {<<: *b, z: 3}\nd: {z: 3, <<: *b}\ne: {<<: [{x: 7}, *b]}\n\
                f: {'<<': 1}\n";
    let want = json!({"base": {"x": 1, "z": 2}, "use": {"x": 1, "z": 2}, "c": {"x": 1, "z": 3}, "d": {"x": 1, "z": 2},
        "e": {"x": 7, "z": 2}, "f": {"<<": 1}});
    let document = parse(text.as_bytes()).unwrap();
    assert_eq!(document.value, want);
    assert_eq!(document.duplicates, []);
    assert_eq!(document.marks.locate("c.x"), Some(Mark { line: 1, column: 11 }));
    assert_eq!(document.marks.locate("c.z"), Some(Mark { line: 3, column: 13 }));
}

/// Each read by kubectl in the same way.
#[test]
fn brackets_and_quotes_may_go_on_to_the_left() {
    let table = [
        ("a:\n  b: [1,\n2,\n 3\n]\n", json!({"a": {"b": [1, 2, 3]}})),
        ("a:\n  b: {c: d,\ne: [f,\ng]\n}\n  h: i\n", json!({"a": {"b": {"c": "d", "e": ["f", "g"]}, "h": "i"}})),
        ("- - - [\na,\nb\n]\n", json!([[[["a", "b"]]]])),
        ("a:\n  b: [\n# more\nc # than this\n]\n", json!({"a": {"b": ["c"]}})),
        ("a:\n  b: \"c\nd\\\n e\\\"\nf\"\n  g: h\n", json!({"a": {"b": "c de\" f", "g": "h"}})),
        ("a:\r\n  b: 'c\r\nd''\r\n\r\ne'\r\n", json!({"a": {"b": "c d'\ne"}})),
        ("a:\n  - [\"b\nc\", d,\n'e\nf']\n", json!({"a": [["b c", "d", "e f"]]})),
    ];
    for (text, want) in table {
        assert_eq!(value(text), Ok(want), "{text}");
    }
    let marks = parse(b"a:\n  b: [1,\n\xc3\xa4, {c: 2,\nd: 3}\n]\n  e: 1\n").unwrap().marks;
    let place = |path| marks.locate(path).map(|m| (m.line, m.column));
    assert_eq!(place("a.b[1]"), Some((3, 1)));
    assert_eq!(place("a.b[2]"), Some((3, 4)));
    assert_eq!(place("a.b[2].d"), Some((4, 1)));
    assert_eq!(place("a.e"), Some((6, 3)));
    for refused in ["a:\n  b: [1,\n--- \n2]\n", "a:\n  b: 'c\n...\nd'\n", "a:\n  b: [1,\n2\n", "a:\n  b: 'c\nd\n"] {
        assert!(value(refused).is_err(), "{refused}");
    }
    let error = value("a:\n  b: [1,\n2, ]]\n").unwrap_err();
    assert!(error.starts_with("line 3, column 5: "), "{error}");
}

/// Each such line costs one more reading, and there is an end to it.
#[test]
fn endless_outdents_are_refused() {
    let text = format!("a:\n  b: [\n{}]\n", "1,\n".repeat(100_000));
    assert!(value(&text).unwrap_err().contains(", column 1: this line is indented wrongly"));
    assert!(value(&format!("a:\n  b: [\n{}]\n", "1,\n".repeat(100))).is_ok());
}

#[test]
fn duplicate_keys_are_reported_and_the_last_one_wins() {
    for text in [
        "spec:\n  containers:\n  - name: a\n    image: b\n  - name: a\n    name: b\nspec2: 1\nspec2: 2\n",
        "{\"spec\": {\"containers\": [{\"name\": \"a\",\n\"image\": \"b\"},\n\n{\"name\": \"a\",\n    \"name\": \"b\"}]},\n\
         \"spec2\": 1,\n\"spec2\": 2}",
    ] {
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!(document.value["spec"]["containers"][1]["name"], "b");
        let got: Vec<_> = document.duplicates.iter().map(|d| (d.path.as_str(), d.mark.line)).collect();
        let lines = if text.starts_with('{') { (5, 7) } else { (6, 8) };
        assert_eq!(got, [("spec.containers[1].name", lines.0), ("spec2", lines.1)]);
        let place = document.marks.locate("spec.containers[1].name").unwrap();
        assert_eq!(place, Mark { line: lines.0, column: 5 });
    }
}

#[test]
fn places() {
    let yaml =
        "# head\nmetadata:\n  labels:\n    a.b/c: é\nspec:\n  containers:\n  - image: x\n    name: y\n  - {name: z}\n";
    let json = "\n{\"metadata\": {\n\"labels\": {\n\"a.b/c\": \"é\"}}, \"spec\":\n{ \"containers\":\n[{\n\"image\":\"x\"}, {}]}}";
    for (text, path, line, column) in [
        (yaml, "metadata.labels[a.b/c]", 4, 5),
        (yaml, "spec.containers[0].image", 7, 5),
        (yaml, "spec.containers[1].name", 9, 6),
        (yaml, "spec.containers[1].image", 9, 5),
        (yaml, "spec.containers[7].image", 6, 3),
        (yaml, "spec.volumes", 5, 1),
        (yaml, "status", 2, 1),
        (yaml, "", 2, 1),
        (json, "metadata.labels[a.b/c]", 4, 1),
        (json, "spec.containers[0].image", 7, 1),
        (json, "spec.containers[1].name", 7, 15),
        (json, "status", 2, 1),
    ] {
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!(document.marks.locate(path), Some(Mark { line, column }), "{path}");
    }
    assert_eq!(Document::default().marks.locate("a"), None);
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for i in 1..10 {
        let uses = vec![format!("*a{}", i - 1); 9].join(", ");
        laughs.push_str(&format!("a{i}: &a{i} [{uses}]\n"));
    }
    assert!(value(&laughs).unwrap_err().contains("values"));
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), vec!["*a"; 100].join(","));
    assert!(value(&long).unwrap_err().contains("copy more than"));
    let nested = (0..90).map(|i| format!("&n{i} [")).collect::<String>() + &"x".repeat(1 << 20) + &"]".repeat(90);
    assert!(value(&format!("a: {nested}")).unwrap_err().contains("copy more than"));
    for deep in ["[".repeat(100_000), "- ".repeat(100_000), "a:\n".repeat(3), "{\"a\":".repeat(100_000)] {
        let _ = value(&deep);
    }
    assert!(value(&"- ".repeat(100_000)).unwrap_err().contains("within each other"));
    let many = format!("a: [{}]", "1,".repeat(MAX_NODES + 1));
    assert!(value(&many).unwrap_err().contains("more than"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,8}", inner, 0..6).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics(text in "[-a&*:<#|>'\"!?%@{}\\[\\], \n\t0-9.~]{0,80}") {
        if let Ok(document) = parse(text.as_bytes()) {
            let _ = document.marks.locate("a[0].b");
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }

    /// JSON below a key, its lines wherever they may stand.
    #[test]
    fn blanks_within_brackets_mean_nothing(inner in any_json(), blanks in prop::collection::vec(0..6usize, 1..8)) {
        let want = json!({"a": {"b": [inner]}});
        let json = serde_json::to_string_pretty(&want["a"]["b"]).unwrap();
        let lines = json.lines().zip(blanks.iter().cycle()).map(|(l, n)| format!("{}{}\n", " ".repeat(*n), l.trim_start()));
        prop_assert_eq!(value(&format!("a:\n  b:\n    {}", lines.collect::<String>())), Ok(want));
    }

    /// A text that begins with `{` gives what serde_json gives, and each member has a place.
    #[test]
    fn json_is_read_as_json(inner in any_json()) {
        let whole = json!({"a": inner, "b": 1});
        let document = parse(serde_json::to_string_pretty(&whole).unwrap().as_bytes()).unwrap();
        prop_assert_eq!(&document.value, &whole);
        prop_assert_eq!(document.marks.locate("b").map(|m| m.column), Some(3));
        prop_assert!(document.marks.locate("b") > document.marks.locate("a"));
    }
}
